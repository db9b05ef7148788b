/* Bodies that are pulled as the client takes them. */

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

static void look_closed(void *context)
{
    struct server_fixture *f = context;

    f->answer_again = (void *)f->stream.request;
}

static void stream_wait_closed(struct server_fixture *f)
{
    do
        loop_thread_call(&f->thread, look_closed, f);
    while (f->answer_again);
    assert_int_equal(f->stream.closed, 1);
}

static void test_stream(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    int fd = stream_open(f, &input);

    assert_contains(input.text, "Content-Type: text/event-stream\r\n");
    assert_contains(input.text, "Transfer-Encoding: chunked\r\n");
    raw_input_free(&input);
    stream_feed(f, 10, false);
    raw_read_until(fd, &input, "A\r\nxxxxxxxxxx\r\n");
    raw_input_free(&input);
    /* It is silent for longer than any other connection may be. */
    assert_in_range(server_drip(f->port, "GET /"), 10, 60);
    stream_feed(f, 3, true);
    raw_read_to_end(fd, &input);
    assert_string_equal(input.text, "3\r\nxxx\r\n0\r\n\r\n");
    raw_input_free(&input);
    stream_wait_closed(f);
    close(fd);
}

static void test_stream_is_coalesced(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    int fd = stream_open(f, &input);
    size_t size = 1 << 20;

    raw_input_free(&input);
    stream_feed(f, size, true);
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
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    struct send_buffer buffer = {.bytes = 6000};
    socklen_t len = sizeof(buffer.client);
    size_t size = 3 << 20;
    int fd = stream_open(f, &input);

    raw_input_free(&input);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&buffer.client, &len), 0);
    loop_thread_call(&f->thread, set_send_buffer, &buffer);
    f->stream.is_numbered = true; /* it is not read before it is fed */
    stream_feed(f, size, false);
    /* Woken while it waits for the kernel, it still keeps its order. */
    for (int i = 0; i < 20; i++)
        stream_feed(f, 1, i == 19);
    raw_read_to_end(fd, &input);
    assert_int_equal(raw_unchunk(input.text, input.len), size + 20);
    for (size_t i = 0; i < size + 20; i++)
        assert_int_equal(input.text[i], stream_number_byte(i));
    raw_input_free(&input);
    stream_wait_closed(f);
    close(fd);
}

/* With something still to be sent. */
static void test_stream_client_leaves_what_the_kernel_did_not_take(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    struct send_buffer buffer = {.bytes = 6000};
    socklen_t len = sizeof(buffer.client);
    int fd = stream_open(f, &input);

    raw_input_free(&input);
    assert_int_equal(getsockname(fd, (struct sockaddr *)&buffer.client, &len), 0);
    loop_thread_call(&f->thread, set_send_buffer, &buffer);
    stream_feed(f, (size_t)64 << 20, false);
    raw_read_some(fd, &input);
    raw_input_free(&input);
    close(fd);
    stream_wait_closed(f);
}

static void test_stream_client_leaves(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};

    close(stream_open(f, &input));
    raw_input_free(&input);
    stream_wait_closed(f);
}

static void test_stream_client_resets(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    struct linger now = {.l_onoff = 1};
    int fd = stream_open(f, &input);

    raw_input_free(&input);
    assert_int_equal(setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now)), 0);
    close(fd);
    stream_wait_closed(f);
}

static void test_stream_client_leaves_while_blocked(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    int fd = stream_open(f, &input);

    raw_input_free(&input);
    stream_feed(f, (size_t)64 << 20, false);
    close(fd);
    stream_wait_closed(f);
}

static void test_stream_of_http_1_0(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    int fd = raw_connect(f->port);

    raw_send(fd, "GET /stream HTTP/1.0\r\nHost: localhost\r\n\r\n");
    raw_read_until(fd, &input, "\r\n\r\nx");
    assert_null(strstr(input.text, "chunked"));
    raw_input_free(&input);
    stream_feed(f, 5000, true);
    raw_read_to_end(fd, &input);
    assert_int_equal(input.len, 5000);
    raw_input_free(&input);
    close(fd);
}

static void test_stream_head(void **state)
{
    struct server_fixture *f = *state;

    check_exchange(f->port, "HEAD /stream HTTP/1.1\r\nHost: localhost\r\n\r\n",
                   "Content-Type: text/event-stream\r\n");
    stream_wait_closed(f);
}

static void test_stream_at_the_end(void **state)
{
    struct server_fixture *f = *state;
    struct raw_input input = {0};
    int fd = stream_open(f, &input);

    raw_input_free(&input);
    server_stop(f);
    assert_int_equal(f->stream.closed, 1);
    close(fd);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, server_setup, server_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
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
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
