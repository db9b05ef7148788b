#include "receiver/journal/retention.h"

#include <stdio.h>
#include <string.h>

#define STEP_MS       4
#define CHUNK_ROWS    64     /* between two looks at the clock and the size */
#define SOURCES_MAX   100000 /* those without rows go earlier beyond it */
#define SOURCES_STEP  1000
#define SWEEP_MS      1000
#define SOURCE_AGE_US (INT64_C(30) * 24 * 3600 * 1000000) /* where ages have no bound */
#define DROPPED_MAX   64

#define FIRST_KEPT                                                                                 \
    "SELECT seq FROM events WHERE seq > ?1 AND seq <= ?2 AND recorded_us >= ?3"                    \
    " ORDER BY seq LIMIT 1"
#define IDLE_SOURCES                                                                               \
    "SELECT source_id, source, missing FROM sources WHERE source_id > ?1 AND source_id <= ?2"      \
    " AND last_seq <= ?3 AND last_seen_us < ?4 ORDER BY source_id LIMIT ?5"

int retention_init(struct retention *retention, struct writer *writer, int64_t age_ms,
                   int64_t max_bytes, const struct clock *clock, struct err *e)
{
    *retention = (struct retention){
        .age_us = age_ms * 1000,
        .max_bytes = max_bytes,
        .clock = clock,
        .writer = writer,
    };
    const struct db_statement statements[] = {
        {&retention->first_kept, FIRST_KEPT},
        {&retention->delete_events, "DELETE FROM events WHERE seq <= ?1"},
        {&retention->delete_blocks, "DELETE FROM blocks WHERE block < ?1"},
        {&retention->idle_sources, IDLE_SOURCES},
        {&retention->delete_source, "DELETE FROM sources WHERE source_id = ?1"},
        {&retention->delete_runs, "DELETE FROM runs WHERE source_id = ?1"},
    };
    int r = db_prepare_all(writer->db, statements, ARRAY_SIZE(statements), e);
    return r < 0 ? r : writer_size(writer, &retention->size_bytes, e);
}

void retention_deinit(struct retention *retention)
{
    sqlite3_finalize(retention->first_kept);
    sqlite3_finalize(retention->delete_events);
    sqlite3_finalize(retention->delete_blocks);
    sqlite3_finalize(retention->idle_sources);
    sqlite3_finalize(retention->delete_source);
    sqlite3_finalize(retention->delete_runs);
    *retention = (struct retention){0};
}

static int64_t wall_us(const struct retention *retention)
{
    return retention->clock->wall_us(retention->clock->context);
}

static int64_t monotonic_ms(const struct retention *retention)
{
    return retention->clock->monotonic_ms(retention->clock->context);
}

/* ---- events ---- */

/* The last place of the next chunk that goes; 0 where nothing goes. */
static int next_chunk(struct retention *retention, int64_t cutoff_us, uint64_t *ret_through,
                      struct err *e)
{
    const struct totals *totals = &retention->writer->totals;
    uint64_t end = totals->deleted_through + CHUNK_ROWS;
    end = end < totals->last_seq ? end : totals->last_seq;
    *ret_through = 0;
    if (end == totals->deleted_through) {
        return 0;
    }
    if (retention->max_bytes > 0 && retention->size_bytes > retention->max_bytes) {
        *ret_through = end;
        return 0;
    }
    if (retention->age_us == 0) {
        return 0;
    }
    int64_t kept;
    db_bind_int(retention->first_kept, 1, (int64_t)totals->deleted_through);
    db_bind_int(retention->first_kept, 2, (int64_t)end);
    db_bind_int(retention->first_kept, 3, cutoff_us);
    int r = db_integer(retention->first_kept, &kept, e);
    if (r < 0) {
        return r;
    }
    uint64_t through = kept == 0 ? end : (uint64_t)kept - 1;
    *ret_through = through > totals->deleted_through ? through : 0;
    return 0;
}

static int delete_through(struct retention *retention, uint64_t through, struct err *e)
{
    db_bind_int(retention->delete_events, 1, (int64_t)through);
    int r = db_run(retention->delete_events, e);
    if (r < 0) {
        return r;
    }
    retention->writer->totals.deleted_through = through;
    return writer_size(retention->writer, &retention->size_bytes, e);
}

/* Chunks until nothing is due or the step's time is up; > 0: more is due. */
static int delete_chunks(struct retention *retention, uint64_t through, int64_t cutoff_us,
                         struct err *e)
{
    int64_t end_ms = monotonic_ms(retention) + STEP_MS;
    int r = 0;
    while (r == 0 && through > 0) {
        r = delete_through(retention, through, e);
        if (r == 0) {
            r = next_chunk(retention, cutoff_us, &through, e);
        }
        if (r == 0 && monotonic_ms(retention) >= end_ms) {
            break;
        }
    }
    if (r < 0) {
        return r;
    }
    const struct totals *totals = &retention->writer->totals;
    db_bind_int(retention->delete_blocks, 1,
                (int64_t)((totals->deleted_through + 1) / SQL_BLOCK_ROWS));
    r = db_run(retention->delete_blocks, e);
    return r < 0 ? r : through > 0;
}

/*
 * The transactions here need not outlive a power cut, only keep their order: without the wait for
 * the disk they cost ingest nothing but their own time. The next commit of events syncs them too.
 */
static int begin_unsynced(struct writer *writer, struct err *e)
{
    int r = db_exec(writer->db, "PRAGMA synchronous=NORMAL", e);
    return r < 0 ? r : writer_begin(writer, e);
}

static int end_unsynced(struct writer *writer, int r, struct err *e)
{
    int committed = r < 0 ? r : writer_commit(writer, e);
    if (committed < 0) {
        writer_rollback(writer);
    }
    int restored = db_exec(writer->db, "PRAGMA synchronous=FULL", committed < 0 ? NULL : e);
    return committed < 0 ? committed : restored < 0 ? restored : r;
}

static int drop_events(struct retention *retention, struct err *e)
{
    int64_t cutoff_us = wall_us(retention) - retention->age_us;
    uint64_t through = 0;
    int r = writer_size(retention->writer, &retention->size_bytes, e);
    if (r == 0) {
        r = next_chunk(retention, cutoff_us, &through, e);
    }
    if (r < 0 || through == 0) {
        return r;
    }
    r = begin_unsynced(retention->writer, e);
    if (r == 0) {
        r = delete_chunks(retention, through, cutoff_us, e);
    }
    return end_unsynced(retention->writer, r, e);
}

/* ---- sources ---- */

struct dropped {
    int64_t id;
    uint64_t missing;
    char source[EVENT_SOURCE_MAX + 1];
};

/* Sources of this step that have no rows left and were not seen for long; > 0: how many. */
static int find_idle(struct retention *retention, struct dropped dropped[static DROPPED_MAX],
                     int64_t through_id, struct err *e)
{
    const struct totals *totals = &retention->writer->totals;
    int64_t age_us = retention->age_us ? retention->age_us : SOURCE_AGE_US;
    int64_t seen_before_us =
        totals->sources > SOURCES_MAX ? INT64_MAX : wall_us(retention) - age_us;
    sqlite3_stmt *stmt = retention->idle_sources;
    db_bind_int(stmt, 1, retention->swept_id);
    db_bind_int(stmt, 2, through_id);
    db_bind_int(stmt, 3, (int64_t)totals->deleted_through);
    db_bind_int(stmt, 4, seen_before_us);
    db_bind_int(stmt, 5, DROPPED_MAX);
    int count = 0;
    int r;
    while ((r = db_step(stmt, e)) > 0) {
        dropped[count].id = sqlite3_column_int64(stmt, 0);
        dropped[count].missing = (uint64_t)sqlite3_column_int64(stmt, 2);
        (void)snprintf(dropped[count].source, sizeof dropped[count].source, "%s",
                       db_column_text(stmt, 1));
        count++;
    }
    return r < 0 ? r : count;
}

static int drop_source(struct retention *retention, const struct dropped *dropped, struct err *e)
{
    struct writer *writer = retention->writer;
    db_bind_int(retention->delete_source, 1, dropped->id);
    int r = db_run(retention->delete_source, e);
    if (r == 0) {
        db_bind_int(retention->delete_runs, 1, dropped->id);
        r = db_run(retention->delete_runs, e);
    }
    if (r == 0) {
        r = incidents_drop_source(&writer->incidents, &writer->totals, dropped->id,
                                  wall_us(retention), e);
    }
    if (r == 0) {
        writer->totals.sources--;
        writer->totals.missing -= dropped->missing;
        tracker_forget(writer->tracker, dropped->source);
    }
    return r;
}

static int drop_found(struct retention *retention, const struct dropped *dropped, int count,
                      struct err *e)
{
    int r = begin_unsynced(retention->writer, e);
    for (int i = 0; r == 0 && i < count; i++) {
        r = drop_source(retention, &dropped[i], e);
    }
    return end_unsynced(retention->writer, r, e);
}

/* Looks at the next ids, round and round. */
static int sweep_sources(struct retention *retention, struct err *e)
{
    int64_t now_ms = monotonic_ms(retention);
    bool crowded = retention->writer->totals.sources > SOURCES_MAX;
    if (!crowded && now_ms < retention->next_sweep_ms) {
        return 0;
    }
    retention->next_sweep_ms = now_ms + SWEEP_MS;
    AUTO(free) struct dropped *dropped = calloc(DROPPED_MAX, sizeof *dropped);
    if (!dropped) {
        return FAIL(e, ENOMEM, "no memory");
    }
    int64_t through_id = retention->swept_id + SOURCES_STEP;
    int count = find_idle(retention, dropped, through_id, e);
    if (count < 0) {
        return count;
    }
    retention->swept_id = count == DROPPED_MAX ? dropped[count - 1].id : through_id;
    if (retention->swept_id >= tracker_last_id(retention->writer->tracker)) {
        retention->swept_id = 0;
    }
    return count == 0 ? 0 : drop_found(retention, dropped, count, e);
}

/* ---- incidents ---- */

static int prune_incidents(struct retention *retention, struct err *e)
{
    struct writer *writer = retention->writer;
    if (writer->totals.incidents_closed <= INCIDENTS_CLOSED_MAX) {
        return 0;
    }
    int r = begin_unsynced(writer, e);
    if (r == 0) {
        r = incidents_prune(&writer->incidents, &writer->totals, e);
    }
    return end_unsynced(writer, r, e);
}

int retention_step(struct retention *retention, struct err *e)
{
    int more = drop_events(retention, e);
    int r = more < 0 ? more : sweep_sources(retention, e);
    if (r == 0) {
        r = prune_incidents(retention, e);
    }
    return r < 0 ? r : more;
}
