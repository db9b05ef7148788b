/* Requests with bodies, what is too large, and what is no request. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/common/http/server_fixture.h"

static void test_body(void **state)
{
    struct server_fixture *f = *state;

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
    struct server_fixture *f = *state;
    char request[SERVER_BODY_MAX + 400];
    int head = snprintf(request, sizeof(request),
                        "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                        "Content-Length: %d\r\n\r\n",
                        SERVER_BODY_MAX);

    memset(request + head, 'a', sizeof(request) - (size_t)head);
    request[head + SERVER_BODY_MAX] = '\0';
    check_exchange(f->port, request, "HTTP/1.1 200 ");
    head = snprintf(request, sizeof(request),
                    "POST /echo HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n"
                    "Content-Length: %d\r\n\r\n",
                    SERVER_BODY_MAX + 1);
    memset(request + head, 'a', SERVER_BODY_MAX + 1);
    request[head + SERVER_BODY_MAX + 1] = '\0';
    check_exchange(f->port, request, "HTTP/1.1 413 ");
    /* Not a byte of it is waited for. */
    check_exchange(f->port,
                   "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 99999999\r\n\r\n",
                   "HTTP/1.1 413 ");
}

static void test_chunked_body_too_large(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;
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
    struct server_fixture *f = *state;

    check_exchange(f->port, "\x16\x03\x01\x02 \r\n\r\n", "");
    check_exchange(f->port, "GET /hello HTTP/9.9\r\nHost: localhost\r\n\r\n", "HTTP/1.1 505 ");
    check_get(f->port, "/hello", "hello");
}

static void test_pipelining(void **state)
{
    struct server_fixture *f = *state;
    char *answer = raw_exchange(f->port, "GET /items/a HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                         "GET /items/b HTTP/1.1\r\nHost: localhost\r\n\r\n"
                                         "GET /items/c HTTP/1.1\r\nHost: localhost\r\n"
                                         "Connection: close\r\n\r\n");
    const char *a = strstr(answer, "<a>"), *b = strstr(answer, "<b>"), *c = strstr(answer, "<c>");

    assert_true(a && b && c && a < b && b < c);
    free(answer);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, server_setup, server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_body),       TEST(test_body_too_large),   TEST(test_chunked_body_too_large),
        TEST(test_expect),     TEST(test_header_too_large), TEST(test_not_http),
        TEST(test_pipelining),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
