#pragma once

/*
 * Takes away what is older or more than the settings keep, from the low end of the places only, in
 * steps of a few milliseconds. The pages become free for new rows; the file does not shrink. The
 * writer's thread only.
 */

#include "common/base/clock.h"
#include "receiver/journal/writer.h"

struct retention {
    int64_t age_us;    /* 0: no bound */
    int64_t max_bytes; /* 0: no bound */
    const struct clock *clock;
    struct writer *writer;
    int64_t size_bytes;    /* as of the last look */
    int64_t swept_id;      /* sources up to this one were looked at in this round */
    int64_t next_sweep_ms; /* monotonic */
    sqlite3_stmt *first_kept, *delete_events, *delete_blocks;
    sqlite3_stmt *idle_sources, *delete_source, *delete_runs;
};

MUST_CHECK int retention_init(struct retention *retention, struct writer *writer, int64_t age_ms,
                              int64_t max_bytes, const struct clock *clock, struct err *e);
void retention_deinit(struct retention *retention);

/* A step: > 0 if there is more to do. */
MUST_CHECK int retention_step(struct retention *retention, struct err *e);
