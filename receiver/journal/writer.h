#pragma once

/*
 * The one connection that writes, and all that is known in memory of what it wrote. Every change is
 * a transaction: writer_begin(), work, writer_commit(), or writer_rollback() after any failure,
 * which puts the memory back to what is on disk. The writer's thread only.
 */

#include "receiver/journal/blocks.h"
#include "receiver/journal/incidents.h"
#include "receiver/journal/quarantine.h"
#include "receiver/journal/schema.h"
#include "receiver/journal/tracker.h"

struct writer {
    sqlite3 *db;
    uint32_t epoch;
    struct totals totals;    /* in the transaction */
    struct totals committed; /* on disk */
    struct tracker *tracker;
    struct blocks blocks;
    struct incidents incidents;
    struct quarantine quarantine;
    sqlite3_stmt *begin, *commit, *rollback, *set_meta, *insert, *page_count, *freelist_count;
    sqlite3_stmt *probe_fill, *probe_empty;
};

/* Takes `db` over, also when it fails. */
MUST_CHECK int writer_open(sqlite3 *db, int64_t quarantine_bytes, struct writer **ret_writer,
                           struct err *e);
/* Writes the log back into the file. */
void writer_close(struct writer *writer);
DEFINE_CLEANUP(struct writer *, writer_close);

MUST_CHECK int writer_begin(struct writer *writer, struct err *e);
/* Durable on return. */
MUST_CHECK int writer_commit(struct writer *writer, struct err *e);
void writer_rollback(struct writer *writer);

/* Writes `bytes` of filler that the next call without takes away: within a transaction. */
MUST_CHECK int writer_probe(struct writer *writer, int64_t bytes, struct err *e);

/* Pages in use, in bytes. */
MUST_CHECK int writer_size(struct writer *writer, int64_t *ret_bytes, struct err *e);
