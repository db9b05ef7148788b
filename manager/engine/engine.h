#pragma once

/*
 * One Docker engine behind its unix socket (Docker Engine API 1.41 and on; the version is
 * negotiated at each connection: the lower of the engine's and ours). libcurl's multi interface in
 * a libuv loop: nothing blocks, calls run side by side.
 *
 * Every call ends in exactly one `done`, never before the function that started it returned, unless
 * it was cancelled. One thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/error.h"

#define ENGINE_API_OLDEST 41 /* 1.41: Docker 20.10 */
#define ENGINE_API_NEWEST 51 /* 1.51: Docker 28 */
#define ENGINE_REPLY_MAX  (32 << 20)
#define ENGINE_TIMEOUT_MS 30000
#define ENGINE_ANSWER_MS  10000

enum engine_state { ENGINE_DOWN, ENGINE_UP };

struct engine;
struct engine_call;

struct engine_settings {
    uv_loop_t *loop;
    const char *socket; /* path; DOCKER_HOST=unix:// in the options */
    /* Up: answered and negotiated. Down: `reason` says why. It is asked again with backoff, 30 s at
     * most, and at once when the socket's file appears. */
    void (*changed)(void *context, enum engine_state state, const char *reason);
    void *context;
    int64_t answer_ms; /* that its first answer may take; 0: ENGINE_ANSWER_MS */
};

MUST_CHECK int engine_new(const struct engine_settings *settings, struct engine **ret_engine,
                          struct err *e);
/* Cancels all calls; by uv_close: the loop must run once more. Whoever holds a call (pulls, events,
 * logs, too) is ended before. Accepts NULL. */
void engine_stop(struct engine *engine);
void engine_free(struct engine *engine);
DEFINE_CLEANUP(struct engine *, engine_free);

enum engine_state engine_state(const struct engine *engine);
const char *engine_version(const struct engine *engine);      /* "28.5.2"; "" while not known */
int engine_api_minor(const struct engine *engine);            /* 51; 0 while not known */
const char *engine_architecture(const struct engine *engine); /* "amd64" */
const char *engine_data_root(const struct engine *engine);    /* from /info; "" while not known */

struct engine_request {
    const char *method;        /* "GET", "POST", "DELETE" */
    const char *path;          /* from behind the version, with query: "/containers/json?all=1" */
    const char *body;          /* JSON; NULL: none. Copied, as all here */
    const char *registry_auth; /* X-Registry-Auth; NULL: none */
    int64_t timeout_ms;        /* of the whole; 0: ENGINE_TIMEOUT_MS; -1: none (streams, stops) */
    int64_t idle_ms;           /* without a byte; 0: none */
};

struct engine_reply {
    int status;       /* of HTTP; 0: no reply (engine away, cut, timed out, too long) */
    const char *body; /* NUL-terminated; valid during `done`; "" for a stream */
    size_t size;
    const char *message; /* for a failure (status 0 or 400 and up): the engine's own or why there is
                            no reply; else "" */
    bool timed_out;      /* status 0 because of timeout_ms or idle_ms */
};

typedef void (*engine_done)(void *context, const struct engine_reply *reply);
/* A part of a reply with status below 400, as it comes; first one of size 0 when it begins. */
typedef void (*engine_data)(void *context, const char *bytes, size_t size);

/* -ENOMEM. With the engine away `done` tells so. `ret_call` may be NULL. */
MUST_CHECK int engine_call(struct engine *engine, const struct engine_request *request,
                           engine_done done, void *context, struct engine_call **ret_call);
MUST_CHECK int engine_stream(struct engine *engine, const struct engine_request *request,
                             engine_data data, engine_done done, void *context,
                             struct engine_call **ret_call);
/* No `done` comes any more. Accepts NULL. */
void engine_cancel(struct engine_call *call);

/* Requests that may change something, sent since the start. */
uint64_t engine_writes(const struct engine *engine);

static inline bool engine_reply_ok(const struct engine_reply *reply)
{
    return reply->status >= 200 && reply->status < 300;
}
