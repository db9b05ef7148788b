#pragma once

/*
 * The table `blocks`: what each run of 256 places may hold, so that filtered reads skip the rest
 * (query/sql.h). The writer keeps the newest block in memory and writes it with each batch.
 */

#include <stdbool.h>

#include "receiver/journal/db.h"
#include "receiver/query/sql.h"

struct block {
    int64_t number; /* seq / SQL_BLOCK_ROWS; < 0: none */
    int64_t types;  /* set of sql_type_bit() */
    int64_t criticality;
    int64_t time_min_us, time_max_us;
    int64_t recorded_min_us, recorded_max_us;
    unsigned source_count;
    uint32_t sources[SQL_BLOCK_ROWS]; /* sorted */
    bool dirty;
};

/* One stored event, as far as blocks know it. */
struct block_event {
    uint64_t seq;
    int64_t source_id;
    const char *type;
    int64_t time_us, recorded_us, criticality;
};

struct blocks {
    struct block working, committed;
    sqlite3_stmt *save;
};

/* Reads the block of the newest place. */
MUST_CHECK int blocks_init(struct blocks *blocks, sqlite3 *db, uint64_t last_seq, struct err *e);
void blocks_deinit(struct blocks *blocks);

/* In order of seq, within the transaction. */
MUST_CHECK int blocks_add(struct blocks *blocks, const struct block_event *event, struct err *e);
MUST_CHECK int blocks_flush(struct blocks *blocks, struct err *e);
void blocks_commit(struct blocks *blocks);
void blocks_rollback(struct blocks *blocks);

/* The SQL function sources_hold(blob, source_id). */
void blocks_sources_hold(sqlite3_context *context, int argc, sqlite3_value **argv);
