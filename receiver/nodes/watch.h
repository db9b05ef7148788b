#pragma once

/*
 * GET /api/v1/nodes/stream: who follows the nodes live. Each watcher is a version of the registry:
 * it is sent what changed since, each node once and as it is now, so that a slow one misses
 * steps in between and never the end. Apart from the stream of events, whose cursors these are not.
 * Serving thread only.
 */

#include <uv.h>

#include "common/base/clock.h"
#include "common/http/server.h"
#include "receiver/nodes/registry.h"

struct watch;

/* Watchers at once: people before the page, not a fleet. */
#define WATCH_CLIENTS_MAX 1000

struct watch_settings {
    uv_loop_t *loop;
    struct registry *registry; /* whose changes it listens to */
    int64_t heartbeat_ms;
    const struct clock *clock;
    const struct random_source *random; /* for the jitter of retry: */
    struct metrics *metrics;
};

MUST_CHECK int watch_new(const struct watch_settings *settings, struct watch **ret_watch,
                         struct err *e);
/* After the server and the ingest thread. By uv_close: the loop must run once more. */
void watch_free(struct watch *watch);
DEFINE_CLEANUP(struct watch *, watch_free);
/* Once: whose connections are run after a batch of wakes. */
void watch_set_server(struct watch *watch, struct http_server *server);
/* The route's handler. */
void watch_handle(struct watch *watch, struct http_request *request);
/* Ends every stream cleanly, refuses new ones with 503. */
void watch_quiesce(struct watch *watch);
