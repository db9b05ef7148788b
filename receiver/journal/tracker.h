#pragma once

/*
 * What is known of each source: its counts, its last event, how far its sequence is. The newest
 * 20,000 are in memory, all are in the table `sources`; what a transaction changed is written at
 * its end, and forgotten (to be read again) when it fails. The writer's thread only.
 */

#include <stdbool.h>
#include <utlist.h>

/* A failed allocation of the hash is an error to report, not an exit. */
#define HASH_NONFATAL_OOM 1
#include <uthash.h>

#include "common/cloudevent/event.h"
#include "receiver/journal/db.h"

struct track {
    int64_t source_id;
    bool is_new; /* no row yet */
    bool dirty;  /* differs from its row */
    uint64_t count, last_seq;
    int64_t first_seen_us, last_seen_us;
    int64_t last_time_us; /* of the last event that was not late */
    char *last_type;
    char color[EVENT_COLOR_SIZE];
    bool has_run; /* bootid and highest are set; a source without boot ids has "" */
    char bootid[EVENT_BOOTID_MAX + 1];
    uint64_t highest; /* sequence */
    uint64_t missing; /* messages in open holes */
    uint64_t holes;   /* open holes, as rows of `incidents` */
    uint64_t late, duplicates;

    struct track *prev, *next; /* by use, the oldest first */
    UT_hash_handle hh;
    char source[]; /* key */
};

struct tracker;

MUST_CHECK int tracker_new(sqlite3 *db, struct tracker **ret_tracker, struct err *e);
void tracker_free(struct tracker *tracker);
DEFINE_CLEANUP(struct tracker *, tracker_free);

/* The source's track, from memory, from its row, or new with an id of its own. Valid until
 * tracker_commit() or tracker_rollback(). */
MUST_CHECK int tracker_find(struct tracker *tracker, const char *source, size_t len,
                            struct track **ret_track, struct err *e);
/* Marks as changed: to be written by tracker_flush(). */
MUST_CHECK int tracker_touch(struct tracker *tracker, struct track *track, struct err *e);

/* How a sequence stands to what its source and boot id sent before. */
enum arrival {
    ARRIVAL_FIRST, /* of its boot id: wherever it starts is the start */
    ARRIVAL_NEXT,
    ARRIVAL_JUMP, /* ret_highest + 1 to sequence - 1 have not come */
    ARRIVAL_LATE, /* at or below the highest */
};
MUST_CHECK int tracker_classify(struct tracker *tracker, const struct track *track,
                                const char *bootid, uint64_t sequence, enum arrival *ret_arrival,
                                uint64_t *ret_highest, struct err *e);
/* Takes a stored event's sequence that is not late as the boot id's highest; `seq` is its place. */
MUST_CHECK int tracker_advance(struct tracker *tracker, struct track *track, const char *bootid,
                               uint64_t sequence, uint64_t seq, struct err *e);

/* Within the transaction: writes the touched rows. *ret_new: how many rows are new. */
MUST_CHECK int tracker_flush(struct tracker *tracker, uint64_t *ret_new, struct err *e);
void tracker_commit(struct tracker *tracker);
void tracker_rollback(struct tracker *tracker);

/* The highest id that a source has. */
int64_t tracker_last_id(const struct tracker *tracker);

/* A source whose row goes away. */
void tracker_forget(struct tracker *tracker, const char *source);
