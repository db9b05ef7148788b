#pragma once

/*
 * The journal's tables, and the single numbers kept in `meta`. Used by the writer's thread; the
 * tables' names and columns are known to the files here and to query/sql.c.
 */

#include "receiver/journal/db.h"

/* "Bell", so that file(1) and our own check know the file. */
#define SCHEMA_APPLICATION_ID 0x42656c6c
#define SCHEMA_VERSION        1

/* Makes all tables in an empty database, in one transaction, and draws nothing: `epoch` is the
 * caller's. */
MUST_CHECK int schema_create(sqlite3 *db, uint32_t epoch, struct err *e);

/*
 * 0: ours, whole as far as its schema, its numbers and its last row tell. > 0: empty, no table yet.
 * -DB_DAMAGED: not ours or bad. -ENOTSUP: written by a newer version.
 */
MUST_CHECK int schema_check(sqlite3 *db, struct err *e);
/* Adds the tables that a checked journal of an older receiver lacks, in one transaction. Nothing
 * else in it changes, and that receiver can go back to it: it knows nothing of them. */
MUST_CHECK int schema_upgrade(sqlite3 *db, struct err *e);

/* Counters that no table gives without a scan, and the places. The writer's thread keeps one as it
 * stands in the transaction and one as committed. */
struct totals {
    uint64_t last_seq;         /* 0: nothing was ever stored */
    uint64_t deleted_through;  /* the oldest row kept is the next one */
    uint64_t missing;          /* messages in open holes, all sources */
    uint64_t holes_open;       /* rows */
    uint64_t incidents_open;   /* rows, holes among them */
    uint64_t incidents_closed; /* rows */
    uint64_t sources;          /* rows */
    uint64_t quarantined;      /* rows */
    uint64_t quarantine_bytes;
};
static inline uint64_t totals_events(const struct totals *totals)
{
    return totals->last_seq - totals->deleted_through;
}

MUST_CHECK int totals_load(sqlite3 *db, struct totals *ret_totals, uint32_t *ret_epoch,
                           struct err *e);
/* Writes what differs from `committed`; within the caller's transaction. */
MUST_CHECK int totals_save(sqlite3_stmt *set_meta, const struct totals *totals,
                           const struct totals *committed, struct err *e);
/* The statement for totals_save. */
#define SCHEMA_SET_META "INSERT OR REPLACE INTO meta(key, value) VALUES(?1, ?2)"
