/* A real server on a loop of its own, and clients that send what they like. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/common/http/server_fixture.h"

/* ---- plain answers ---- */

static void test_answers(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;
    char *answer = raw_exchange(f->port, "HEAD /hello HTTP/1.1\r\nHost: localhost\r\n"
                                         "Connection: close\r\n\r\n");

    assert_contains(answer, "Content-Length: 6\r\n");
    assert_null(strstr(answer, "hello"));
    free(answer);
}

static void test_problems(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;

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
    struct server_fixture *f = *state;

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
    struct server_fixture *f = *state;

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

/* ---- answers that come later ---- */

static void is_deferred(void *context)
{
    struct server_fixture *f = context;

    f->answer_again = f->deferred;
}

static void answer_deferred(void *context)
{
    struct server_fixture *f = context;

    http_respond_static(f->deferred, 200, "text/plain", "late", 4, NULL);
    f->deferred = NULL;
}

static void wait_deferred(struct server_fixture *f)
{
    do
        loop_thread_call(&f->thread, is_deferred, f);
    while (!f->answer_again);
}

static void test_deferred(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *f = context;

    f->gone_seen = f->gone;
}

static void test_deferred_client_leaves(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /later HTTP/1.1\r\nHost: localhost\r\n\r\n");
    wait_deferred(f);
    server_stop(f);
    assert_int_equal(f->gone, 1);
    close(fd);
}

/* ---- beginning and end ---- */

static void test_address_in_use(void **state)
{
    struct server_fixture *f = *state;
    struct http_settings settings = server_settings(f);
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
    struct server_fixture *f = context;

    http_server_quiesce(f->server);
}

static void test_quiesce(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    int fd = stream_open(f, &input), refused = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(f->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };

    loop_thread_call(&f->thread, quiesce, f);
    assert_int_equal(connect(refused, (struct sockaddr *)&address, sizeof(address)), -1);
    raw_input_free(&input);
    stream_feed(f, 1, true);
    raw_read_to_end(fd, &input);
    assert_string_equal(input.text, "1\r\nx\r\n0\r\n\r\n");
    raw_input_free(&input);
    close(refused);
    close(fd);
}

static void test_metrics(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;

    check_get(f->port, "/style.css", "urn:bellbuoy:problem:no-file");
    check_get(f->port, "/hello", "hello");
    check_exchange(f->port,
                   "POST /style.css HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n",
                   "urn:bellbuoy:problem:not-found");
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, server_setup, server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_answers),
        TEST(test_head_has_no_body),
        TEST(test_problems),
        TEST(test_host),
        TEST(test_origin),
        TEST(test_targets),
        TEST(test_deferred),
        TEST(test_deferred_client_leaves),
        TEST(test_deferred_at_the_end),
        TEST(test_address_in_use),
        TEST(test_quiesce),
        TEST(test_metrics),
        cmocka_unit_test_setup_teardown(test_fallback_on_both_families, server_setup_dual,
                                        server_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
