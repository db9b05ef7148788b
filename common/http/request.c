#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/http/host.h"
#include "common/http/internal.h"
#include "common/http/problem.h"

/* ---- receiving ---- */

void *http_request_begin(void *context, const char *target, struct MHD_Connection *connection)
{
    struct http_server *server = context;
    struct http_request *r = calloc(1, sizeof(*r));

    if (!r)
        return NULL;
    r->target = strdup(target ? target : "");
    if (!r->target) {
        free(r);
        return NULL;
    }
    r->server = server;
    r->connection = connection;
    r->socket = http_connection_of(connection);
    r->started_us = clock_monotonic_us();
    r->body = BUF_INIT(server->settings.max_body_bytes);
    server->requests++;
    return r;
}

static bool takes_body(const struct http_request *r)
{
    return r->route && r->route->flags & HTTP_BODY;
}

/* The size that the client announces; 0 where it sends no body or one in chunks. libmicrohttpd has
 * refused what is not a number. */
static unsigned long long announced_bytes(struct http_request *r)
{
    const char *text = http_request_header(r, "Content-Length");

    return text ? strtoull(text, NULL, 10) : 0;
}

static void answer_too_large(struct http_request *r)
{
    const struct problem problem = {
        .status = 413,
        .code = "content-too-large",
        .title = "Request body too large",
    };

    http_problem(r, &problem, "the body may have at most %zu bytes",
                 r->server->settings.max_body_bytes);
}

/* ---- answering ---- */

static enum MHD_Result queue(struct http_request *r)
{
    enum MHD_Result result;

    /* A stream's client is watched on. */
    if (!r->stream_ops)
        http_request_unwatch(r);
    result = MHD_queue_response(r->connection, r->status, r->response);

    MHD_destroy_response(TAKE(r->response));
    return result;
}

/* After the handler returned, or what it deferred is there. The connection is closed where there is
 * no memory for an answer, and where the client has left before it. */
static enum MHD_Result settle(struct http_request *r)
{
    if (r->response)
        return queue(r);
    if (r->state != HTTP_HANDLING)
        return MHD_NO;
    r->state = HTTP_DEFERRED;
    http_request_suspend(r);
    http_request_watch(r);
    return MHD_YES;
}

static void answer_bad_target(struct http_request *r)
{
    const struct problem problem = {.status = 400, .code = "bad-target", .title = "Bad target"};

    http_problem(r, &problem, "a request's target has no NUL in it");
}

static void answer_misdirected(struct http_request *r, const char *host)
{
    const struct problem problem = {
        .status = 421,
        .code = "misdirected-request",
        .title = "Host not served here",
    };

    http_problem(r, &problem,
                 "Host is '%.100s'; served are localhost, loopback addresses and the names of "
                 "--allow-host",
                 host ? host : "");
}

static void answer_no_route(struct http_request *r)
{
    const struct http_settings *s = &r->server->settings;
    char methods[64];

    http_route_methods(s, r->path, methods, sizeof(methods));
    if (methods[0] != '\0') {
        const struct problem problem = {
            .status = 405,
            .code = "method-not-allowed",
            .title = "Method not allowed",
            .allow = methods,
        };

        http_problem(r, &problem, "%s takes %s, not %.40s", r->path, methods, r->method);
    } else if (s->fallback && (str_equal(r->method, "GET") || str_equal(r->method, "HEAD"))) {
        s->fallback(s->context, r);
    } else {
        const struct problem problem = {.status = 404, .code = "not-found", .title = "Not found"};

        http_problem(r, &problem, "there is nothing at %s", r->path);
    }
}

static void dispatch(struct http_request *r)
{
    const struct http_settings *s = &r->server->settings;
    bool any_host = r->route && r->route->flags & HTTP_ANY_HOST;
    const char *host = http_request_header(r, "Host");

    r->state = HTTP_HANDLING;
    if (strstr(r->target, "%00"))
        answer_bad_target(r);
    else if (!any_host && !host_is_allowed(host, s->allow_hosts))
        answer_misdirected(r, host);
    else if (!r->route)
        answer_no_route(r);
    else if (r->body_too_large)
        answer_too_large(r);
    else
        r->route->handle(s->context, r);
}

/* The first call: there are headers, and no body yet. */
static enum MHD_Result take_headers(struct http_request *r, const char *url, const char *method,
                                    const char *version)
{
    unsigned long long announced = announced_bytes(r);

    r->method = method;
    r->path = url;
    r->is_chunked = str_equal(version, "HTTP/1.1");
    r->route = http_route_find(&r->server->settings, method, url, &r->path_parameter);
    if (announced <= r->server->settings.max_body_bytes)
        return MHD_YES;
    r->body_too_large = true;
    if (!http_request_header(r, "Expect") && announced <= HTTP_DRAIN_BYTES)
        return MHD_YES;
    /* Refused before it is sent, or too long to be thrown away. */
    http_connection_has_request(r->socket);
    r->state = HTTP_HANDLING;
    answer_too_large(r);
    return settle(r);
}

static enum MHD_Result take_body(struct http_request *r, const char *bytes, size_t size)
{
    r->body_seen += size;
    if (r->body_seen > r->server->settings.max_body_bytes) {
        r->body_too_large = true;
        buf_deinit(&r->body);
    }
    if (r->body_seen > r->server->settings.max_body_bytes + HTTP_DRAIN_BYTES)
        return MHD_NO;
    if (!r->body_too_large && takes_body(r))
        buf_append(&r->body, bytes, size);
    return buf_failed(&r->body) ? MHD_NO : MHD_YES;
}

enum MHD_Result http_request_access(void *context, struct MHD_Connection *connection,
                                    const char *url, const char *method, const char *version,
                                    const char *upload, size_t *upload_size, void **request_context)
{
    struct http_request *r = *request_context;

    (void)context;
    (void)connection;
    if (!r)
        return MHD_NO;
    if (!r->method)
        return take_headers(r, url, method, version);
    if (*upload_size > 0) {
        size_t size = *upload_size;

        *upload_size = 0;
        return take_body(r, upload, size);
    }
    if (r->state == HTTP_RECEIVING) {
        http_connection_has_request(r->socket);
        dispatch(r);
    }
    return settle(r);
}

/* ---- the end ---- */

static void count(const struct http_request *r)
{
    const struct http_metrics *m = &r->server->metrics;

    if (r->status < 100 || r->status >= 600)
        return;
    metric_add(m->requests[r->status / 100 - 1], 1);
    if (!r->stream_ops)
        metric_observe(m->duration, (double)(clock_monotonic_us() - r->started_us) / 1e6);
}

void http_request_completed(void *context, struct MHD_Connection *connection,
                            void **request_context, enum MHD_RequestTerminationCode code)
{
    struct http_request *r = *request_context;

    (void)context;
    (void)connection;
    (void)code;
    *request_context = NULL;
    if (!r)
        return;
    count(r);
    /* The library may leave a stream's socket open until its next run, which nothing else brings
     * about. */
    http_request_unwatch(r);
    if (r->stream_ops)
        http_server_schedule(r->server);
    http_connection_owes_request(r->socket);
    r->server->requests--;
    r->server->answer_bytes -= r->answer_bytes;
    if (r->is_suspended)
        TAILQ_REMOVE(&r->server->suspended, r, entry);
    if (r->stream_ops)
        r->stream_ops->closed(r->context);
    else if (r->state == HTTP_DEFERRED && r->gone)
        r->gone(r->context);
    if (r->response)
        MHD_destroy_response(r->response);
    free(r->rest);
    buf_deinit(&r->body);
    free(r->target);
    free(r);
}

/* ---- suspending ---- */

void http_request_suspend(struct http_request *request)
{
    TAILQ_INSERT_TAIL(&request->server->suspended, request, entry);
    request->is_suspended = true;
    MHD_suspend_connection(request->connection);
}

void http_request_resume(struct http_request *request)
{
    if (!request->is_suspended)
        return;
    TAILQ_REMOVE(&request->server->suspended, request, entry);
    request->is_suspended = false;
    MHD_resume_connection(request->connection);
    http_server_schedule(request->server);
}

void http_request_defer(struct http_request *request, void (*gone)(void *context), void *context)
{
    request->gone = gone;
    request->context = context;
}

/* ---- what handlers ask ---- */

const char *http_request_method(const struct http_request *request)
{
    return request->method;
}

const char *http_request_path(const struct http_request *request)
{
    return request->path;
}

const char *http_request_path_parameter(const struct http_request *request)
{
    return request->path_parameter;
}

const char *http_request_target(const struct http_request *request)
{
    return request->target;
}

const char *http_request_header(struct http_request *request, const char *name)
{
    return MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name);
}

bool http_request_same_origin(struct http_request *request)
{
    const char *origin = http_request_header(request, "Origin");

    return !origin || host_is_origin(http_request_header(request, "Host"), origin);
}

const char *http_request_body(const struct http_request *request, size_t *ret_size)
{
    *ret_size = request->body.len;
    return request->body.data ? request->body.data : "";
}

struct each_query {
    void (*each)(void *context, const char *name, const char *value);
    void *context;
};

static enum MHD_Result give_one(void *context, enum MHD_ValueKind kind, const char *name,
                                const char *value)
{
    const struct each_query *q = context;

    (void)kind;
    q->each(q->context, name, value ? value : "");
    return MHD_YES;
}

void http_request_each_query(struct http_request *request,
                             void (*each)(void *context, const char *name, const char *value),
                             void *context)
{
    struct each_query q = {each, context};

    MHD_get_connection_values(request->connection, MHD_GET_ARGUMENT_KIND, give_one, &q);
}
