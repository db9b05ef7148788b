#include "tests/unit/common/http/server_fixture.h"

#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/http/problem.h"

/* ---- handlers ---- */

static void on_hello(void *context, struct http_request *request)
{
    (void)context;
    http_respond_static(request, 200, "text/plain", "hello\n", 6, NULL);
}

static void on_echo(void *context, struct http_request *request)
{
    size_t size;
    const char *body = http_request_body(request, &size);

    (void)context;
    http_respond(request, 200, "application/octet-stream", body, size, NULL);
}

static void on_item(void *context, struct http_request *request)
{
    struct buf body = BUF_INIT(1000);
    const struct http_header headers[] = {{"X-Target", http_request_target(request)}, {NULL, NULL}};

    (void)context;
    buf_appendf(&body, "%s %s <%s>", http_request_method(request), http_request_path(request),
                http_request_path_parameter(request));
    http_respond_buf(request, 200, "text/plain", &body, headers);
}

static void append_query(void *context, const char *name, const char *value)
{
    buf_appendf(context, "%s=%s\n", name, value);
}

static void on_query(void *context, struct http_request *request)
{
    struct buf body = BUF_INIT(1000);

    (void)context;
    http_request_each_query(request, append_query, &body);
    http_respond_buf(request, 200, "text/plain", &body, NULL);
}

static void on_gone(void *context)
{
    struct server_fixture *f = context;

    f->gone++;
}

static void on_later(void *context, struct http_request *request)
{
    struct server_fixture *f = context;

    f->deferred = request;
    http_request_defer(request, on_gone, f);
}

static void on_huge(void *context, struct http_request *request)
{
    struct buf body = BUF_INIT(10);

    (void)context;
    buf_append_str(&body, "more than ten bytes");
    http_respond_buf(request, 200, "text/plain", &body, NULL);
    buf_deinit(&body);
}

static void on_origin(void *context, struct http_request *request)
{
    (void)context;
    if (http_request_same_origin(request))
        http_respond_static(request, 200, "text/plain", "same", 4, NULL);
    else
        http_respond_static(request, 403, "text/plain", "other", 5, NULL);
}

static void on_nothing(void *context, struct http_request *request)
{
    static const struct problem problem = {.status = 404, .code = "no-file", .title = "No file"};

    (void)context;
    http_problem(request, &problem, "no file %s", http_request_path(request));
}

/* What stands at that place of a stream whose order is to be seen. */
char stream_number_byte(size_t place)
{
    return (char)('a' + place % 23);
}

static ssize_t stream_read(void *context, char *out, size_t max)
{
    struct stream *s = context;
    size_t n = s->pending < max ? s->pending : max;

    if (n == 0)
        return s->end ? HTTP_STREAM_END : HTTP_STREAM_WAIT;
    for (size_t i = 0; i < n; i++)
        out[i] = s->is_numbered ? stream_number_byte(s->given++) : 'x';
    s->pending -= n;
    if (n > s->largest)
        s->largest = n;
    return (ssize_t)n;
}

static void stream_closed(void *context)
{
    struct stream *s = context;

    s->request = NULL;
    s->closed++;
}

static void on_stream(void *context, struct http_request *request)
{
    static const struct http_stream_ops ops = {stream_read, stream_closed};
    struct server_fixture *f = context;

    f->stream.request = request;
    f->stream.pending = 1;
    http_respond_stream(request, "text/event-stream", NULL, &ops, &f->stream);
}

/* ---- the server ---- */

static const struct http_route routes[] = {
    {"GET", "/hello", 0, on_hello},       {"GET", "/probe", HTTP_ANY_HOST, on_hello},
    {"GET", "/items/{name}", 0, on_item}, {"GET", "/query", 0, on_query},
    {"GET", "/echo", 0, on_hello},        {"POST", "/echo", HTTP_BODY, on_echo},
    {"GET", "/later", 0, on_later},       {"GET", "/huge", 0, on_huge},
    {"GET", "/stream", 0, on_stream},     {"GET", "/origin", 0, on_origin},
};

struct http_settings server_settings(struct server_fixture *f)
{
    return (struct http_settings){
        .address = "127.0.0.1",
        .max_connections = 500,
        .max_body_bytes = SERVER_BODY_MAX,
        .idle_timeout_s = 1,
        .client_timeout_ms = 120000,
        .routes = routes,
        .route_count = ARRAY_SIZE(routes),
        .context = f,
        .metrics = f->metrics,
    };
}

static void make_server(void *context)
{
    struct server_fixture *f = context;
    struct err e;

    f->new_failed = http_server_new(&f->thread.loop, &f->settings, &f->server, &e) < 0;
    if (!f->new_failed)
        f->port = http_server_port(f->server);
}

static void free_server(void *context)
{
    struct server_fixture *f = context;

    http_server_free(f->server);
}

static int start(void **state, const char *address, unsigned max_connections, bool fallback)
{
    struct server_fixture *f = calloc(1, sizeof(*f));

    assert_int_equal(metrics_new(&f->metrics), 0);
    f->settings = server_settings(f);
    f->settings.address = address;
    f->settings.max_connections = max_connections;
    f->settings.fallback = fallback ? on_nothing : NULL;
    loop_thread_start(&f->thread);
    loop_thread_call(&f->thread, make_server, f);
    assert_false(f->new_failed);
    *state = f;
    return 0;
}

int server_setup(void **state)
{
    return start(state, "127.0.0.1", 500, false);
}

int server_setup_small(void **state)
{
    return start(state, "127.0.0.1", 3, false);
}

int server_setup_dual(void **state)
{
    return start(state, "::", 500, true);
}

void server_stop(struct server_fixture *f)
{
    loop_thread_stop(&f->thread, free_server, f);
    metrics_free(f->metrics);
    f->metrics = NULL;
}

int server_teardown(void **state)
{
    struct server_fixture *f = *state;

    if (f->metrics)
        server_stop(f);
    free(f);
    return 0;
}
void check_get(uint16_t port, const char *target, const char *needle)
{
    char *answer = raw_get(port, target);

    assert_contains(answer, needle);
    free(answer);
}

void check_exchange(uint16_t port, const char *request, const char *needle)
{
    char *answer = raw_exchange(port, request);

    assert_contains(answer, needle);
    free(answer);
}
unsigned server_drip(uint16_t port, const char *head)
{
    struct pollfd p = {.fd = raw_connect(port), .events = POLLIN};
    unsigned sent = 0;

    raw_send(p.fd, head);
    while (sent < 100 && poll(&p, 1, 100) == 0) {
        if (!raw_try_send(p.fd, "a", 1))
            break;
        sent++;
    }
    close(p.fd);
    return sent;
}

/* ---- the stream ---- */

int stream_open(struct server_fixture *f, struct raw_input *input)
{
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read_until(fd, input, "\r\n\r\n1\r\nx\r\n");
    return fd;
}

struct stream_step {
    struct server_fixture *fixture;
    size_t pending;
    bool end;
};

static void feed(void *context)
{
    struct stream_step *step = context;
    struct server_fixture *f = step->fixture;

    f->stream.pending += step->pending;
    f->stream.end = step->end;
    f->stream.largest = 0;
    http_stream_wake(f->stream.request);
    http_server_run(f->server);
}

void stream_feed(struct server_fixture *f, size_t pending, bool end)
{
    struct stream_step step = {f, pending, end};

    loop_thread_call(&f->thread, feed, &step);
}
