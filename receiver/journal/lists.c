/* The readers' lists beside the events: sources, incidents, quarantine, rates, and the check. */

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "receiver/journal/reader.h"
#include "receiver/query/sql.h"

#define SOURCES                                                                                    \
    "SELECT source, count, first_seen_us, last_seen_us, last_type, last_seq, color, bootid,"       \
    " last_sequence, missing, late, duplicates FROM sources WHERE source > ?1"                     \
    " ORDER BY source LIMIT ?2"
#define INCIDENTS                                                                                  \
    "SELECT id, kind, source, bootid, from_seq, to_seq, missing, opened_us, closed_us, detail"     \
    " FROM incidents WHERE (?1 = 0 OR id < ?1) AND (?2 IS NULL OR kind = ?2)"                      \
    " AND (?3 IS NULL OR source = ?3) ORDER BY id DESC LIMIT ?4"
#define QUARANTINE                                                                                 \
    "SELECT id, recorded_us, topic, reason, payload FROM quarantine WHERE ?1 = 0 OR id < ?1"       \
    " ORDER BY id DESC LIMIT ?2"

/* One list's rows: bound statement in, rows out. */
struct list_read {
    struct journal_reader *reader;
    sqlite3_stmt *stmt;
    unsigned limit;
    void (*row)(sqlite3_stmt *stmt, void *context);
    void *context;
};

/* The statement gives one row more than the limit where there is one. */
static int list_rows(const struct list_read *list, bool *ret_more, struct err *e)
{
    unsigned rows = 0;
    bool more = false;
    int r = 1;
    while (!more && (r = db_step(list->stmt, e)) > 0) {
        more = rows == list->limit;
        if (!more) {
            list->row(list->stmt, list->context);
            rows++;
        }
    }
    if (r >= 0) {
        *ret_more = more;
    }
    return r < 0 ? r : 0;
}

static int list_run(const struct list_read *list, bool *ret_more, struct err *e)
{
    int r = reader_begin(list->reader, e);
    if (r < 0) {
        return r;
    }
    r = list_rows(list, ret_more, e);
    sqlite3_reset(list->stmt);
    reader_end(list->reader);
    return r;
}

static const char *text_or_null(sqlite3_stmt *stmt, int index)
{
    const char *text = db_column_text(stmt, index);
    return *text ? text : NULL;
}

static void bind_text_or_null(sqlite3_stmt *stmt, int index, const char *text)
{
    if (text) {
        db_bind_text(stmt, index, text, strlen(text));
    } else {
        db_bind_null(stmt, index);
    }
}

/* ---- sources ---- */

struct source_list {
    void (*each)(void *context, const struct journal_source *source);
    void *context;
};

static void give_source(sqlite3_stmt *stmt, void *context)
{
    const struct source_list *list = context;
    struct journal_source source = {
        .source = db_column_text(stmt, 0),
        .count = (uint64_t)sqlite3_column_int64(stmt, 1),
        .first_seen_us = sqlite3_column_int64(stmt, 2),
        .last_seen_us = sqlite3_column_int64(stmt, 3),
        .last_type = db_column_text(stmt, 4),
        .last_seq = (uint64_t)sqlite3_column_int64(stmt, 5),
        .color = text_or_null(stmt, 6),
        .bootid = text_or_null(stmt, 7),
        .last_sequence = EVENT_NO_SEQUENCE,
        .missing = (uint64_t)sqlite3_column_int64(stmt, 9),
        .late = (uint64_t)sqlite3_column_int64(stmt, 10),
        .duplicates = (uint64_t)sqlite3_column_int64(stmt, 11),
    };
    if (sqlite3_column_type(stmt, 8) != SQLITE_NULL) {
        source.last_sequence = (uint64_t)sqlite3_column_int64(stmt, 8);
    }
    list->each(list->context, &source);
}

int journal_read_sources(struct journal_reader *reader, const char *after, unsigned limit,
                         void (*each)(void *context, const struct journal_source *source),
                         void *context, bool *ret_more, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    struct source_list sources = {each, context};
    int r = db_prepare(reader->db, SOURCES, &stmt, e);
    if (r < 0) {
        return r;
    }
    db_bind_text(stmt, 1, after ? after : "", after ? strlen(after) : 0);
    db_bind_int(stmt, 2, (int64_t)limit + 1);
    struct list_read list = {reader, stmt, limit, give_source, &sources};
    return list_run(&list, ret_more, e);
}

/* ---- incidents ---- */

struct incident_list {
    void (*each)(void *context, const struct journal_incident_row *row);
    void *context;
};

/* A hole's sentence follows from its numbers, which change as messages come late. */
static void describe_hole(const struct journal_incident_row *row, char *text, size_t size)
{
    const char *source = row->source ? row->source : "a source";
    if (row->missing == 0) {
        (void)snprintf(text, size, "all messages of %s that were missing here have arrived late",
                       source);
    } else if (row->from == row->to) {
        (void)snprintf(text, size, "message %" PRIu64 " of %s has not arrived", row->from, source);
    } else {
        (void)snprintf(text, size,
                       "%" PRIu64 " messages of %s (%" PRIu64 " to %" PRIu64 ") have not arrived",
                       row->missing, source, row->from, row->to);
    }
}

static void give_incident(sqlite3_stmt *stmt, void *context)
{
    const struct incident_list *list = context;
    char detail[EVENT_SOURCE_MAX + 128];
    struct journal_incident_row row = {
        .id = sqlite3_column_int64(stmt, 0),
        .kind = db_column_text(stmt, 1),
        .source = text_or_null(stmt, 2),
        .bootid = text_or_null(stmt, 3),
        .from = (uint64_t)sqlite3_column_int64(stmt, 4),
        .to = (uint64_t)sqlite3_column_int64(stmt, 5),
        .missing = (uint64_t)sqlite3_column_int64(stmt, 6),
        .opened_us = sqlite3_column_int64(stmt, 7),
        .closed_us = sqlite3_column_int64(stmt, 8),
        .detail = text_or_null(stmt, 9),
    };
    if (!row.detail) {
        describe_hole(&row, detail, sizeof detail);
        row.detail = detail;
    }
    list->each(list->context, &row);
}

int journal_read_incidents(struct journal_reader *reader, const struct journal_list *list,
                           void (*each)(void *context, const struct journal_incident_row *row),
                           void *context, bool *ret_more, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    struct incident_list incidents = {each, context};
    int r = db_prepare(reader->db, INCIDENTS, &stmt, e);
    if (r < 0) {
        return r;
    }
    db_bind_int(stmt, 1, list->before);
    bind_text_or_null(stmt, 2, list->kind);
    bind_text_or_null(stmt, 3, list->source);
    db_bind_int(stmt, 4, (int64_t)list->limit + 1);
    struct list_read read = {reader, stmt, list->limit, give_incident, &incidents};
    return list_run(&read, ret_more, e);
}

/* ---- quarantine ---- */

struct quarantine_list {
    void (*each)(void *context, const struct journal_quarantine_row *row);
    void *context;
};

static void give_quarantine(sqlite3_stmt *stmt, void *context)
{
    const struct quarantine_list *list = context;
    struct journal_quarantine_row row = {
        .id = sqlite3_column_int64(stmt, 0),
        .recorded_us = sqlite3_column_int64(stmt, 1),
        .topic = db_column_text(stmt, 2),
        .reason = db_column_text(stmt, 3),
        .payload = sqlite3_column_blob(stmt, 4),
        .size = (size_t)sqlite3_column_bytes(stmt, 4),
    };
    list->each(list->context, &row);
}

int journal_read_quarantine(struct journal_reader *reader, const struct journal_list *list,
                            void (*each)(void *context, const struct journal_quarantine_row *row),
                            void *context, bool *ret_more, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    struct quarantine_list quarantine = {each, context};
    int r = db_prepare(reader->db, QUARANTINE, &stmt, e);
    if (r < 0) {
        return r;
    }
    db_bind_int(stmt, 1, list->before);
    db_bind_int(stmt, 2, (int64_t)list->limit + 1);
    struct list_read read = {reader, stmt, list->limit, give_quarantine, &quarantine};
    return list_run(&read, ret_more, e);
}
