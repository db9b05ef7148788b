#include "receiver/journal/writer.h"

#include <string.h>

#define PAGE_BYTES 4096 /* SQLite's default, and so of every file that we make */

#define INSERT                                                                                     \
    "INSERT INTO events(seq, source_id, id, type, time_us, recorded_us, criticality, data_at,"     \
    " data_len, json) VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)"                             \
    " ON CONFLICT(source_id, id) DO NOTHING"

static int prepare(struct writer *writer, struct err *e)
{
    const struct db_statement statements[] = {
        {&writer->begin, "BEGIN IMMEDIATE"},
        {&writer->commit, "COMMIT"},
        {&writer->rollback, "ROLLBACK"},
        {&writer->set_meta, SCHEMA_SET_META},
        {&writer->insert, INSERT},
        {&writer->page_count, "PRAGMA page_count"},
        {&writer->freelist_count, "PRAGMA freelist_count"},
        {&writer->probe_fill, "INSERT OR REPLACE INTO probe(id, filler) VALUES(1, zeroblob(?1))"},
        {&writer->probe_empty, "DELETE FROM probe"},
    };
    return db_prepare_all(writer->db, statements, ARRAY_SIZE(statements), e);
}

int writer_open(sqlite3 *db, int64_t quarantine_bytes, struct writer **ret_writer, struct err *e)
{
    AUTO(writer_close) struct writer *writer = calloc(1, sizeof *writer);
    if (!writer) {
        (void)sqlite3_close(db);
        return FAIL(e, ENOMEM, "no memory");
    }
    writer->db = db;
    int r = prepare(writer, e);
    if (r == 0) {
        r = totals_load(db, &writer->committed, &writer->epoch, e);
    }
    writer->totals = writer->committed;
    if (r == 0) {
        r = tracker_new(db, &writer->tracker, e);
    }
    if (r == 0) {
        r = blocks_init(&writer->blocks, db, writer->totals.last_seq, e);
    }
    if (r == 0) {
        r = incidents_init(&writer->incidents, db, e);
    }
    if (r == 0) {
        r = quarantine_init(&writer->quarantine, db, quarantine_bytes, e);
    }
    if (r == 0) {
        *ret_writer = TAKE(writer);
    }
    return r;
}

void writer_close(struct writer *writer)
{
    if (!writer) {
        return;
    }
    quarantine_deinit(&writer->quarantine);
    incidents_deinit(&writer->incidents);
    blocks_deinit(&writer->blocks);
    tracker_free(writer->tracker);
    sqlite3_finalize(writer->begin);
    sqlite3_finalize(writer->commit);
    sqlite3_finalize(writer->rollback);
    sqlite3_finalize(writer->set_meta);
    sqlite3_finalize(writer->insert);
    sqlite3_finalize(writer->page_count);
    sqlite3_finalize(writer->freelist_count);
    sqlite3_finalize(writer->probe_fill);
    sqlite3_finalize(writer->probe_empty);
    (void)sqlite3_close(writer->db);
    free(writer);
}

int writer_begin(struct writer *writer, struct err *e)
{
    return db_run(writer->begin, e);
}

int writer_commit(struct writer *writer, struct err *e)
{
    uint64_t new_sources = 0;
    int r = tracker_flush(writer->tracker, &new_sources, e);
    writer->totals.sources += new_sources;
    if (r == 0) {
        r = blocks_flush(&writer->blocks, e);
    }
    if (r == 0) {
        r = totals_save(writer->set_meta, &writer->totals, &writer->committed, e);
    }
    if (r == 0) {
        r = db_run(writer->commit, e);
    }
    if (r < 0) {
        return r;
    }
    tracker_commit(writer->tracker);
    blocks_commit(&writer->blocks);
    writer->committed = writer->totals;
    return 0;
}

void writer_rollback(struct writer *writer)
{
    /* Some failures have rolled back already. */
    if (!sqlite3_get_autocommit(writer->db)) {
        (void)sqlite3_step(writer->rollback);
        (void)sqlite3_reset(writer->rollback);
    }
    tracker_rollback(writer->tracker);
    blocks_rollback(&writer->blocks);
    writer->totals = writer->committed;
}

int writer_probe(struct writer *writer, int64_t bytes, struct err *e)
{
    if (bytes == 0) {
        return db_run(writer->probe_empty, e);
    }
    db_bind_int(writer->probe_fill, 1, bytes);
    return db_run(writer->probe_fill, e);
}

int writer_size(struct writer *writer, int64_t *ret_bytes, struct err *e)
{
    int64_t pages, unused;
    int r = db_integer(writer->page_count, &pages, e);
    if (r == 0) {
        r = db_integer(writer->freelist_count, &unused, e);
    }
    if (r == 0) {
        *ret_bytes = (pages - unused) * PAGE_BYTES;
    }
    return r;
}
