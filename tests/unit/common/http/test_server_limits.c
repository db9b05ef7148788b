/* Time-outs, and how many connections there may be. */

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/common/http/server_fixture.h"

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
    struct server_fixture *f = *state;

    check_is_closed(f->port, "");
    check_is_closed(f->port, "GET /hello HT");
    check_is_closed(f->port,
                    "POST /echo HTTP/1.1\r\nHost: localhost\r\nContent-Length: 9\r\n\r\na");
    check_is_closed(f->port, "GET /hello HTTP/1.1\r\nHost: localhost\r\n\r\n");
}

static void test_slow_requests_are_closed(void **state)
{
    struct server_fixture *f = *state;

    assert_in_range(server_drip(f->port, "GET /hello HTTP/1.1\r\nHost: localhost\r\nX: "), 10, 60);
    assert_in_range(server_drip(f->port, "POST /echo HTTP/1.1\r\nHost: localhost\r\n"
                                         "Content-Length: 999\r\n\r\n"),
                    10, 60);
}

/* ---- connections ---- */

static void test_connection_limit(void **state)
{
    struct server_fixture *f = *state;
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
    struct server_fixture *fixture;
    unsigned turns;
};

static void look_turns(void *context)
{
    struct turns *t = context;

    t->turns = t->fixture->thread.turns;
}

static unsigned turns_of(struct server_fixture *f)
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
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    struct rlimit before;
    unsigned turns;
    int first, second, waiting[20];

    assert_int_equal(getrlimit(RLIMIT_NOFILE, &before), 0);
    first = stream_open(f, &input);
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

        stream_feed(f, 1, false);
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

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, server_setup, server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_silent_connections_are_closed),
        TEST(test_slow_requests_are_closed),
        cmocka_unit_test_setup_teardown(test_connection_limit, server_setup_small, server_teardown),
        TEST(test_no_file_descriptor_left),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
