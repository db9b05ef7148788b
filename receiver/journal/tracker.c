#include "receiver/journal/tracker.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* In memory: about 400 bytes each. Above what one batch can touch. */
#define TRACKS_MAX 20000
/* Former boot ids kept of a source: a late message of one of them is still told from a new one. */
#define RUNS_MAX "4"

struct tracker {
    sqlite3 *db;
    struct track *by_source;
    struct track *by_use;
    struct track **touched;
    size_t touched_count, touched_capacity;
    int64_t last_source_id;
    sqlite3_stmt *load, *insert, *update, *run_find, *run_save, *run_prune;
};

#define LOAD                                                                                       \
    "SELECT source_id, count, first_seen_us, last_seen_us, last_seq, last_time_us, last_type,"     \
    " color, bootid, last_sequence, missing, holes, late, duplicates"                              \
    " FROM sources WHERE source = ?1"
#define INSERT                                                                                     \
    "INSERT INTO sources(source_id, count, first_seen_us, last_seen_us, last_seq, last_time_us,"   \
    " last_type, color, bootid, last_sequence, missing, holes, late, duplicates, source)"          \
    " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13, ?14, ?15)"
#define UPDATE                                                                                     \
    "UPDATE sources SET count = ?2, first_seen_us = ?3, last_seen_us = ?4, last_seq = ?5,"         \
    " last_time_us = ?6, last_type = ?7, color = ?8, bootid = ?9, last_sequence = ?10,"            \
    " missing = ?11, holes = ?12, late = ?13, duplicates = ?14 WHERE source_id = ?1"
#define RUN_PRUNE                                                                                  \
    "DELETE FROM runs WHERE source_id = ?1 AND bootid NOT IN (SELECT bootid FROM runs"             \
    " WHERE source_id = ?1 ORDER BY left_seq DESC LIMIT " RUNS_MAX ")"

static int prepare(struct tracker *tracker, struct err *e)
{
    const struct db_statement statements[] = {
        {&tracker->load, LOAD},
        {&tracker->insert, INSERT},
        {&tracker->update, UPDATE},
        {&tracker->run_find, "SELECT highest FROM runs WHERE source_id = ?1 AND bootid = ?2"},
        {&tracker->run_save, "INSERT OR REPLACE INTO runs VALUES(?1, ?2, ?3, ?4)"},
        {&tracker->run_prune, RUN_PRUNE},
    };
    return db_prepare_all(tracker->db, statements, ARRAY_SIZE(statements), e);
}

static int load_last_id(struct tracker *tracker, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(tracker->db, "SELECT max(source_id) FROM sources", &stmt, e);
    return r < 0 ? r : db_integer(stmt, &tracker->last_source_id, e);
}

int tracker_new(sqlite3 *db, struct tracker **ret_tracker, struct err *e)
{
    AUTO(tracker_free) struct tracker *tracker = calloc(1, sizeof *tracker);
    if (!tracker) {
        return FAIL(e, ENOMEM, "no memory");
    }
    tracker->db = db;
    int r = prepare(tracker, e);
    if (r == 0) {
        r = load_last_id(tracker, e);
    }
    if (r == 0) {
        *ret_tracker = TAKE(tracker);
    }
    return r;
}

static void track_remove(struct tracker *tracker, struct track *track)
{
    HASH_DELETE(hh, tracker->by_source, track);
    DL_DELETE(tracker->by_use, track);
    free(track->last_type);
    free(track);
}

void tracker_free(struct tracker *tracker)
{
    if (!tracker) {
        return;
    }
    while (tracker->by_use) {
        track_remove(tracker, tracker->by_use);
    }
    sqlite3_finalize(tracker->load);
    sqlite3_finalize(tracker->insert);
    sqlite3_finalize(tracker->update);
    sqlite3_finalize(tracker->run_find);
    sqlite3_finalize(tracker->run_save);
    sqlite3_finalize(tracker->run_prune);
    free(tracker->touched);
    free(tracker);
}

static void track_read(struct track *track, sqlite3_stmt *row)
{
    track->source_id = sqlite3_column_int64(row, 0);
    track->count = (uint64_t)sqlite3_column_int64(row, 1);
    track->first_seen_us = sqlite3_column_int64(row, 2);
    track->last_seen_us = sqlite3_column_int64(row, 3);
    track->last_seq = (uint64_t)sqlite3_column_int64(row, 4);
    track->last_time_us = sqlite3_column_int64(row, 5);
    (void)snprintf(track->color, sizeof track->color, "%s", db_column_text(row, 7));
    track->has_run = sqlite3_column_type(row, 8) != SQLITE_NULL;
    (void)snprintf(track->bootid, sizeof track->bootid, "%s", db_column_text(row, 8));
    track->highest = (uint64_t)sqlite3_column_int64(row, 9);
    track->missing = (uint64_t)sqlite3_column_int64(row, 10);
    track->holes = (uint64_t)sqlite3_column_int64(row, 11);
    track->late = (uint64_t)sqlite3_column_int64(row, 12);
    track->duplicates = (uint64_t)sqlite3_column_int64(row, 13);
}

/* Fills a new track from its row; > 0: it has none. */
static int track_load(struct tracker *tracker, struct track *track, size_t len, struct err *e)
{
    db_bind_text(tracker->load, 1, track->source, len);
    int r = db_step(tracker->load, e);
    if (r < 0) {
        return r;
    }
    if (r == 0) {
        return 1;
    }
    track_read(track, tracker->load);
    track->last_type = strdup(db_column_text(tracker->load, 6));
    sqlite3_reset(tracker->load);
    return track->last_type ? 0 : FAIL(e, ENOMEM, "no memory");
}

/* Makes room by forgetting the source that was silent longest. */
static void evict(struct tracker *tracker)
{
    struct track *oldest = tracker->by_use;
    if (HASH_COUNT(tracker->by_source) >= TRACKS_MAX && !oldest->dirty) {
        track_remove(tracker, oldest);
    }
}

static int track_add(struct tracker *tracker, const char *source, size_t len,
                     struct track **ret_track, struct err *e)
{
    evict(tracker);
    struct track *track = calloc(1, sizeof *track + len + 1);
    if (!track) {
        return FAIL(e, ENOMEM, "no memory");
    }
    memcpy(track->source, source, len);
    int r = track_load(tracker, track, len, e);
    if (r > 0) {
        track->is_new = true;
        track->source_id = tracker->last_source_id + 1;
    }
    if (r >= 0) {
        HASH_ADD_KEYPTR(hh, tracker->by_source, track->source, len, track);
        if (!track->hh.tbl) {
            r = FAIL(e, ENOMEM, "no memory");
        }
    }
    if (r < 0) {
        free(track->last_type);
        free(track);
        return r;
    }
    tracker->last_source_id += track->is_new;
    DL_APPEND(tracker->by_use, track);
    *ret_track = track;
    return 0;
}

int tracker_find(struct tracker *tracker, const char *source, size_t len, struct track **ret_track,
                 struct err *e)
{
    struct track *track;
    HASH_FIND(hh, tracker->by_source, source, len, track);
    if (!track) {
        return track_add(tracker, source, len, ret_track, e);
    }
    DL_DELETE(tracker->by_use, track);
    DL_APPEND(tracker->by_use, track);
    *ret_track = track;
    return 0;
}

int tracker_touch(struct tracker *tracker, struct track *track, struct err *e)
{
    if (track->dirty) {
        return 0;
    }
    if (tracker->touched_count == tracker->touched_capacity) {
        size_t capacity = tracker->touched_capacity ? tracker->touched_capacity * 2 : 256;
        struct track **touched = realloc(tracker->touched, capacity * sizeof(struct track *));
        if (!touched) {
            return FAIL(e, ENOMEM, "no memory");
        }
        tracker->touched = touched;
        tracker->touched_capacity = capacity;
    }
    tracker->touched[tracker->touched_count++] = track;
    track->dirty = true;
    return 0;
}

/* > 0: this source never had that boot id. */
static int run_find(struct tracker *tracker, const struct track *track, const char *bootid,
                    uint64_t *ret_highest, struct err *e)
{
    if (track->has_run && strcmp(track->bootid, bootid) == 0) {
        *ret_highest = track->highest;
        return 0;
    }
    if (track->is_new) {
        return 1;
    }
    db_bind_int(tracker->run_find, 1, track->source_id);
    db_bind_text(tracker->run_find, 2, bootid, strlen(bootid));
    int r = db_step(tracker->run_find, e);
    if (r < 0) {
        return r;
    }
    if (r == 0) {
        return 1;
    }
    *ret_highest = (uint64_t)sqlite3_column_int64(tracker->run_find, 0);
    sqlite3_reset(tracker->run_find);
    return 0;
}

int tracker_classify(struct tracker *tracker, const struct track *track, const char *bootid,
                     uint64_t sequence, enum arrival *ret_arrival, uint64_t *ret_highest,
                     struct err *e)
{
    uint64_t highest = 0;
    int r = run_find(tracker, track, bootid, &highest, e);
    if (r < 0) {
        return r;
    }
    *ret_highest = highest;
    *ret_arrival = r > 0                     ? ARRIVAL_FIRST
                   : sequence <= highest     ? ARRIVAL_LATE
                   : sequence == highest + 1 ? ARRIVAL_NEXT
                                             : ARRIVAL_JUMP;
    return 0;
}

/* Lays the current run aside among the former ones. */
static int run_leave(struct tracker *tracker, const struct track *track, uint64_t seq,
                     struct err *e)
{
    db_bind_int(tracker->run_save, 1, track->source_id);
    db_bind_text(tracker->run_save, 2, track->bootid, strlen(track->bootid));
    db_bind_int(tracker->run_save, 3, (int64_t)track->highest);
    db_bind_int(tracker->run_save, 4, (int64_t)seq);
    int r = db_run(tracker->run_save, e);
    if (r < 0) {
        return r;
    }
    db_bind_int(tracker->run_prune, 1, track->source_id);
    return db_run(tracker->run_prune, e);
}

int tracker_advance(struct tracker *tracker, struct track *track, const char *bootid,
                    uint64_t sequence, uint64_t seq, struct err *e)
{
    if (!track->has_run || strcmp(track->bootid, bootid) != 0) {
        int r = track->has_run ? run_leave(tracker, track, seq, e) : 0;
        if (r < 0) {
            return r;
        }
        (void)snprintf(track->bootid, sizeof track->bootid, "%s", bootid);
        track->has_run = true;
    }
    track->highest = sequence;
    return 0;
}

static int track_write(struct tracker *tracker, const struct track *track, struct err *e)
{
    sqlite3_stmt *stmt = track->is_new ? tracker->insert : tracker->update;
    const char *type = track->last_type ? track->last_type : "";
    db_bind_int(stmt, 1, track->source_id);
    db_bind_int(stmt, 2, (int64_t)track->count);
    db_bind_int(stmt, 3, track->first_seen_us);
    db_bind_int(stmt, 4, track->last_seen_us);
    db_bind_int(stmt, 5, (int64_t)track->last_seq);
    db_bind_int(stmt, 6, track->last_time_us);
    db_bind_text(stmt, 7, type, strlen(type));
    db_bind_text(stmt, 8, track->color, strlen(track->color));
    if (track->has_run) {
        db_bind_text(stmt, 9, track->bootid, strlen(track->bootid));
        db_bind_int(stmt, 10, (int64_t)track->highest);
    } else {
        db_bind_null(stmt, 9);
        db_bind_null(stmt, 10);
    }
    db_bind_int(stmt, 11, (int64_t)track->missing);
    db_bind_int(stmt, 12, (int64_t)track->holes);
    db_bind_int(stmt, 13, (int64_t)track->late);
    db_bind_int(stmt, 14, (int64_t)track->duplicates);
    if (track->is_new) {
        db_bind_text(stmt, 15, track->source, strlen(track->source));
    }
    return db_run(stmt, e);
}

int tracker_flush(struct tracker *tracker, uint64_t *ret_new, struct err *e)
{
    uint64_t new = 0;
    for (size_t i = 0; i < tracker->touched_count; i++) {
        int r = track_write(tracker, tracker->touched[i], e);
        if (r < 0) {
            return r;
        }
        new += tracker->touched[i]->is_new;
    }
    *ret_new = new;
    return 0;
}

void tracker_commit(struct tracker *tracker)
{
    for (size_t i = 0; i < tracker->touched_count; i++) {
        tracker->touched[i]->dirty = false;
        tracker->touched[i]->is_new = false;
    }
    tracker->touched_count = 0;
}

/* Sources that were new go too: a row of theirs was never there. Their ids stay unused. */
void tracker_rollback(struct tracker *tracker)
{
    for (size_t i = 0; i < tracker->touched_count; i++) {
        track_remove(tracker, tracker->touched[i]);
    }
    tracker->touched_count = 0;
}

int64_t tracker_last_id(const struct tracker *tracker)
{
    return tracker->last_source_id;
}

void tracker_forget(struct tracker *tracker, const char *source)
{
    struct track *track;
    HASH_FIND_STR(tracker->by_source, source, track);
    if (track) {
        track_remove(tracker, track);
    }
}
