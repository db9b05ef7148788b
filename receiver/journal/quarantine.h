#pragma once

/* The table `quarantine`: messages that could not be understood, the newest of them. Within the
 * writer's transaction. */

#include "receiver/journal/batch.h"
#include "receiver/journal/schema.h"

#define QUARANTINE_ROWS_MAX  10000
#define QUARANTINE_BYTES_MAX (64 << 20)

struct quarantine {
    int64_t max_bytes;
    sqlite3_stmt *add, *oldest, *remove;
};

MUST_CHECK int quarantine_init(struct quarantine *quarantine, sqlite3 *db, int64_t max_bytes,
                               struct err *e);
void quarantine_deinit(struct quarantine *quarantine);
/* Adds, and removes the oldest beyond the bounds. */
MUST_CHECK int quarantine_add(struct quarantine *quarantine, struct totals *totals,
                              const struct batch *batch, const struct batch_entry *entry,
                              struct err *e);
