#pragma once

/* What the files of this folder know of each other; not for users. */

#include <microhttpd.h>
#include <stdint.h>
#include <sys/queue.h>

#include "common/http/server.h"

/* A request body over the limit is read and thrown away up to this much more, so that the answer
 * reaches a client that sends before it reads; beyond it the connection is closed. */
#define HTTP_DRAIN_BYTES ((size_t)1 << 20)

/* A TCP connection: libmicrohttpd's socket context. */
struct http_connection {
    struct http_server *server;
    int fd;
    bool owes_request;
    int64_t since_ms; /* when it began to owe us a request */
    TAILQ_ENTRY(http_connection) entry;
};

enum http_request_state {
    HTTP_RECEIVING,
    HTTP_HANDLING, /* the handler has it */
    HTTP_DEFERRED, /* the handler has it and has returned: the connection is suspended */
    HTTP_ANSWERED,
};

/* What a bulk chunk has left when the kernel did not take all of it. */
struct http_rest {
    size_t len, sent;
    char bytes[];
};

struct http_request {
    struct http_server *server;
    struct MHD_Connection *connection;
    struct http_connection *socket; /* NULL where there was no memory for it */
    char *target;                   /* as it came; freed when a stream begins */
    const char *method, *path;      /* libmicrohttpd's */
    const struct http_route *route; /* NULL: none has this path and method */
    const char *path_parameter;
    struct buf body;
    size_t body_seen;
    enum http_request_state state;
    bool is_suspended;
    bool body_too_large;
    bool is_watched;
    bool has_left;      /* the client closed its side while it was watched */
    bool is_chunked;    /* HTTP/1.1 */
    bool is_backlogged; /* a stream's last read gave as much as was asked for */
    unsigned status;
    int64_t started_us;
    struct MHD_Response *response; /* made, not yet given to libmicrohttpd */
    struct MHD_Response *unpulled; /* a stream's that has not been asked for its body yet */
    struct http_rest *rest;        /* a stream's; NULL: none. It is not read or woken until then */
    size_t answer_bytes;           /* of a body that is freed with the request */
    const struct http_stream_ops *stream_ops;
    void (*gone)(void *context);
    void *context;                   /* of the stream or of `gone` */
    TAILQ_ENTRY(http_request) entry; /* among the suspended */
};

TAILQ_HEAD(http_connections, http_connection);
TAILQ_HEAD(http_requests, http_request);

struct http_metrics {
    struct metric *requests[5]; /* by status class, 1xx first */
    struct metric *connections;
    struct metric *duration;
};

struct http_server {
    uv_loop_t *loop;
    struct http_settings settings;
    struct MHD_Daemon *daemon;
    uv_poll_t poll;   /* libmicrohttpd's epoll */
    uv_timer_t timer; /* libmicrohttpd's time-outs and ours */
    uv_poll_t watch;  /* an epoll that tells which streams' clients have left */
    int watch_fd;
    char *bulk; /* where chunks larger than the pool are made */
    unsigned open_handles;
    uint16_t port;
    bool is_running; /* within MHD_run */
    bool run_again;  /* something was resumed since the last run */
    bool is_closing;
    unsigned connections;
    unsigned requests;             /* begun and not completed, streams included */
    size_t answer_bytes;           /* of all requests */
    struct http_connections owing; /* connections that owe a request, the oldest first */
    struct http_requests suspended;
    struct http_metrics metrics;
};

/* server.c: a run is due before the loop waits again. */
void http_server_schedule(struct http_server *server);

/* listener.c */
MUST_CHECK int http_listener_open(const struct http_settings *settings, int *ret_fd,
                                  uint16_t *ret_port, struct err *e);

/* connection.c */
void http_connection_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code);
struct http_connection *http_connection_of(struct MHD_Connection *connection);
/* The request that the connection owed is there; and the next one is owed. Both accept NULL. */
void http_connection_has_request(struct http_connection *connection);
void http_connection_owes_request(struct http_connection *connection);
/* Ends the connections whose request is overdue; milliseconds to the next deadline, -1: none. */
int64_t http_connections_expire(struct http_server *server);

/* request.c: libmicrohttpd's callbacks. */
void *http_request_begin(void *context, const char *target, struct MHD_Connection *connection);
enum MHD_Result http_request_access(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_size,
                                    void **request_context);
void http_request_completed(void *context, struct MHD_Connection *connection,
                            void **request_context, enum MHD_RequestTerminationCode code);
void http_request_suspend(struct http_request *request);
void http_request_resume(struct http_request *request);

/* response.c: hands the response over to be sent, now or when the handler returns. */
void http_response_give(struct http_request *request, unsigned status, const char *content_type,
                        const struct http_header *headers, struct MHD_Response *response);

/* stream.c */
/* Resumes the request when its client leaves while it is suspended. */
void http_request_watch(struct http_request *request);
void http_request_unwatch(struct http_request *request);
MUST_CHECK int http_streams_init(struct http_server *server, struct err *e);

/* bulk.c: chunks larger than a connection's pool. */
#define HTTP_BULK_BYTES (32 * 1024)
MUST_CHECK int http_bulk_init(struct http_server *server);
bool http_bulk_is_possible(const struct http_request *request);
/* Reads the stream and sends: as http_stream_ops.read, but the bytes are on their way, or in the
 * request's rest. */
ssize_t http_bulk_pull(struct http_request *request);
/* Sends of the rest what the kernel takes: true when it is gone. */
MUST_CHECK bool http_bulk_flush(struct http_request *request);

/* route.c: the route of path and method, its last level in *ret_parameter; NULL: none. */
const struct http_route *http_route_find(const struct http_settings *settings, const char *method,
                                         const char *path, const char **ret_parameter);
/* "GET, HEAD, POST": what the path's routes take; "" where no route has this path. */
void http_route_methods(const struct http_settings *settings, const char *path, char *text,
                        size_t size);
