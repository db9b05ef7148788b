#pragma once

/*
 * An HTTP/1.1 server: libmicrohttpd in external-epoll mode inside the caller's libuv loop. One
 * thread, the loop's. The server checks what every request needs checked (Host against the allowed
 * names, sizes, methods, unknown paths) before a handler runs; a handler answers now, or later from
 * the same loop, or with a stream that is pulled as the client drains it.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/metrics/metrics.h"

struct http_server;
struct http_request;

enum http_route_flags {
    HTTP_ANY_HOST = 1, /* probes come with any Host */
    HTTP_BODY = 2,     /* takes a request body: the handler runs when all of it is there */
};

struct http_route {
    const char *method; /* "GET" (HEAD is served by it), "POST" */
    const char *path; /* exact, or with one last level as a parameter: "/api/v1/events/{cursor}" */
    unsigned flags;
    void (*handle)(void *context, struct http_request *request);
};

struct http_settings {
    const char *address;      /* numeric IPv4 or IPv6 */
    uint16_t port;            /* 0: any */
    unsigned max_connections; /* lowered to what the limit of open files leaves room for */
    size_t max_body_bytes;
    /* Of a silent connection; one that has not sent its request whole in twice that is closed. */
    unsigned idle_timeout_s;
    /* A peer that acknowledges nothing for so long is gone: a stream ends by this one alone. */
    unsigned client_timeout_ms;
    const char *const
        *allow_hosts; /* NULL-terminated names beside localhost and loopback; "*" allows all */
    const struct http_route *routes;
    size_t route_count;
    void (*fallback)(void *context,
                     struct http_request *request); /* other GET paths: the assets; NULL: 404 */
    void *context;
    struct metrics *metrics;
};

/* Binds and listens. -EADDRINUSE, -EACCES, -errno with a sentence in `e`. */
MUST_CHECK int http_server_new(uv_loop_t *loop, const struct http_settings *settings,
                               struct http_server **ret_server, struct err *e);
uint16_t http_server_port(const struct http_server *server);
/* What max_connections came to. */
unsigned http_server_max_connections(const struct http_server *server);
/* What the answers that clients have not taken yet hold of memory: slow readers of large answers
 * add up. Without streams and static bodies. */
size_t http_server_answer_bytes(const struct http_server *server);
/* Stops listening and lets what is being answered end; streams get their `read` return
 * HTTP_STREAM_END by the owner. */
void http_server_quiesce(struct http_server *server);
/* True while no request is being read or answered; connections may stand open. */
bool http_server_is_idle(const struct http_server *server);
/* Closes every connection and then, when the loop runs once more, frees. */
void http_server_free(struct http_server *server);
DEFINE_CLEANUP(struct http_server *, http_server_free);

/* ---- the request; valid until it is answered, or for a later answer until its `gone` callback
 * ---- */

const char *http_request_method(const struct http_request *request);
const char *
http_request_path(const struct http_request *request); /* percent-decoded, without query */
const char *
http_request_path_parameter(const struct http_request *request); /* the {level}; "" if none */
const char *
http_request_target(const struct http_request *request); /* as it came, with its query */
const char *http_request_header(struct http_request *request,
                                const char *name); /* NULL if absent */
const char *http_request_body(const struct http_request *request, size_t *ret_size);
/* True unless the request says by Origin that a page of another host or port made it. */
bool http_request_same_origin(struct http_request *request);

/* Each query parameter in order, decoded. A parameter without '=' has value "". */
void http_request_each_query(struct http_request *request,
                             void (*each)(void *context, const char *name, const char *value),
                             void *context);

/* ---- answers ---- */

struct http_header {
    const char *name;
    const char *value;
};

/* Answers with a body that is copied. `headers` may be NULL; ends with a NULL name. */
void http_respond(struct http_request *request, unsigned status, const char *content_type,
                  const void *body, size_t size, const struct http_header *headers);
/* As above; the memory is static and is not copied. */
void http_respond_static(struct http_request *request, unsigned status, const char *content_type,
                         const void *body, size_t size, const struct http_header *headers);
/* Takes the buffer's bytes. A failed buffer is answered as a 500 problem. */
void http_respond_buf(struct http_request *request, unsigned status, const char *content_type,
                      struct buf *body, const struct http_header *headers);

/*
 * The handler returns without an answer, and one of the calls above comes later on the loop's
 * thread. If the connection ends first (its client left or closed its side, or the server is
 * freed), `gone` is called once, after which the request is not to be touched.
 */
void http_request_defer(struct http_request *request, void (*gone)(void *context), void *context);

/* ---- streams ---- */

#define HTTP_STREAM_WAIT ((ssize_t)0)  /* nothing now; ask again after http_stream_wake */
#define HTTP_STREAM_END  ((ssize_t)-1) /* the body is complete */
#define HTTP_STREAM_CUT  ((ssize_t)-2) /* the body cannot be completed: close the connection */

struct http_stream_ops {
    /* Fills up to `max` bytes (118 or more): how many, or one of the above. */
    ssize_t (*read)(void *stream, char *out, size_t max);
    /* The connection ended, by either side. Called once. */
    void (*closed)(void *stream);
};

/*
 * Answers 200 with a chunked body that `ops` gives, on a connection that is closed after it. There
 * is no time-out: a stream ends by its owner, or when the client closes its side, or when a peer
 * that is gone does not answer TCP's probes or takes nothing for two minutes. Even where this fails
 * for want of memory, `closed` is called.
 */
void http_respond_stream(struct http_request *request, const char *content_type,
                         const struct http_header *headers, const struct http_stream_ops *ops,
                         void *stream);
/* After a read that answered HTTP_STREAM_WAIT, any number of times; does nothing while the stream
 * is not waiting. The request is the one that was answered. */
void http_stream_wake(struct http_request *request);
/* Serves now what was woken, rather than in the loop's next turn: call after a batch of wakes. */
void http_server_run(struct http_server *server);
