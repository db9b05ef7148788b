#pragma once

/* A server on a unix socket, in the test's own loop, for what no real engine does when it is wanted
 * to. It answers GET /version and GET /info by itself. */

#include <stdbool.h>
#include <stddef.h>
#include <uv.h>

#define FAKE_VERSION(version)                                                                      \
    "{\"Version\":\"" version "\",\"ApiVersion\":\"1.44\",\"MinAPIVersion\":\"1.24\","             \
    "\"Arch\":\"arm64\"}"

/* What it answers to requests that begin so ("GET /v1.44/x"). */
struct fake_reply {
    const char *request;
    const char *bytes; /* all of it, from "HTTP/1.1" on; NULL: none ever comes */
    bool ends;         /* then the connection is closed */
    size_t fill;       /* so many bytes more */
};

struct fake_engine {
    uv_loop_t *loop;
    uv_pipe_t *listener; /* NULL: stopped */
    char socket[108];
    const struct fake_reply *replies; /* ends with request NULL; asked before its own */
    const char *version;              /* JSON of GET /version; NULL: never answered */
    unsigned requests, connections;
    unsigned open; /* connections that are there now */
    struct fake_connection *first;
};

void fake_init(struct fake_engine *fake, uv_loop_t *loop);
void fake_start(struct fake_engine *fake);
void fake_stop(struct fake_engine *fake); /* the socket's file goes, connections end */
void fake_deinit(struct fake_engine *fake);
