#include "common/http/admin.h"

#include <arpa/inet.h>
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATIENCE_MS 10000
#define CONNECTIONS 32

/* The linker sends the server's uv_timer_start here: its 5 s become what a test needs. */
int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);

#define NEVER_MS (4 * PATIENCE_MS)

static uint64_t timeout_ms;

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    assert_int_equal(timeout, 5000);
    return __real_uv_timer_start(timer, cb, timeout_ms, repeat);
}

struct bench {
    uv_loop_t loop;
    struct metrics *metrics;
    struct admin *admin;
    const char *why_not; /* NULL: ready */
    const char *warning; /* while ready; NULL: none */
    char answer[65536];
};

static bool ready(void *context, char *reason, size_t size)
{
    const struct bench *b = context;

    if (b->why_not)
        snprintf(reason, size, "%s", b->why_not);
    else if (b->warning)
        snprintf(reason, size, "%s", b->warning);
    return !b->why_not;
}

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);
    struct err e = {0};

    assert_non_null(b);
    timeout_ms = NEVER_MS;
    assert_int_equal(uv_loop_init(&b->loop), 0);
    assert_int_equal(metrics_new(&b->metrics), 0);
    assert_int_equal(admin_new(&b->loop,
                               &(struct admin_settings){.address = "127.0.0.1:0",
                                                        .metrics = b->metrics,
                                                        .check = "broker",
                                                        .ready = ready,
                                                        .context = b},
                               &b->admin, &e),
                     0);
    *state = b;
    return 0;
}

/* The loop ends by itself: nothing of the server is left in it. */
static int teardown(void **state)
{
    struct bench *b = *state;

    admin_free(b->admin);
    assert_int_equal(uv_run(&b->loop, UV_RUN_DEFAULT), 0);
    assert_int_equal(uv_loop_close(&b->loop), 0);
    metrics_free(b->metrics);
    free(b);
    return 0;
}

static int connect_to(const struct bench *b)
{
    struct sockaddr_in name = {.sin_family = AF_INET,
                               .sin_port = htons(admin_port(b->admin)),
                               .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

    assert_true(fd >= 0);
    assert_int_equal(connect(fd, (const struct sockaddr *)&name, sizeof name), 0);
    return fd;
}

/* Runs the loop until the socket has something to read or ended. */
static void run_until_readable(struct bench *b, int fd)
{
    for (int waited_ms = 0; waited_ms < PATIENCE_MS; waited_ms++) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};

        uv_run(&b->loop, UV_RUN_NOWAIT);
        if (poll(&pollfd, 1, 1) == 1)
            return;
    }
    fail_msg("no answer");
}

/* Sends and reads to the end; "" where the connection was dropped. */
static const char *exchange(struct bench *b, int fd, const char *request, size_t size)
{
    size_t len = 0;
    ssize_t got = 1;

    if (size > 0)
        assert_int_equal(send(fd, request, size, MSG_NOSIGNAL), size);
    while (got > 0) {
        run_until_readable(b, fd);
        got = recv(fd, b->answer + len, sizeof b->answer - 1 - len, 0);
        len += got > 0 ? (size_t)got : 0;
    }
    b->answer[len] = '\0';
    close(fd);
    return b->answer;
}

static const char *ask(struct bench *b, const char *request)
{
    return exchange(b, connect_to(b), request, strlen(request));
}

static void test_health(void **state)
{
    assert_string_equal(ask(*state, "GET /healthz HTTP/1.1\r\nHost: probe\r\n\r\n"),
                        "HTTP/1.1 200 OK\r\n"
                        "Content-Type: text/plain; charset=utf-8\r\n"
                        "Content-Length: 3\r\n"
                        "Cache-Control: no-store\r\n"
                        "Connection: close\r\n"
                        "\r\n"
                        "ok\n");
}

static void test_head_has_no_body(void **state)
{
    const char *answer = ask(*state, "HEAD /healthz HTTP/1.0\r\n\r\n");

    assert_non_null(strstr(answer, "Content-Length: 3\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n"), "\r\n\r\n");
}

static void test_ready(void **state)
{
    struct bench *b = *state;
    const char *answer = ask(b, "GET /readyz HTTP/1.1\r\n\r\n");

    assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    assert_string_equal(
        strstr(answer, "\r\n\r\n") + 4,
        "{\"ready\":true,\"checks\":[{\"name\":\"broker\",\"ok\":true,\"reason\":null}]}\n");

    b->warning = "soon";
    answer = ask(b, "GET /readyz HTTP/1.1\r\n\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(answer, "\"ok\":true,\"reason\":\"soon\"}"));

    b->why_not = "the broker \"b\" is away";
    answer = ask(b, "GET /readyz?verbose HTTP/1.1\r\n\r\n");
    assert_non_null(strstr(answer, "HTTP/1.1 503 Service Unavailable\r\n"));
    assert_non_null(strstr(answer, "Content-Type: application/json\r\n"));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4,
                        "{\"ready\":false,\"checks\":[{\"name\":\"broker\",\"ok\":false,"
                        "\"reason\":\"the broker \\\"b\\\" is away\"}]}\n");
}

static void test_metrics(void **state)
{
    struct bench *b = *state;
    const char *answer;

    metric_add(metrics_counter(b->metrics, "bellbuoy_x_total", NULL, "X."), 3);
    answer = ask(b, "GET /metrics HTTP/1.1\r\n\r\n");
    assert_non_null(strstr(answer, "\r\nContent-Type: text/plain; version=0.0.4; charset=utf-8"));
    assert_string_equal(strstr(answer, "\r\n\r\n") + 4, "# HELP bellbuoy_x_total X.\n"
                                                        "# TYPE bellbuoy_x_total counter\n"
                                                        "bellbuoy_x_total 3\n");
}

/* A page of many writes goes out whole. */
static void test_large_answer(void **state)
{
    struct bench *b = *state;
    static char names[900][32];
    const char *answer, *length;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        snprintf(names[i], sizeof names[i], "gauge_%zu", i);
        metrics_gauge(b->metrics, names[i], NULL, "G.");
    }
    answer = ask(b, "GET /metrics HTTP/1.1\r\n\r\n");
    length = strstr(answer, "Content-Length: ");
    assert_non_null(length);
    assert_int_equal(strtoul(length + 16, NULL, 10), strlen(strstr(answer, "\r\n\r\n") + 4));
    assert_true(strlen(answer) > 30000);
}

static void test_refused(void **state)
{
    static const struct {
        const char *request, *answer;
    } cases[] = {
        {"GET / HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
        {"GET /healthz/ HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
        {"GET /../etc/passwd HTTP/1.1\r\n\r\n", "HTTP/1.1 404 Not Found\r\n"},
        {"POST /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n"},
        {"get /healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 405 Method Not Allowed\r\n"},
        {"GET /healthz\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET http://x/healthz HTTP/1.1\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"GET /healthz HTTP/2.0\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {"\r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
        {" \r\n\r\n", "HTTP/1.1 400 Bad Request\r\n"},
    };

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *answer = ask(*state, cases[i].request);

        if (strncmp(answer, cases[i].answer, strlen(cases[i].answer)) != 0)
            fail_msg("%s: %s", cases[i].request, answer);
        assert_non_null(strstr(answer, "Content-Type: application/problem+json\r\n"));
        assert_int_equal(strstr(answer, "405") != NULL,
                         strstr(answer, "Allow: GET, HEAD\r\n") != NULL);
    }
    assert_string_equal(strstr(ask(*state, "GET / HTTP/1.1\r\n\r\n"), "\r\n\r\n") + 4,
                        "{\"type\":\"about:blank\",\"title\":\"Not Found\",\"status\":404}\n");
}

/* Whatever the pieces that a request comes in, it is answered once it is whole. */
static void test_request_in_pieces(void **state)
{
    static const char request[] = "GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n";
    struct bench *b = *state;
    int fd = connect_to(b);

    for (size_t i = 0; i < sizeof request - 2; i++) {
        assert_int_equal(send(fd, request + i, 1, MSG_NOSIGNAL), 1);
        uv_run(&b->loop, UV_RUN_NOWAIT);
    }
    assert_non_null(strstr(exchange(b, fd, "\n", 1), "\r\n\r\nok\n"));
}

static void test_dropped(void **state)
{
    static char large[4096 + 1];

    memset(large, 'x', sizeof large);
    memcpy(large, "GET /healthz HTTP/1.1\r\nA: ", 26);
    assert_string_equal(exchange(*state, connect_to(*state), large, sizeof large), "");
    assert_string_equal(exchange(*state, connect_to(*state), "GET /healthz\0 HTTP/1.1\r\n\r\n", 26),
                        "");
}

static void test_slow_request_is_dropped(void **state)
{
    struct bench *b = *state;

    timeout_ms = 50;
    assert_string_equal(ask(b, "GET /healthz HTTP/1.1\r\n"), "");
    assert_string_equal(ask(b, ""), "");
}

/* The connections that are there keep their place; one more is dropped. */
static void test_too_many_connections(void **state)
{
    struct bench *b = *state;
    int fds[CONNECTIONS];

    for (size_t i = 0; i < CONNECTIONS; i++) {
        fds[i] = connect_to(b);
        uv_run(&b->loop, UV_RUN_NOWAIT);
    }
    assert_string_equal(exchange(b, connect_to(b), "", 0), "");
    for (size_t i = 0; i < CONNECTIONS; i++)
        assert_non_null(strstr(exchange(b, fds[i], "GET /healthz HTTP/1.1\r\n\r\n", 25), "200 OK"));
    assert_non_null(strstr(ask(b, "GET /healthz HTTP/1.1\r\n\r\n"), "200 OK"));
}

/* What is open ends with the server, and the loop has nothing left of it. */
static void test_free_with_open_connections(void **state)
{
    struct bench *b = *state;
    int fd = connect_to(b);
    char byte;

    assert_int_equal(send(fd, "GET ", 4, MSG_NOSIGNAL), 4);
    uv_run(&b->loop, UV_RUN_NOWAIT);
    admin_free(b->admin);
    b->admin = NULL;
    assert_int_equal(uv_run(&b->loop, UV_RUN_NOWAIT), 0);
    assert_true(recv(fd, &byte, 1, MSG_DONTWAIT) <= 0 && errno != EAGAIN);
    close(fd);
}

static void test_bad_settings(void **state)
{
    struct bench *b = *state;
    struct admin_settings settings = {.metrics = b->metrics, .ready = ready, .context = b};
    struct admin *other = NULL;
    struct err e = {0};
    char address[64];

    settings.address = "localhost:9090";
    assert_int_equal(admin_new(&b->loop, &settings, &other, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "localhost"));
    settings.address = "9090";
    assert_int_equal(admin_new(&b->loop, &settings, &other, &e), -EINVAL);
    settings.address = address;
    snprintf(address, sizeof address, "127.0.0.1:%u", (unsigned)admin_port(b->admin));
    assert_int_equal(admin_new(&b->loop, &settings, &other, &e), -EADDRINUSE);
    assert_non_null(strstr(e.msg, address));
    assert_null(other);
}

static void test_no_address(void **state)
{
    struct bench *b = *state;
    const struct admin_settings settings = {.address = "", .metrics = b->metrics};
    struct admin *other = b->admin;
    struct err e = {0};

    assert_int_equal(admin_new(&b->loop, &settings, &other, &e), 0);
    assert_null(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_health, setup, teardown),
        cmocka_unit_test_setup_teardown(test_head_has_no_body, setup, teardown),
        cmocka_unit_test_setup_teardown(test_ready, setup, teardown),
        cmocka_unit_test_setup_teardown(test_metrics, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_answer, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(test_request_in_pieces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_slow_request_is_dropped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_too_many_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(test_free_with_open_connections, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bad_settings, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_address, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
