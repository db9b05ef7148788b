#include "receiver/journal/schema.h"

#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

/*
 * events    Rows are never changed. seq is contiguous: given in commit order, taken away by
 *           retention from the low end only. `json` is the text as relayed; data_at and data_len
 *           say where its member `data` lies. time_us is the recorded time where the event has
 *           none. There is one index, for the dedupe: each further one costs an insert a quarter
 *           more, and filters go by `blocks`.
 * blocks    Sums up 256 places; see query/sql.h. `sources` is a sorted array of 32-bit ids.
 * runs      The highest sequence of a source's former boot ids.
 * incidents Times are 0 while open. from_seq, to_seq and missing are of a hole in sequences.
 * probe     Empty but while a full disk is tried.
 * nodes     See journal/nodes.h. Texts and times are NULL where there is none.
 */
static const struct {
    const char
        *addition; /* its name, where receivers of this version knew nothing of it; else NULL */
    const char *sql;
} tables[] = {
    {NULL, "CREATE TABLE meta(key TEXT PRIMARY KEY, value INTEGER NOT NULL) WITHOUT ROWID"},

    {NULL,
     "CREATE TABLE events(seq INTEGER PRIMARY KEY, source_id INTEGER NOT NULL, id TEXT NOT NULL,"
     " type TEXT NOT NULL, time_us INTEGER NOT NULL, recorded_us INTEGER NOT NULL,"
     " criticality INTEGER, data_at INTEGER NOT NULL, data_len INTEGER NOT NULL,"
     " json TEXT NOT NULL, UNIQUE(source_id, id))"},

    {NULL,
     "CREATE TABLE blocks(block INTEGER PRIMARY KEY, types INTEGER NOT NULL, criticality INTEGER,"
     " time_min_us INTEGER NOT NULL, time_max_us INTEGER NOT NULL,"
     " recorded_min_us INTEGER NOT NULL, recorded_max_us INTEGER NOT NULL, sources BLOB NOT NULL)"},

    {NULL, "CREATE TABLE sources(source_id INTEGER PRIMARY KEY, source TEXT NOT NULL UNIQUE,"
           " count INTEGER NOT NULL, first_seen_us INTEGER NOT NULL, last_seen_us INTEGER NOT NULL,"
           " last_seq INTEGER NOT NULL, last_time_us INTEGER NOT NULL, last_type TEXT NOT NULL,"
           " color TEXT NOT NULL, bootid TEXT, last_sequence INTEGER, missing INTEGER NOT NULL,"
           " holes INTEGER NOT NULL, late INTEGER NOT NULL, duplicates INTEGER NOT NULL)"},

    {NULL, "CREATE TABLE runs(source_id INTEGER NOT NULL, bootid TEXT NOT NULL,"
           " highest INTEGER NOT NULL, left_seq INTEGER NOT NULL, PRIMARY KEY(source_id, bootid))"
           " WITHOUT ROWID"},

    {NULL, "CREATE TABLE incidents(id INTEGER PRIMARY KEY, kind TEXT NOT NULL, source_id INTEGER,"
           " source TEXT, bootid TEXT, from_seq INTEGER, to_seq INTEGER, missing INTEGER,"
           " opened_us INTEGER NOT NULL, closed_us INTEGER NOT NULL, detail TEXT)"},

    {NULL,
     "CREATE INDEX incidents_open ON incidents(source_id, bootid, from_seq) WHERE closed_us = 0"},

    {NULL, "CREATE TABLE quarantine(id INTEGER PRIMARY KEY, recorded_us INTEGER NOT NULL,"
           " topic TEXT NOT NULL, reason TEXT NOT NULL, payload BLOB NOT NULL)"},

    {NULL, "CREATE TABLE probe(id INTEGER PRIMARY KEY, filler BLOB)"},

    {"nodes",
     "CREATE TABLE nodes(node TEXT PRIMARY KEY, report TEXT, report_us INTEGER, presence TEXT,"
     " presence_us INTEGER)"},
};

/* The rows of `meta` that hold a struct totals, and `epoch`. */
static const struct {
    const char *key;
    size_t offset;
} metas[] = {
    {"deleted_through", offsetof(struct totals, deleted_through)},
    {"missing", offsetof(struct totals, missing)},
    {"holes_open", offsetof(struct totals, holes_open)},
    {"incidents_open", offsetof(struct totals, incidents_open)},
    {"incidents_closed", offsetof(struct totals, incidents_closed)},
    {"sources", offsetof(struct totals, sources)},
    {"quarantined", offsetof(struct totals, quarantined)},
    {"quarantine_bytes", offsetof(struct totals, quarantine_bytes)},
};

static uint64_t total_at(const struct totals *totals, size_t offset)
{
    uint64_t value;
    memcpy(&value, (const char *)totals + offset, sizeof value);
    return value;
}

static int meta_set(sqlite3_stmt *set_meta, const char *key, uint64_t value, struct err *e)
{
    db_bind_text(set_meta, 1, key, strlen(key));
    db_bind_int(set_meta, 2, (int64_t)value);
    return db_run(set_meta, e);
}

static int create_numbers(sqlite3 *db, uint32_t epoch, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *set_meta = NULL;
    int r = db_prepare(db, SCHEMA_SET_META, &set_meta, e);
    if (r == 0) {
        r = meta_set(set_meta, "epoch", epoch, e);
    }
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(metas); i++) {
        r = meta_set(set_meta, metas[i].key, 0, e);
    }
    return r;
}

static int create_tables(sqlite3 *db, struct err *e)
{
    char pragmas[96];
    (void)snprintf(pragmas, sizeof pragmas, "PRAGMA application_id=%d; PRAGMA user_version=%d",
                   SCHEMA_APPLICATION_ID, SCHEMA_VERSION);
    int r = db_exec(db, pragmas, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tables); i++) {
        r = db_exec(db, tables[i].sql, e);
    }
    return r;
}

static int end(sqlite3 *db, int r, struct err *e)
{
    if (r == 0) {
        r = db_exec(db, "COMMIT", e);
    }
    if (r < 0 && !sqlite3_get_autocommit(db)) {
        (void)sqlite3_exec(db, "ROLLBACK", NULL, NULL, NULL);
    }
    return r;
}

int schema_create(sqlite3 *db, uint32_t epoch, struct err *e)
{
    int r = db_exec(db, "BEGIN IMMEDIATE", e);
    if (r == 0) {
        r = create_tables(db, e);
    }
    if (r == 0) {
        r = create_numbers(db, epoch, e);
    }
    return end(db, r, e);
}

static int query_integer(sqlite3 *db, const char *sql, int64_t *ret_value, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db, sql, &stmt, e);
    return r < 0 ? r : db_integer(stmt, ret_value, e);
}

static int count_named(sqlite3 *db, const char *name, int64_t *ret_count, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db, "SELECT count(*) FROM sqlite_schema WHERE name = ?1", &stmt, e);
    if (r == 0) {
        db_bind_text(stmt, 1, name, strlen(name));
        r = db_integer(stmt, ret_count, e);
    }
    return r;
}

static int add_table(sqlite3 *db, const char *name, const char *sql, struct err *e)
{
    int64_t there = 0;
    int r = count_named(db, name, &there, e);
    return r < 0 || there > 0 ? r : db_exec(db, sql, e);
}

int schema_upgrade(sqlite3 *db, struct err *e)
{
    int r = db_exec(db, "BEGIN IMMEDIATE", e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tables); i++) {
        if (tables[i].addition) {
            r = add_table(db, tables[i].addition, tables[i].sql, e);
        }
    }
    return end(db, r, e);
}

static int check_version(sqlite3 *db, struct err *e)
{
    int64_t application_id = 0, version = 0, objects = 0;
    int r = query_integer(db, "PRAGMA application_id", &application_id, e);
    if (r == 0) {
        r = query_integer(db, "PRAGMA user_version", &version, e);
    }
    if (r == 0) {
        r = query_integer(db, "SELECT count(*) FROM sqlite_schema", &objects, e);
    }
    if (r < 0) {
        return r;
    }
    if (application_id == 0 && version == 0 && objects == 0) {
        return 1;
    }
    if (application_id != SCHEMA_APPLICATION_ID) {
        return FAIL(e, DB_DAMAGED, "it is not a journal");
    }
    if (version > SCHEMA_VERSION) {
        return FAIL(e, ENOTSUP, "the journal is of version %" PRId64 ", this receiver knows %d",
                    version, SCHEMA_VERSION);
    }
    return 0;
}

/* Each table stands as we would make it; an addition may be missing. */
static int check_tables(sqlite3 *db, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db, "SELECT count(*) FROM sqlite_schema WHERE sql = ?1", &stmt, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(tables); i++) {
        int64_t found = 0, named = 1;
        db_bind_text(stmt, 1, tables[i].sql, strlen(tables[i].sql));
        r = db_integer(stmt, &found, e);
        if (r == 0 && found != 1 && tables[i].addition) {
            r = count_named(db, tables[i].addition, &named, e);
        }
        if (r == 0 && found != 1 && named != 0) {
            return FAIL(e, DB_DAMAGED, "its schema is not a journal's");
        }
    }
    return r;
}

/* The last row, its source and its block, in full. */
static int check_last_row(sqlite3 *db, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    int r = db_prepare(db,
                       "SELECT e.json, e.id, s.source, b.sources FROM events e"
                       " LEFT JOIN sources s USING(source_id)"
                       " LEFT JOIN blocks b ON b.block = e.seq / 256"
                       " ORDER BY e.seq DESC LIMIT 1",
                       &stmt, e);
    if (r == 0) {
        r = db_step(stmt, e);
    }
    if (r <= 0) {
        return r;
    }
    const char *json = db_column_text(stmt, 0);
    size_t len = strlen(json);
    bool whole = len >= 2 && json[0] == '{' && json[len - 1] == '}' &&
                 sqlite3_column_bytes(stmt, 1) > 0 && sqlite3_column_bytes(stmt, 2) > 0 &&
                 sqlite3_column_bytes(stmt, 3) > 0;
    return whole ? 0 : FAIL(e, DB_DAMAGED, "its last row is bad");
}

static int meta_get(sqlite3_stmt *get_meta, const char *key, int64_t *ret_value, struct err *e)
{
    db_bind_text(get_meta, 1, key, strlen(key));
    int r = db_step(get_meta, e);
    if (r < 0) {
        return r;
    }
    if (r == 0) {
        return FAIL(e, DB_DAMAGED, "its number '%s' is missing", key);
    }
    *ret_value = sqlite3_column_int64(get_meta, 0);
    sqlite3_reset(get_meta);
    return 0;
}

int totals_load(sqlite3 *db, struct totals *ret_totals, uint32_t *ret_epoch, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *get_meta = NULL;
    struct totals totals = {0};
    int64_t epoch = 0;
    int r = db_prepare(db, "SELECT value FROM meta WHERE key = ?1", &get_meta, e);
    if (r == 0) {
        r = meta_get(get_meta, "epoch", &epoch, e);
    }
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(metas); i++) {
        int64_t value;
        r = meta_get(get_meta, metas[i].key, &value, e);
        if (r == 0) {
            memcpy((char *)&totals + metas[i].offset, &value, sizeof value);
        }
    }
    int64_t last = 0;
    if (r == 0) {
        r = query_integer(db, "SELECT max(seq) FROM events", &last, e);
    }
    if (r < 0) {
        return r;
    }
    totals.last_seq = (uint64_t)last;
    if (totals.last_seq < totals.deleted_through) {
        totals.last_seq = totals.deleted_through;
    }
    *ret_totals = totals;
    *ret_epoch = (uint32_t)epoch;
    return 0;
}

int schema_check(sqlite3 *db, struct err *e)
{
    struct totals totals;
    uint32_t epoch;
    int r = check_version(db, e);
    if (r == 0) {
        r = check_tables(db, e);
    }
    if (r == 0) {
        r = totals_load(db, &totals, &epoch, e);
    }
    return r != 0 ? r : check_last_row(db, e);
}

int totals_save(sqlite3_stmt *set_meta, const struct totals *totals, const struct totals *committed,
                struct err *e)
{
    for (size_t i = 0; i < ARRAY_SIZE(metas); i++) {
        uint64_t value = total_at(totals, metas[i].offset);
        if (value == total_at(committed, metas[i].offset)) {
            continue;
        }
        int r = meta_set(set_meta, metas[i].key, value, e);
        if (r < 0) {
            return r;
        }
    }
    return 0;
}
