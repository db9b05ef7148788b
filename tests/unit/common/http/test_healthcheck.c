#include "common/http/healthcheck.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

#include <cmocka.h>

#include "common/base/clock.h"

/* The linker sends healthcheck's clock here: with `clock_jumps` its 3 s are over at once. */
int64_t __wrap_clock_monotonic_ms(void);

static bool clock_jumps;

int64_t __wrap_clock_monotonic_ms(void)
{
    static int64_t now_ms;

    now_ms += clock_jumps ? 10000 : 0;
    return now_ms;
}

/* A server of one connection, which gives a canned answer to a whole request. */
struct server {
    int fd;
    uint16_t port;
    const char *answer;
    char request[1024];
    pthread_t thread;
};

static void *serve(void *context)
{
    struct server *server = context;
    int fd = accept(server->fd, NULL, NULL);
    size_t len = 0;

    while (fd >= 0 && !strstr(server->request, "\r\n\r\n")) {
        ssize_t got = recv(fd, server->request + len, sizeof server->request - 1 - len, 0);

        if (got <= 0)
            break;
        len += (size_t)got;
    }
    if (fd >= 0) {
        /* In two pieces where it is long enough: a status may come in parts. */
        size_t size = strlen(server->answer), first = size > 11 ? 11 : size;

        send(fd, server->answer, first, MSG_NOSIGNAL);
        send(fd, server->answer + first, size - first, MSG_NOSIGNAL);
        close(fd);
    }
    return NULL;
}

static void listen_on(struct server *server, int family)
{
    struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT};
    struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    const struct sockaddr *name =
        family == AF_INET6 ? (const struct sockaddr *)&v6 : (const struct sockaddr *)&v4;
    struct sockaddr_storage bound;
    socklen_t size = sizeof bound;

    server->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    assert_true(server->fd >= 0);
    assert_int_equal(bind(server->fd, name, family == AF_INET6 ? sizeof v6 : sizeof v4), 0);
    assert_int_equal(listen(server->fd, 1), 0);
    assert_int_equal(getsockname(server->fd, (struct sockaddr *)&bound, &size), 0);
    server->port = ntohs(family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                            : ((struct sockaddr_in *)&bound)->sin_port);
}

static int check(const char *address, int family, const char *answer, struct err *e)
{
    struct server server = {.answer = answer};
    int r;

    listen_on(&server, family);
    assert_int_equal(pthread_create(&server.thread, NULL, serve, &server), 0);
    r = healthcheck_run(address, server.port, e);
    pthread_join(server.thread, NULL);
    close(server.fd);
    assert_true(strncmp(server.request, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n", 40) == 0);
    return r;
}

static void test_healthy(void **state)
{
    static const char *const answers[] = {
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nok\n",
        "HTTP/1.0 200 OK\r\n\r\n",
        "HTTP/1.1 200",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(answers); i++) {
        struct err e = {0};

        assert_int_equal(check("127.0.0.1", AF_INET, answers[i], &e), 0);
    }
}

static void test_wildcards_are_asked_on_loopback(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(check("0.0.0.0", AF_INET, "HTTP/1.1 200 OK\r\n\r\n", &e), 0);
    assert_int_equal(check("::", AF_INET6, "HTTP/1.1 200 OK\r\n\r\n", &e), 0);
}

static void test_unhealthy(void **state)
{
    static const struct {
        const char *answer;
        int r;
        const char *says;
    } cases[] = {
        {"HTTP/1.1 503 Service Unavailable\r\n\r\n", -EIO, "503"},
        {"HTTP/1.1 404 Not Found\r\n\r\n", -EIO, "404"},
        {"SSH-2.0-OpenSSH_9.2p1 200 200\r\n", -EPROTO, "no HTTP server"},
        {"HTTP/1.1 2", -EPROTO, "no HTTP server"},
        {"", -EPROTO, "no HTTP server"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};

        assert_int_equal(check("127.0.0.1", AF_INET, cases[i].answer, &e), cases[i].r);
        assert_non_null(strstr(e.msg, cases[i].says));
        assert_non_null(strstr(e.msg, "http://127.0.0.1:"));
    }
}

static void test_nobody_listens(void **state)
{
    struct server server = {0};
    struct err e = {0};

    (void)state;
    listen_on(&server, AF_INET);
    close(server.fd);
    assert_int_equal(healthcheck_run("127.0.0.1", server.port, &e), -ECONNREFUSED);
}

static void test_no_answer(void **state)
{
    struct server server = {0};
    struct err e = {0};

    (void)state;
    listen_on(&server, AF_INET);
    clock_jumps = true;
    assert_int_equal(healthcheck_run("127.0.0.1", server.port, &e), -ETIMEDOUT);
    clock_jumps = false;
    close(server.fd);
}

static void test_no_address(void **state)
{
    struct err e = {0};

    (void)state;
    assert_int_equal(healthcheck_run("localhost", 80, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_healthy),   cmocka_unit_test(test_wildcards_are_asked_on_loopback),
        cmocka_unit_test(test_unhealthy), cmocka_unit_test(test_nobody_listens),
        cmocka_unit_test(test_no_answer), cmocka_unit_test(test_no_address),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
