#include "receiver/journal/reader.h"

#include <stdlib.h>
#include <string.h>

#include "receiver/journal/blocks.h"
#include "receiver/query/match.h"
#include "receiver/query/sql.h"

#define BUSY_MS 1000
#define PROGRESS_STEPS                                                                             \
    4000 /* of SQLite's machine between two looks at the clock: well under 1 ms */

static int on_progress(void *context)
{
    const struct journal_reader *reader = context;
    bool late = reader->deadline_ms > 0 &&
                reader->clock->monotonic_ms(reader->clock->context) >= reader->deadline_ms;
    return late || journal_reads_stopped(reader->journal);
}

/* data_contains(json, at, len, needle) */
static void data_contains(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    const char *json = sqlite3_value_blob(argv[0]);
    int64_t bytes = sqlite3_value_bytes(argv[0]);
    int64_t at = sqlite3_value_int64(argv[1]), len = sqlite3_value_int64(argv[2]);
    const unsigned char *needle = sqlite3_value_text(argv[3]);
    bool within = json && needle && at >= 0 && len > 0 && at <= bytes && len <= bytes - at;
    sqlite3_result_int(context,
                       within && query_text_contains(json + at, (size_t)len, (const char *)needle));
}

static int add_functions(sqlite3 *db, struct err *e)
{
    int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int rc = sqlite3_create_function_v2(db, "sources_hold", 2, flags, NULL, blocks_sources_hold,
                                        NULL, NULL, NULL);
    if (rc == SQLITE_OK) {
        rc = sqlite3_create_function_v2(db, "data_contains", 4, flags, NULL, data_contains, NULL,
                                        NULL, NULL);
    }
    return rc == SQLITE_OK ? 0 : db_fail(db, rc, e);
}

static int reader_prepare(struct journal_reader *reader, const char *path, struct err *e)
{
    int rc = sqlite3_open_v2(path, &reader->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);
    if (rc != SQLITE_OK) {
        return reader->db ? db_fail(reader->db, rc, e) : FAIL(e, ENOMEM, "no memory");
    }
    (void)sqlite3_extended_result_codes(reader->db, 1);
    (void)sqlite3_busy_timeout(reader->db, BUSY_MS);
    sqlite3_progress_handler(reader->db, PROGRESS_STEPS, on_progress, reader);
    int r = db_exec(reader->db,
                    "PRAGMA cache_size=-2048; PRAGMA temp_store=MEMORY;"
                    " PRAGMA automatic_index=OFF",
                    e);
    if (r == 0) {
        r = add_functions(reader->db, e);
    }
    return r < 0 ? r
                 : db_prepare(reader->db,
                              "SELECT (SELECT value FROM meta WHERE key = 'epoch'),"
                              " (SELECT value FROM meta WHERE key = 'deleted_through'),"
                              " (SELECT max(seq) FROM events)",
                              &reader->places, e);
}

int journal_reader_open(struct journal *journal, struct journal_reader **ret_reader, struct err *e)
{
    const char *path = journal_path(journal);
    if (!path) {
        return FAIL(e, EAGAIN, "the journal is not open");
    }
    struct journal_reader *reader = calloc(1, sizeof *reader);
    if (!reader) {
        return FAIL(e, ENOMEM, "no memory");
    }
    reader->journal = journal;
    reader->clock = journal_clock(journal);
    int r = reader_prepare(reader, path, e);
    if (r < 0) {
        journal_reader_close(reader);
        return r;
    }
    *ret_reader = reader;
    return 0;
}

void journal_reader_close(struct journal_reader *reader)
{
    if (!reader) {
        return;
    }
    sqlite3_finalize(reader->places);
    (void)sqlite3_close(reader->db);
    free(reader);
}

void journal_reader_set_timeout(struct journal_reader *reader, int64_t timeout_ms)
{
    reader->timeout_ms = timeout_ms;
}

int reader_begin(struct journal_reader *reader, struct err *e)
{
    int64_t now_ms = reader->clock->monotonic_ms(reader->clock->context);
    reader->deadline_ms = reader->timeout_ms > 0 ? now_ms + reader->timeout_ms : 0;
    return db_exec(reader->db, "BEGIN", e);
}

void reader_end(struct journal_reader *reader)
{
    reader->deadline_ms = 0;
    (void)sqlite3_exec(reader->db, "ROLLBACK", NULL, NULL, NULL);
}

int reader_places(struct journal_reader *reader, struct cursor *ret_first, struct cursor *ret_last,
                  struct err *e)
{
    int r = db_step(reader->places, e);
    if (r <= 0) {
        return r < 0 ? r : FAIL(e, EIO, "the journal has no numbers");
    }
    uint32_t epoch = (uint32_t)sqlite3_column_int64(reader->places, 0);
    uint64_t deleted = (uint64_t)sqlite3_column_int64(reader->places, 1);
    uint64_t last = (uint64_t)sqlite3_column_int64(reader->places, 2);
    sqlite3_reset(reader->places);
    *ret_first = (struct cursor){epoch, deleted + 1};
    *ret_last = (struct cursor){epoch, last > deleted ? last : deleted};
    return 0;
}

/* ---- events ---- */

static void bind(sqlite3_stmt *stmt, const struct sql_statement *statement)
{
    for (size_t i = 0; i < statement->count; i++) {
        const struct sql_value *value = &statement->values[i];
        int index = (int)i + 1;
        if (value->text) {
            db_bind_text(stmt, index, value->text, strlen(value->text));
        } else {
            db_bind_int(stmt, index, value->integer);
        }
    }
}

static struct record record_of(sqlite3_stmt *stmt)
{
    struct record record = {
        .seq = (uint64_t)sqlite3_column_int64(stmt, 0),
        .json = sqlite3_column_blob(stmt, 1),
        .len = (size_t)sqlite3_column_bytes(stmt, 1),
    };
    uint64_t at = (uint64_t)sqlite3_column_int64(stmt, 2);
    uint64_t len = (uint64_t)sqlite3_column_int64(stmt, 3);
    if (len > 0 && at <= record.len && len <= record.len - at) {
        record.data = record.json + at;
        record.data_len = (size_t)len;
    }
    return record;
}

/* Where a stream stands after a read that gave all there was. */
static uint64_t end_position(const struct query *query, const struct journal_page *page)
{
    bool bounded = query->given & QUERY_BEFORE && query->before.seq <= page->last.seq;
    if (!bounded) {
        return page->last.seq;
    }
    return query->before.seq > 0 ? query->before.seq - 1 : 0;
}

static int read_rows(sqlite3_stmt *stmt, const struct query *query,
                     int (*each)(void *context, const struct record *record), void *context,
                     struct journal_page *page, struct err *e)
{
    uint64_t last_given = query->given & QUERY_AFTER ? query->after.seq : 0;
    bool stopped = false;
    int r = 1;
    while (!stopped && (r = db_step(stmt, e)) > 0) {
        page->more = page->rows == query->limit;
        struct record record = record_of(stmt);
        stopped = page->more || each(context, &record) > 0;
        if (!stopped) {
            page->rows++;
            last_given = record.seq;
        }
    }
    if (r < 0) {
        return r;
    }
    page->position = stopped ? last_given : end_position(query, page);
    return 0;
}

int journal_read(struct journal_reader *reader, const struct query *query,
                 int (*each)(void *context, const struct record *record), void *context,
                 struct journal_page *ret_page, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    struct sql_statement statement;
    struct journal_page page = {0};
    sql_compile(query, &statement);
    int r = reader_begin(reader, e);
    if (r < 0) {
        return r;
    }
    r = reader_places(reader, &page.first, &page.last, e);
    if (r == 0) {
        r = db_prepare(reader->db, statement.text, &stmt, e);
    }
    if (r == 0) {
        bind(stmt, &statement);
        r = read_rows(stmt, query, each, context, &page, e);
    }
    sqlite3_reset(stmt);
    reader_end(reader);
    if (r == 0) {
        *ret_page = page;
    }
    return r;
}

int journal_read_one(struct journal_reader *reader, uint64_t seq,
                     int (*each)(void *context, const struct record *record), void *context,
                     struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = reader_begin(reader, e);
    if (r == 0) {
        r = db_prepare(reader->db, "SELECT seq, json, data_at, data_len FROM events WHERE seq = ?1",
                       &stmt, e);
    }
    if (r == 0) {
        db_bind_int(stmt, 1, seq > INT64_MAX ? 0 : (int64_t)seq);
        r = db_step(stmt, e);
    }
    if (r > 0) {
        struct record record = record_of(stmt);
        (void)each(context, &record);
        sqlite3_reset(stmt);
    }
    reader_end(reader);
    return r > 0 ? 0 : r < 0 ? r : FAIL(e, ENOENT, "there is no such event");
}
