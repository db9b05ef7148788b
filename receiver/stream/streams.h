#pragma once

/*
 * GET /api/v1/stream: all SSE clients. Each is a cursor: live ones copy from the hub's ring, one
 * that falls behind reads the journal at its own pace and splices back, without hole or repeat and
 * in bounded memory. Serving thread only.
 */

#include "common/base/random.h"
#include "common/http/server.h"
#include "receiver/journal/reads.h"
#include "receiver/stream/hub.h"

struct streams;

struct streams_settings {
    uv_loop_t *loop;
    struct reads *reads;
    size_t ring_bytes; /* of the hub that streams_new makes; 0: 8 MiB */
    unsigned max_clients;
    int64_t heartbeat_ms;
    const struct random_source *random; /* for the jitter of retry: */
    struct metrics *metrics;
};

MUST_CHECK int streams_new(const struct streams_settings *settings, struct streams **ret_streams,
                           struct err *e);
/* After the server and the reads: no client and no read is left. By uv_close: the loop must run
 * once more. */
void streams_free(struct streams *streams);
DEFINE_CLEANUP(struct streams *, streams_free);
struct hub *streams_hub(const struct streams *streams);
/* The route's handler. */
void streams_handle(struct streams *streams, struct http_request *request);
/* Set once, after the server is made: whose connections are run after a batch of wakes. Where the
 * server may hold fewer connections than max_clients and some others, there may be fewer clients.
 */
void streams_set_server(struct streams *streams, struct http_server *server);
struct streams_counts {
    unsigned live, replaying;
    unsigned max;
};
struct streams_counts streams_count(const struct streams *streams);
/* Ends every stream cleanly (the client reconnects after its jittered retry:), refuses new ones
 * with 503. */
void streams_quiesce(struct streams *streams);
