#pragma once

/*
 * The newest committed events, as ready SSE frames in one ring of bytes: the ingest thread
 * publishes, the serving thread's clients copy from it. All that a client has pending lies side by
 * side, so that it goes out in one send. The ring is bounded by bytes and count; what falls out is
 * in the journal, and so is an event that is too large for it.
 *
 * hub_publish() is called by the ingest thread after COMMIT; everything else by the serving thread.
 */

#include <uv.h>

#include "receiver/journal/batch.h"
#include "receiver/query/cursor.h"
#include "receiver/query/grammar.h"
#include "receiver/stream/frame.h"

struct hub;

/* `published` runs on the loop after one or more publishes. */
MUST_CHECK int hub_new(uv_loop_t *loop, size_t ring_bytes, void (*published)(void *context),
                       void *context, struct hub **ret_hub);
void hub_free(struct hub *hub); /* by uv_close: the loop must run once more */
DEFINE_CLEANUP(struct hub *, hub_free);

/* Any thread, once, when the journal is open: events come after `last`. */
void hub_open(struct hub *hub, struct cursor last);
/* Ingest thread: the stored entries of the batch, in order of seq. */
void hub_publish(struct hub *hub, const struct batch *batch);

/* seq 0 and epoch 0 until hub_open. */
struct cursor hub_last(struct hub *hub);
/* True where the ring has all that was published after seq `after`. */
bool hub_covers(struct hub *hub, uint64_t after);

struct hub_copied {
    size_t bytes;
    unsigned events; /* whose frames ended in these bytes */
    uint64_t last;   /* seq of the last of them */
    unsigned passed; /* events that do not match, passed over */
    bool more;       /* there may be more pending than was looked at */
};

/*
 * Copies up to `max` bytes of what comes after `place`, and moves it; whole frames but the last,
 * and the first where the place is within one. `filter`: the events wanted, NULL for all. Looks at
 * a bounded number of events in one call. -ESTALE: the ring does not reach back to `place`.
 */
MUST_CHECK int hub_copy(struct hub *hub, const struct query *filter, struct frame_place *place,
                        char *out, size_t max, struct hub_copied *ret_copied);
