#pragma once

/*
 * The table `incidents`, the holes in sequences above all. A hole is one row for each contiguous
 * run of messages that have not come; what comes late shrinks, splits or closes it. What is open
 * is bounded for each source and in all: beyond that, the source's last hole grows over what came
 * in between, and counts. Within the writer's transaction; the counts are in `totals` and `track`.
 */

#include "receiver/journal/schema.h"
#include "receiver/journal/tracker.h"

#define INCIDENTS_HOLES_PER_SOURCE 1000
#define INCIDENTS_HOLES_MAX        10000 /* all sources */
#define INCIDENTS_CLOSED_MAX       10000 /* rows; the oldest go beyond it */

struct incidents {
    sqlite3_stmt *open, *close_kind;
    sqlite3_stmt *hole_open, *hole_extend, *hole_find, *hole_set, *hole_close;
    sqlite3_stmt *drop_source, *prune;
};

MUST_CHECK int incidents_init(struct incidents *incidents, sqlite3 *db, struct err *e);
void incidents_deinit(struct incidents *incidents);

/* Of the receiver itself; closed_us 0: open. */
MUST_CHECK int incidents_add(struct incidents *incidents, struct totals *totals, const char *kind,
                             const char *detail, int64_t opened_us, int64_t closed_us,
                             struct err *e);
/* Closes every open one of the kind. */
MUST_CHECK int incidents_close(struct incidents *incidents, struct totals *totals, const char *kind,
                               int64_t now_us, struct err *e);

/* Where in sequences: a hole's messages, or one that came late. */
struct hole {
    const char *bootid;
    uint64_t from, to;
    int64_t now_us;
};
MUST_CHECK int incidents_hole_open(struct incidents *incidents, struct totals *totals,
                                   struct track *track, const struct hole *hole, struct err *e);
/* `hole->from` has come. Nothing happens where no open hole has it. */
MUST_CHECK int incidents_hole_fill(struct incidents *incidents, struct totals *totals,
                                   struct track *track, const struct hole *hole, struct err *e);
/* The source's row goes away: nobody will ask for what is missing. */
MUST_CHECK int incidents_drop_source(struct incidents *incidents, struct totals *totals,
                                     int64_t source_id, int64_t now_us, struct err *e);

/* Takes away closed rows beyond the bound, a few at a time. */
MUST_CHECK int incidents_prune(struct incidents *incidents, struct totals *totals, struct err *e);
