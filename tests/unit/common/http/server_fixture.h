#pragma once

/* A real server on a loop of its own, with a handler for each way to answer. Its time-out is 1 s.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "common/http/server.h"
#include "tests/unit/common/http/loop_thread.h"
#include "tests/unit/common/http/raw_client.h"

#define SERVER_BODY_MAX 1000

struct stream {
    struct http_request *request;
    size_t pending; /* bytes to give */
    size_t largest; /* that one read gave */
    size_t given;   /* where it is numbered */
    bool is_numbered;
    bool end;
    unsigned closed;
};

struct server_fixture {
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

#define assert_contains(text, needle)                                                              \
    do {                                                                                           \
        if (!strstr(text, needle))                                                                 \
            fail_msg("no '%s' in:\n%s", needle, text);                                             \
    } while (0)

/* For cmocka; *state is a struct server_fixture. The small one has room for three connections, the
 * dual one both families of addresses and a fallback. */
int server_setup(void **state);
int server_setup_small(void **state);
int server_setup_dual(void **state);
int server_teardown(void **state);
/* Before the teardown, where the end is what is tested. */
void server_stop(struct server_fixture *f);
struct http_settings server_settings(struct server_fixture *f);

/* The answer to a request on a connection of its own has `needle` in it. */
void check_get(uint16_t port, const char *target, const char *needle);
void check_exchange(uint16_t port, const char *request, const char *needle);
/* Sends `head`, then a byte every 100 ms until the server closes, so that the connection is never
 * silent for long: how many. */
unsigned server_drip(uint16_t port, const char *head);

/* GET /stream, read up to its first byte. */
int stream_open(struct server_fixture *f, struct raw_input *input);
/* Gives the stream so many more bytes to send, and perhaps its end. */
void stream_feed(struct server_fixture *f, size_t pending, bool end);
/* What stands at that place of a stream that is numbered. */
char stream_number_byte(size_t place);
