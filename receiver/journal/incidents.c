#include "receiver/journal/incidents.h"

#include <string.h>

#define PRUNE_STEP 200

#define OPEN       "INSERT INTO incidents(kind, detail, opened_us, closed_us) VALUES(?1, ?2, ?3, ?4)"
#define CLOSE_KIND "UPDATE incidents SET closed_us = ?2 WHERE kind = ?1 AND closed_us = 0"
#define HOLE_OPEN                                                                                  \
    "INSERT INTO incidents(kind, source_id, source, bootid, from_seq, to_seq, missing, opened_us," \
    " closed_us) VALUES('sequence_hole', ?1, ?2, ?3, ?4, ?5, ?6, ?7, 0)"
#define HOLE_EXTEND                                                                                \
    "UPDATE incidents SET to_seq = ?3, missing = missing + ?4 WHERE id = (SELECT id FROM"          \
    " incidents WHERE source_id = ?1 AND bootid = ?2 AND closed_us = 0"                            \
    " ORDER BY from_seq DESC LIMIT 1)"
#define HOLE_FIND                                                                                  \
    "SELECT id, from_seq, to_seq, missing, opened_us FROM incidents WHERE source_id = ?1"          \
    " AND bootid = ?2 AND closed_us = 0 AND from_seq <= ?3 ORDER BY from_seq DESC LIMIT 1"
#define HOLE_SET    "UPDATE incidents SET from_seq = ?2, to_seq = ?3, missing = ?4 WHERE id = ?1"
#define HOLE_CLOSE  "UPDATE incidents SET missing = 0, closed_us = ?2 WHERE id = ?1"
#define DROP_SOURCE "UPDATE incidents SET closed_us = ?2 WHERE source_id = ?1 AND closed_us = 0"
#define PRUNE                                                                                      \
    "DELETE FROM incidents WHERE id IN (SELECT id FROM incidents WHERE closed_us != 0"             \
    " ORDER BY id LIMIT ?1)"

int incidents_init(struct incidents *incidents, sqlite3 *db, struct err *e)
{
    const struct db_statement statements[] = {
        {&incidents->open, OPEN},
        {&incidents->close_kind, CLOSE_KIND},
        {&incidents->hole_open, HOLE_OPEN},
        {&incidents->hole_extend, HOLE_EXTEND},
        {&incidents->hole_find, HOLE_FIND},
        {&incidents->hole_set, HOLE_SET},
        {&incidents->hole_close, HOLE_CLOSE},
        {&incidents->drop_source, DROP_SOURCE},
        {&incidents->prune, PRUNE},
    };
    *incidents = (struct incidents){0};
    return db_prepare_all(db, statements, ARRAY_SIZE(statements), e);
}

void incidents_deinit(struct incidents *incidents)
{
    sqlite3_finalize(incidents->open);
    sqlite3_finalize(incidents->close_kind);
    sqlite3_finalize(incidents->hole_open);
    sqlite3_finalize(incidents->hole_extend);
    sqlite3_finalize(incidents->hole_find);
    sqlite3_finalize(incidents->hole_set);
    sqlite3_finalize(incidents->hole_close);
    sqlite3_finalize(incidents->drop_source);
    sqlite3_finalize(incidents->prune);
    *incidents = (struct incidents){0};
}

static uint64_t changes(sqlite3_stmt *stmt)
{
    return (uint64_t)sqlite3_changes64(sqlite3_db_handle(stmt));
}

static void count_closed(struct totals *totals, uint64_t rows)
{
    totals->incidents_open -= rows;
    totals->incidents_closed += rows;
}

int incidents_add(struct incidents *incidents, struct totals *totals, const char *kind,
                  const char *detail, int64_t opened_us, int64_t closed_us, struct err *e)
{
    db_bind_text(incidents->open, 1, kind, strlen(kind));
    db_bind_text(incidents->open, 2, detail, strlen(detail));
    db_bind_int(incidents->open, 3, opened_us);
    db_bind_int(incidents->open, 4, closed_us);
    int r = db_run(incidents->open, e);
    if (r < 0) {
        return r;
    }
    totals->incidents_open += closed_us == 0;
    totals->incidents_closed += closed_us != 0;
    return 0;
}

int incidents_close(struct incidents *incidents, struct totals *totals, const char *kind,
                    int64_t now_us, struct err *e)
{
    db_bind_text(incidents->close_kind, 1, kind, strlen(kind));
    db_bind_int(incidents->close_kind, 2, now_us);
    int r = db_run(incidents->close_kind, e);
    if (r == 0) {
        count_closed(totals, changes(incidents->close_kind));
    }
    return r;
}

static int hole_insert(struct incidents *incidents, const struct track *track, const char *bootid,
                       const struct hole *hole, struct err *e)
{
    sqlite3_stmt *stmt = incidents->hole_open;
    db_bind_int(stmt, 1, track->source_id);
    db_bind_text(stmt, 2, track->source, strlen(track->source));
    db_bind_text(stmt, 3, bootid, strlen(bootid));
    db_bind_int(stmt, 4, (int64_t)hole->from);
    db_bind_int(stmt, 5, (int64_t)hole->to);
    db_bind_int(stmt, 6, (int64_t)(hole->to - hole->from + 1));
    db_bind_int(stmt, 7, hole->now_us);
    return db_run(stmt, e);
}

/* Joins the source's last hole; one that has none to join is counted, not listed. */
static int hole_extend(struct incidents *incidents, const struct track *track,
                       const struct hole *hole, struct err *e)
{
    sqlite3_stmt *stmt = incidents->hole_extend;
    db_bind_int(stmt, 1, track->source_id);
    db_bind_text(stmt, 2, hole->bootid, strlen(hole->bootid));
    db_bind_int(stmt, 3, (int64_t)hole->to);
    db_bind_int(stmt, 4, (int64_t)(hole->to - hole->from + 1));
    return db_run(stmt, e);
}

static bool has_room(const struct totals *totals, const struct track *track)
{
    return track->holes < INCIDENTS_HOLES_PER_SOURCE && totals->holes_open < INCIDENTS_HOLES_MAX;
}

static void count_hole(struct totals *totals, struct track *track)
{
    track->holes++;
    totals->holes_open++;
    totals->incidents_open++;
}

int incidents_hole_open(struct incidents *incidents, struct totals *totals, struct track *track,
                        const struct hole *hole, struct err *e)
{
    uint64_t missing = hole->to - hole->from + 1;
    bool room = has_room(totals, track);
    int r = room ? hole_insert(incidents, track, hole->bootid, hole, e)
                 : hole_extend(incidents, track, hole, e);
    if (r < 0) {
        return r;
    }
    if (room) {
        count_hole(totals, track);
    }
    track->missing += missing;
    totals->missing += missing;
    return 0;
}

/* A row of an open hole. */
struct open_hole {
    int64_t id;
    uint64_t from, to, missing;
    int64_t opened_us;
};

/* > 0: found. */
static int hole_find(struct incidents *incidents, const struct track *track,
                     const struct hole *late, struct open_hole *ret_hole, struct err *e)
{
    sqlite3_stmt *stmt = incidents->hole_find;
    db_bind_int(stmt, 1, track->source_id);
    db_bind_text(stmt, 2, late->bootid, strlen(late->bootid));
    db_bind_int(stmt, 3, (int64_t)late->from);
    int r = db_step(stmt, e);
    if (r <= 0) {
        return r;
    }
    *ret_hole = (struct open_hole){
        .id = sqlite3_column_int64(stmt, 0),
        .from = (uint64_t)sqlite3_column_int64(stmt, 1),
        .to = (uint64_t)sqlite3_column_int64(stmt, 2),
        .missing = (uint64_t)sqlite3_column_int64(stmt, 3),
        .opened_us = sqlite3_column_int64(stmt, 4),
    };
    sqlite3_reset(stmt);
    return late->from <= ret_hole->to;
}

static int hole_set(struct incidents *incidents, const struct open_hole *hole, struct err *e)
{
    db_bind_int(incidents->hole_set, 1, hole->id);
    db_bind_int(incidents->hole_set, 2, (int64_t)hole->from);
    db_bind_int(incidents->hole_set, 3, (int64_t)hole->to);
    db_bind_int(incidents->hole_set, 4, (int64_t)hole->missing);
    return db_run(incidents->hole_set, e);
}

static int hole_close(struct incidents *incidents, struct totals *totals, struct track *track,
                      const struct open_hole *hole, int64_t now_us, struct err *e)
{
    db_bind_int(incidents->hole_close, 1, hole->id);
    db_bind_int(incidents->hole_close, 2, now_us);
    int r = db_run(incidents->hole_close, e);
    if (r == 0) {
        track->holes--;
        totals->holes_open--;
        count_closed(totals, 1);
    }
    return r;
}

/* The upper part becomes a hole of its own, as old as the whole. */
static int hole_split(struct incidents *incidents, struct totals *totals, struct track *track,
                      struct open_hole *hole, const struct hole *late, struct err *e)
{
    struct hole upper = {late->bootid, late->from + 1, hole->to, hole->opened_us};
    int r = hole_insert(incidents, track, late->bootid, &upper, e);
    if (r < 0) {
        return r;
    }
    count_hole(totals, track);
    hole->to = late->from - 1;
    hole->missing = hole->to - hole->from + 1;
    return hole_set(incidents, hole, e);
}

/* Takes one message out of the hole. One that has grown over others keeps its bounds: which of its
 * messages came is not known, only how many. */
static int hole_take(struct incidents *incidents, struct totals *totals, struct track *track,
                     struct open_hole *hole, const struct hole *late, struct err *e)
{
    bool exact = hole->missing == hole->to - hole->from + 1;
    if (hole->missing <= 1) {
        return hole_close(incidents, totals, track, hole, late->now_us, e);
    }
    bool inside = late->from > hole->from && late->from < hole->to;
    if (exact && inside && has_room(totals, track)) {
        return hole_split(incidents, totals, track, hole, late, e);
    }
    if (exact && !inside) {
        hole->from += late->from == hole->from;
        hole->to -= late->from == hole->to;
    }
    hole->missing--;
    return hole_set(incidents, hole, e);
}

int incidents_hole_fill(struct incidents *incidents, struct totals *totals, struct track *track,
                        const struct hole *late, struct err *e)
{
    struct open_hole hole;
    int r = track->holes == 0 ? 0 : hole_find(incidents, track, late, &hole, e);
    if (r <= 0) {
        return r;
    }
    r = hole_take(incidents, totals, track, &hole, late, e);
    if (r < 0) {
        return r;
    }
    track->missing--;
    totals->missing--;
    return 0;
}

int incidents_drop_source(struct incidents *incidents, struct totals *totals, int64_t source_id,
                          int64_t now_us, struct err *e)
{
    db_bind_int(incidents->drop_source, 1, source_id);
    db_bind_int(incidents->drop_source, 2, now_us);
    int r = db_run(incidents->drop_source, e);
    if (r == 0) {
        uint64_t rows = changes(incidents->drop_source);
        totals->holes_open -= rows;
        count_closed(totals, rows);
    }
    return r;
}

int incidents_prune(struct incidents *incidents, struct totals *totals, struct err *e)
{
    if (totals->incidents_closed <= INCIDENTS_CLOSED_MAX) {
        return 0;
    }
    uint64_t excess = totals->incidents_closed - INCIDENTS_CLOSED_MAX;
    db_bind_int(incidents->prune, 1, (int64_t)(excess < PRUNE_STEP ? excess : PRUNE_STEP));
    int r = db_run(incidents->prune, e);
    if (r == 0) {
        totals->incidents_closed -= changes(incidents->prune);
    }
    return r;
}
