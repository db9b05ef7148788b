/* A real server on a loop of its own, and clients that send what they like. */

#include <fcntl.h>
#include <netinet/in.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "common/http/problem.h"
#include "common/http/server.h"
#include "tests/unit/common/http/loop_thread.h"
#include "tests/unit/common/http/raw_client.h"

#define BODY_MAX 1000

struct stream {
    struct http_request *request;
    size_t pending; /* bytes to give */
    size_t largest; /* that one read gave */
    size_t given;   /* where it is numbered */
    bool is_numbered;
    bool end;
    unsigned closed;
};

struct fixture {
    struct loop_thread thread;
    struct http_server *server;
    struct http_settings settings;
    struct metrics *metrics;
    uint16_t port;
    struct http_request *deferred;
    struct http_request *answer_again;
    unsigned gone, gone_seen;
    struct stream stream;
    bool new_failed;
};

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
    struct fixture *f = context;

    f->gone++;
}

static void on_later(void *context, struct http_request *request)
{
    struct fixture *f = context;

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
static char number_byte(size_t place)
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
        out[i] = s->is_numbered ? number_byte(s->given++) : 'x';
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
    struct fixture *f = context;

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

static struct http_settings settings_of(struct fixture *f)
{
    return (struct http_settings){
        .address = "127.0.0.1",
        .max_connections = 500,
        .max_body_bytes = BODY_MAX,
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
    struct fixture *f = context;
    struct err e;

    f->new_failed = http_server_new(&f->thread.loop, &f->settings, &f->server, &e) < 0;
    if (!f->new_failed)
        f->port = http_server_port(f->server);
}

static void free_server(void *context)
{
    struct fixture *f = context;

    http_server_free(f->server);
}

static int start(void **state, const char *address, unsigned max_connections, bool fallback)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_int_equal(metrics_new(&f->metrics), 0);
    f->settings = settings_of(f);
    f->settings.address = address;
    f->settings.max_connections = max_connections;
    f->settings.fallback = fallback ? on_nothing : NULL;
    loop_thread_start(&f->thread);
    loop_thread_call(&f->thread, make_server, f);
    assert_false(f->new_failed);
    *state = f;
    return 0;
}

static int setup(void **state)
{
    return start(state, "127.0.0.1", 500, false);
}

static int setup_small(void **state)
{
    return start(state, "127.0.0.1", 3, false);
}

static int setup_dual(void **state)
{
    return start(state, "::", 500, true);
}

static void stop(struct fixture *f)
{
    loop_thread_stop(&f->thread, free_server, f);
    metrics_free(f->metrics);
    f->metrics = NULL;
}

static int teardown(void **state)
{
    struct fixture *f = *state;

    if (f->metrics)
        stop(f);
    free(f);
    return 0;
}

#define assert_contains(text, needle)                                                              \
    do {                                                                                           \
        if (!strstr(text, needle))                                                                 \
            fail_msg("no '%s' in:\n%s", needle, text);                                             \
    } while (0)

static void check_get(uint16_t port, const char *target, const char *needle)
{
    char *answer = raw_get(port, target);

    assert_contains(answer, needle);
    free(answer);
}

static void check_exchange(uint16_t port, const char *request, const char *needle)
{
    char *answer = raw_exchange(port, request);

    assert_contains(answer, needle);
    free(answer);
}

/* ---- plain answers ---- */

static void test_answers(void **state)
{
    struct fixture *f = *state;
    char *answer = raw_get(f->port, "/hello");

    assert_true(strncmp(answer, "HTTP/1.1 200 OK\r\n", 17) == 0);
    assert_contains(answer, "Content-Type: text/plain\r\n");
    assert_contains(answer, "X-Content-Type-Options: nosniff\r\n");
    assert_contains(answer, "Referrer-Policy: no-referrer\r\n");
    assert_contains(answer, "Content-Length: 6\r\n");
    assert_contains(answer, "\r\n\r\nhello\n");
    free(answer);
}

static void test_head_has_no_body(void **state)
{
    struct fixture *f = *state;
    char *answer = raw_exchange(f->port, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n"
                                         "Connection: close\r\n\r\n");

    assert_contains(answer, "Content-Length: 6\r\n");
    assert_null(strstr(answer, "hello"));
    free(answer);
}

static void test_problems(void **state)
{
    struct fixture *f = *state;
    char *answer = raw_get(f->port, "/nothing/%22here%22%ff");

    assert_contains(answer, "HTTP/1.1 404 ");
    assert_contains(answer, "Content-Type: application/problem+json\r\n");
    assert_contains(answer, "X-Content-Type-Options: nosniff\r\n");
    assert_contains(answer, "Cache-Control: no-store\r\n");
    assert_contains(answer,
                    "{\"type\":\"urn:bellbuoy:problem:not-found\",\"title\":\"Not found\","
                    "\"status\":404,\"detail\":\"there is nothing at /nothing/\\\"here\\\"?\"}");
    free(answer);
    check_exchange(f->port, "DELETE /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "HTTP/1.1 405 ");
    check_exchange(f->port, "DELETE /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "Allow: GET, HEAD, POST\r\n");
    check_exchange(f->port,
                   "POST /nothing HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "HTTP/1.1 404 ");
    check_get(f->port, "/huge", "HTTP/1.1 500 ");
}

static void test_host(void **state)
{
    struct fixture *f = *state;

    check_exchange(f->port, "GET /hello HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
                   "HTTP/1.1 421 ");
    check_exchange(f->port, "GET /nothing HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
                   "HTTP/1.1 421 ");
    check_exchange(f->port, "GET /hello HTTP/1.0\r\n\r\n", " 421 ");
    check_exchange(f->port, "GET /hello HTTP/1.1\r\n\r\n", "HTTP/1.1 400 ");
    check_exchange(f->port, "GET /probe HTTP/1.1\r\nHost: evil\r\nConnection: close\r\n\r\n",
                   "HTTP/1.1 200 ");
    check_exchange(f->port, "GET /probe HTTP/1.0\r\n\r\n", " 200 OK");
}

static void test_origin(void **state)
{
    struct fixture *f = *state;

    check_get(f->port, "/origin", "same");
    check_exchange(f->port,
                   "GET /origin HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://localhost:1\r\n"
                   "Connection: close\r\n\r\n",
                   "same");
    check_exchange(f->port,
                   "GET /origin HTTP/1.1\r\nHost: localhost:1\r\nOrigin: http://evil\r\n"
                   "Connection: close\r\n\r\n",
                   "HTTP/1.1 403 ");
}

static void test_targets(void **state)
{
    struct fixture *f = *state;

    check_get(f->port, "/items/a%20b", "GET /items/a b <a b>");
    check_get(f->port, "/items/a?x=%31", "X-Target: /items/a?x=%31\r\n");
    check_get(f->port, "/items/", "HTTP/1.1 404 ");
    check_get(f->port, "/items/a/b", "HTTP/1.1 404 ");
    check_get(f->port, "/items/a%2Fb", "HTTP/1.1 404 ");
    check_get(f->port, "/../../../../etc/passwd", "HTTP/1.1 404 ");
    check_get(f->port, "/items/%2e%2e", "<..>");
    check_get(f->port, "/hello%00", "HTTP/1.1 400 ");
    check_get(f->port, "/query?a=%00", "HTTP/1.1 400 ");
    check_get(f->port, "http://localhost/hello", "HTTP/1.1 404 ");
    check_get(f->port, "/query?a=1&b=x%26y+z&c&a=&d==e", "\r\n\r\na=1\nb=x&y z\nc=\na=\nd==e\n");
}

/* ---- bodies ---- */

static void test_body(void **state)
{
    struct fixture *f = *state;

    check_exchange(f->port,
                   "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   "Content-Length: 4\r\n\r\nabcd",
                   "\r\n\r\nabcd");
    check_exchange(f->port,
                   "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   "Transfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3\r\ncde\r\n0\r\n\r\n",
                   "\r\n\r\nabcde");
    check_exchange(f->port, "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "Content-Length: 0\r\n");
    check_exchange(f->port,
                   "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                   "Content-Length: -1\r\n\r\n",
                   "HTTP/1.1 400 ");
    /* A body where none is wanted is read over. */
    check_exchange(f->port,
                   "GET /hello HTTP/1.1\r\nHost: localhost\r\nContent-Length: 4\r\n\r\nabcd"
                   "GET /items/next HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "<next>");
}

static void test_body_too_large(void **state)
{
    struct fixture *f = *state;
    char request[BODY_MAX + 400];
    int head = snprintf(request, sizeof(request),
                        "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Content-Length: %d\r\n\r\n",
                        BODY_MAX);

    memset(request + head, 'a', sizeof(request) - (size_t)head);
    request[head + BODY_MAX] = '\0';
    check_exchange(f->port, request, "HTTP/1.1 200 ");
    head = snprintf(request, sizeof(request),
                    "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    "Content-Length: %d\r\n\r\n",
                    BODY_MAX + 1);
    memset(request + head, 'a', BODY_MAX + 1);
    request[head + BODY_MAX + 1] = '\0';
    check_exchange(f->port, request, "HTTP/1.1 413 ");
    /* Not a byte of it is waited for. */
    check_exchange(f->port,
                   "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
                   "HTTP/1.1 413 ");
}

static void test_chunked_body_too_large(void **state)
{
    struct fixture *f = *state;
    static const char head[] = "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                               "Transfer-Encoding: chunked\r\n\r\n";
    char chunk[1024 + 8];
    struct raw_input input = {0};
    int fd = raw_connect(f->port);
    size_t sent = 0;

    memset(chunk, 'a', sizeof(chunk));
    memcpy(chunk, "400\r\n", 5);
    memcpy(chunk + 5 + 1024, "\r\n", 3);
    raw_send(fd, head);
    raw_send(fd, chunk);
    raw_send(fd, "0\r\n\r\n");
    raw_read_to_end(fd, &input);
    assert_contains(input.text, "HTTP/1.1 413 ");
    raw_input_free(&input);
    close(fd);

    /* One that never ends is cut off. */
    fd = raw_connect(f->port);
    raw_send(fd, head);
    while (raw_try_send(fd, chunk, 5 + 1024 + 2))
        assert_true((sent += 1024) < (size_t)64 << 20);
    close(fd);
}

static void test_expect(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = raw_connect(f->port);

    raw_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                 "Expect: 100-continue\r\nContent-Length: 3\r\n\r\n");
    raw_read_until(fd, &input, "HTTP/1.1 100 Continue\r\n\r\n");
    raw_send(fd, "abc");
    raw_read_until(fd, &input, "\r\n\r\nabc");
    raw_input_free(&input);
    close(fd);

    fd = raw_connect(f->port);
    raw_send(fd, "POST /echo HTTP/1.1\r\nHost: localhost\r\nExpect: 100-continue\r\n"
                 "Content-Length: 1001\r\n\r\n");
    raw_read_to_end(fd, &input);
    assert_true(strncmp(input.text, "HTTP/1.1 413 ", 13) == 0);
    raw_input_free(&input);
    close(fd);
}

static void test_header_too_large(void **state)
{
    struct fixture *f = *state;
    char big[10000];
    struct raw_input input = {0};
    int fd = raw_connect(f->port);

    memset(big, 'a', sizeof(big));
    raw_send(fd, "GET /hello HTTP/1.1\r\nHost: localhost\r\nCookie: ");
    (void)raw_try_send(fd, big, sizeof(big));
    raw_read_to_end(fd, &input);
    assert_contains(input.text, "HTTP/1.1 431 ");
    raw_input_free(&input);
    close(fd);

    fd = raw_connect(f->port);
    raw_send(fd, "GET /");
    (void)raw_try_send(fd, big, sizeof(big));
    raw_read_to_end(fd, &input);
    assert_contains(input.text, "HTTP/1.1 414 ");
    raw_input_free(&input);
    close(fd);
}

static void test_not_http(void **state)
{
    struct fixture *f = *state;

    check_exchange(f->port, "\x16\x03\x01\x02 \r\n\r\n", "");
    check_exchange(f->port, "GET /hello HTTP/9.9\r\nHost: localhost\r\n\r\n", "HTTP/1.1 505 ");
    check_get(f->port, "/hello", "hello");
}

static void test_pipelining(void **state)
{
    struct fixture *f = *state;
    char *answer = raw_exchange(f->port, "GET /items/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                         "GET /items/b HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                         "GET /items/c HTTP/1.1\r\nHost: localhost\r\n"
                                         "Connection: close\r\n\r\n");
    const char *a = strstr(answer, "<a>"), *b = strstr(answer, "<b>"), *c = strstr(answer, "<c>");

    assert_true(a && b && c && a < b && b < c);
    free(answer);
}

/* ---- answers that come later ---- */

static void is_deferred(void *context)
{
    struct fixture *f = context;

    f->answer_again = f->deferred;
}

static void answer_deferred(void *context)
{
    struct fixture *f = context;

    http_respond_static(f->deferred, 200, "text/plain", "late", 4, NULL);
    f->deferred = NULL;
}

static void wait_deferred(struct fixture *f)
{
    do
        loop_thread_call(&f->thread, is_deferred, f);
    while (!f->answer_again);
}

static void test_deferred(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_deferred(f);
    loop_thread_call(&f->thread, answer_deferred, f);
    raw_read_until(fd, &input, "\r\n\r\nlate");
    raw_input_free(&input);
    /* The connection goes on. */
    raw_send(fd, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read_until(fd, &input, "hello\n");
    raw_input_free(&input);
    close(fd);
    assert_int_equal(f->gone, 0);
}

static void get_gone(void *context)
{
    struct fixture *f = context;

    f->gone_seen = f->gone;
}

static void test_deferred_client_leaves(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_deferred(f);
    close(fd);
    do
        loop_thread_call(&f->thread, get_gone, f);
    while (f->gone_seen == 0);
    assert_int_equal(f->gone_seen, 1);
}

static void test_deferred_at_the_end(void **state)
{
    struct fixture *f = *state;
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_deferred(f);
    stop(f);
    assert_int_equal(f->gone, 1);
    close(fd);
}

/* ---- time-outs ---- */

static void check_is_closed(uint16_t port, const char *text)
{
    struct raw_input input = {0};
    int fd = raw_connect(port);

    raw_send(fd, text);
    raw_read_to_end(fd, &input);
    raw_input_free(&input);
    close(fd);
}

static void test_silent_connections_are_closed(void **state)
{
    struct fixture *f = *state;

    check_is_closed(f->port, "");
    check_is_closed(f->port, "GET /hello HT");
    check_is_closed(f->port,
                    "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na");
    check_is_closed(f->port, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

/* Sends a byte every 100 ms, so that the connection is never silent for long; how many. */
static unsigned drip(uint16_t port, const char *head)
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

static void test_slow_requests_are_closed(void **state)
{
    struct fixture *f = *state;

    assert_in_range(drip(f->port, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: "), 10, 60);
    assert_in_range(drip(f->port, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                  "Content-Length: 999\r\n\r\n"),
                    10, 60);
}

/* ---- streams ---- */

static int open_stream(struct fixture *f, struct raw_input *input)
{
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read_until(fd, input, "\r\n\r\n1\r\nx\r\n");
    return fd;
}

struct stream_step {
    struct fixture *fixture;
    size_t pending;
    bool end;
};

static void feed(void *context)
{
    struct stream_step *step = context;
    struct fixture *f = step->fixture;

    f->stream.pending += step->pending;
    f->stream.end = step->end;
    f->stream.largest = 0;
    http_stream_wake(f->stream.request);
    http_server_run(f->server);
}

static void feed_stream(struct fixture *f, size_t pending, bool end)
{
    struct stream_step step = {f, pending, end};

    loop_thread_call(&f->thread, feed, &step);
}

static void look_closed(void *context)
{
    struct fixture *f = context;

    f->answer_again = (void *)f->stream.request;
}

static void wait_stream_closed(struct fixture *f)
{
    do
        loop_thread_call(&f->thread, look_closed, f);
    while (f->answer_again);
    assert_int_equal(f->stream.closed, 1);
}

static void test_stream(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = open_stream(f, &input);

    assert_contains(input.text, "Content-Type: text/event-stream\r\n");
    assert_contains(input.text, "Transfer-Encoding: chunked\r\n");
    raw_input_free(&input);
    feed_stream(f, 10, false);
    raw_read_until(fd, &input, "A\r\nxxxxxxxxxx\r\n");
    raw_input_free(&input);
    /* It is silent for longer than any other connection may be. */
    assert_in_range(drip(f->port, "GET /"), 10, 60);
    feed_stream(f, 3, true);
    raw_read_to_end(fd, &input);
    assert_string_equal(input.text, "3\r\nxxx\r\n0\r\n\r\n");
    raw_input_free(&input);
    wait_stream_closed(f);
    close(fd);
}

static void test_stream_is_coalesced(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = open_stream(f, &input);
    size_t size = 1 << 20;

    raw_input_free(&input);
    feed_stream(f, size, true);
    raw_read_to_end(fd, &input);
    assert_int_equal(raw_unchunk(input.text, input.len), size);
    /* More than the pool has. */
    assert_int_equal(f->stream.largest, 32 * 1024);
    raw_input_free(&input);
    close(fd);
}

struct send_buffer {
    struct sockaddr_in client;
    int bytes;
};

/* Sets the send buffer of the server's end of that connection: it is a descriptor of ours too. */
static void set_send_buffer(void *context)
{
    const struct send_buffer *b = context;

    for (int fd = 0; fd < 1000; fd++) {
        struct sockaddr_in peer = {0};
        socklen_t len = sizeof(peer);

        if (getpeername(fd, (struct sockaddr *)&peer, &len) == 0 &&
            peer.sin_port == b->client.sin_port)
            assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &b->bytes, sizeof(b->bytes)), 0);
    }
}

/* The kernel takes a part of a large chunk only, again and again. */
static void test_stream_of_which_the_kernel_takes_little(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    struct send_buffer buffer = {.bytes = 6000};
    socklen_t len = sizeof(buffer.client);
    size_t size = 3 << 20;
    int fd = open_stream(f, &input);

    raw_input_free(&input);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&buffer.client, &len), 0);
    loop_thread_call(&f->thread, set_send_buffer, &buffer);
    f->stream.is_numbered = true; /* it is not read before it is fed */
    feed_stream(f, size, false);
    /* Woken while it waits for the kernel, it still keeps its order. */
    for (int i = 0; i < 20; i++)
        feed_stream(f, 1, i == 19);
    raw_read_to_end(fd, &input);
    assert_int_equal(raw_unchunk(input.text, input.len), size + 20);
    for (size_t i = 0; i < size + 20; i++)
        assert_int_equal(input.text[i], number_byte(i));
    raw_input_free(&input);
    wait_stream_closed(f);
    close(fd);
}

/* With something still to be sent. */
static void test_stream_client_leaves_what_the_kernel_did_not_take(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    struct send_buffer buffer = {.bytes = 6000};
    socklen_t len = sizeof(buffer.client);
    int fd = open_stream(f, &input);

    raw_input_free(&input);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&buffer.client, &len), 0);
    loop_thread_call(&f->thread, set_send_buffer, &buffer);
    feed_stream(f, (size_t)64 << 20, false);
    raw_read_some(fd, &input);
    raw_input_free(&input);
    close(fd);
    wait_stream_closed(f);
}

static void test_stream_client_leaves(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};

    close(open_stream(f, &input));
    raw_input_free(&input);
    wait_stream_closed(f);
}

static void test_stream_client_resets(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    struct linger now = {.l_onoff = 1};
    int fd = open_stream(f, &input);

    raw_input_free(&input);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(fd);
    wait_stream_closed(f);
}

static void test_stream_client_leaves_while_blocked(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = open_stream(f, &input);

    raw_input_free(&input);
    feed_stream(f, (size_t)64 << 20, false);
    close(fd);
    wait_stream_closed(f);
}

static void test_stream_of_http_1_0(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n");
    raw_read_until(fd, &input, "\r\n\r\nx");
    assert_null(strstr(input.text, "chunked"));
    raw_input_free(&input);
    feed_stream(f, 5000, true);
    raw_read_to_end(fd, &input);
    assert_int_equal(input.len, 5000);
    raw_input_free(&input);
    close(fd);
}

static void test_stream_head(void **state)
{
    struct fixture *f = *state;

    check_exchange(f->port, "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
                   "Content-Type: text/event-stream\r\n");
    wait_stream_closed(f);
}

static void test_stream_at_the_end(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = open_stream(f, &input);

    raw_input_free(&input);
    stop(f);
    assert_int_equal(f->stream.closed, 1);
    close(fd);
}

/* ---- limits ---- */

static void test_connection_limit(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fds[4];

    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        fds[i] = raw_connect(f->port);
    /* The fourth waits in the queue, and is served when one of the others is closed for its
     * silence. */
    raw_send(fds[3], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read_until(fds[3], &input, "hello\n");
    raw_input_free(&input);
    for (size_t i = 0; i < ARRAY_SIZE(fds); i++)
        close(fds[i]);
}

struct turns {
    struct fixture *fixture;
    unsigned turns;
};

static void look_turns(void *context)
{
    struct turns *t = context;

    t->turns = t->fixture->thread.turns;
}

static unsigned turns_of(struct fixture *f)
{
    struct turns t = {f, 0};

    loop_thread_call(&f->thread, look_turns, &t);
    return t.turns;
}

/* Leaves the process no file descriptor beyond `fd`. */
static void set_file_limit(rlim_t limit)
{
    struct rlimit r;

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &r), 0);
    r.rlim_cur = limit;
    assert_int_equal(setrlimit(RLIMIT_NOFILE, &r), 0);
}

static void test_no_file_descriptor_left(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    struct rlimit before;
    unsigned turns;
    int first, second, waiting[20];

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    first = open_stream(f, &input);
    raw_input_free(&input);
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
        waiting[i] = socket(AF_INET, SOCK_STREAM, 0);
    set_file_limit((rlim_t)waiting[19] + 1);
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++) {
        struct sockaddr_in address = {
            .sin_family = AF_INET,
            .sin_port = htons(f->port),
            .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
        };

        assert_int_equal(connect(waiting[i], (struct sockaddr *)&address, sizeof(address)), 0);
    }
    raw_send(waiting[0], "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
    turns = turns_of(f);
    /* Nobody is let in, the stream lives, and the loop does not spin. */
    for (unsigned i = 1; i <= 50; i++) {
        char needle[] = "1\r\nx\r\n";

        feed_stream(f, 1, false);
        raw_read_until(first, &input, needle);
        raw_input_free(&input);
    }
    assert_true(turns_of(f) - turns < 500);
    set_file_limit(before.rlim_cur);
    /* A connection that ends makes room: the listener is looked at again. */
    close(first);
    raw_read_until(waiting[0], &input, "hello\n");
    raw_input_free(&input);
    for (size_t i = 0; i < ARRAY_SIZE(waiting); i++)
        close(waiting[i]);
    second = raw_connect(f->port);
    close(second);
}

static void test_address_in_use(void **state)
{
    struct fixture *f = *state;
    struct http_settings settings = settings_of(f);
    struct http_server *server;
    struct err e;
    uv_loop_t loop;

    assert_int_equal(uv_loop_init(&loop), 0);
    settings.port = f->port;
    assert_int_equal(http_server_new(&loop, &settings, &server, &e), -EADDRINUSE);
    assert_contains(e.msg, "cannot listen on 127.0.0.1 port ");
    settings.address = "localhost";
    assert_int_equal(http_server_new(&loop, &settings, &server, &e), -EINVAL);
    assert_string_equal(e.msg, "'localhost' is not a numeric IPv4 or IPv6 address");
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void quiesce(void *context)
{
    struct fixture *f = context;

    http_server_quiesce(f->server);
}

static void test_quiesce(void **state)
{
    struct fixture *f = *state;
    struct raw_input input = {0};
    int fd = open_stream(f, &input), refused = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(f->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    loop_thread_call(&f->thread, quiesce, f);
    assert_int_equal(connect(refused, (struct sockaddr *)&address, sizeof(address)), -1);
    raw_input_free(&input);
    feed_stream(f, 1, true);
    raw_read_to_end(fd, &input);
    assert_string_equal(input.text, "1\r\nx\r\n0\r\n\r\n");
    raw_input_free(&input);
    close(refused);
    close(fd);
}

static void test_metrics(void **state)
{
    struct fixture *f = *state;
    struct buf text = BUF_INIT(100000);

    check_get(f->port, "/hello", "hello");
    check_get(f->port, "/nothing", "404");
    check_get(f->port, "/huge", "500");
    metrics_write(f->metrics, &text);
    assert_contains(text.data, "bellbuoy_http_requests_total{class=\"2xx\"} 1\n");
    assert_contains(text.data, "bellbuoy_http_requests_total{class=\"4xx\"} 1\n");
    assert_contains(text.data, "bellbuoy_http_requests_total{class=\"5xx\"} 1\n");
    assert_contains(text.data, "bellbuoy_http_request_duration_seconds_count 3\n");
    buf_deinit(&text);
}

/* ---- a fallback for files ---- */

static void test_fallback_on_both_families(void **state)
{
    struct fixture *f = *state;

    check_get(f->port, "/style.css", "urn:bellbuoy:problem:no-file");
    check_get(f->port, "/hello", "hello");
    check_exchange(f->port,
                   "POST /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "urn:bellbuoy:problem:not-found");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_head_has_no_body),
        TEST(test_problems),
        TEST(test_host),
        TEST(test_origin),
        TEST(test_targets),
        TEST(test_body),
        TEST(test_body_too_large),
        TEST(test_chunked_body_too_large),
        TEST(test_expect),
        TEST(test_header_too_large),
        TEST(test_not_http),
        TEST(test_pipelining),
        TEST(test_deferred),
        TEST(test_deferred_client_leaves),
        TEST(test_deferred_at_the_end),
        TEST(test_silent_connections_are_closed),
        TEST(test_slow_requests_are_closed),
        TEST(test_stream),
        TEST(test_stream_is_coalesced),
        TEST(test_stream_of_which_the_kernel_takes_little),
        TEST(test_stream_client_leaves),
        TEST(test_stream_client_leaves_what_the_kernel_did_not_take),
        TEST(test_stream_client_resets),
        TEST(test_stream_client_leaves_while_blocked),
        TEST(test_stream_of_http_1_0),
        TEST(test_stream_head),
        TEST(test_stream_at_the_end),
        cmocka_unit_test_setup_teardown(test_connection_limit, setup_small, teardown),
        TEST(test_no_file_descriptor_left),
        TEST(test_address_in_use),
        TEST(test_quiesce),
        TEST(test_metrics),
        cmocka_unit_test_setup_teardown(test_fallback_on_both_families, setup_dual, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
