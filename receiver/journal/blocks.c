#include "receiver/journal/blocks.h"

#include <string.h>

#include "common/cloudevent/event.h"

static const struct block no_block = {.number = -1};

static int load(struct blocks *blocks, sqlite3 *db, uint64_t last_seq, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *stmt = NULL;
    struct block *block = &blocks->committed;
    int r = db_prepare(db,
                       "SELECT types, criticality, time_min_us, time_max_us, recorded_min_us,"
                       " recorded_max_us, sources FROM blocks WHERE block = ?1",
                       &stmt, e);
    if (r < 0) {
        return r;
    }
    db_bind_int(stmt, 1, (int64_t)(last_seq / SQL_BLOCK_ROWS));
    r = db_step(stmt, e);
    if (r <= 0) {
        return r;
    }
    size_t bytes = (size_t)sqlite3_column_bytes(stmt, 6);
    if (bytes > sizeof block->sources || bytes % sizeof block->sources[0] != 0) {
        return FAIL(e, DB_DAMAGED, "its newest block is bad");
    }
    block->number = (int64_t)(last_seq / SQL_BLOCK_ROWS);
    block->types = sqlite3_column_int64(stmt, 0);
    block->criticality = sqlite3_column_type(stmt, 1) == SQLITE_NULL
                             ? EVENT_NO_NUMBER
                             : sqlite3_column_int64(stmt, 1);
    block->time_min_us = sqlite3_column_int64(stmt, 2);
    block->time_max_us = sqlite3_column_int64(stmt, 3);
    block->recorded_min_us = sqlite3_column_int64(stmt, 4);
    block->recorded_max_us = sqlite3_column_int64(stmt, 5);
    block->source_count = (unsigned)(bytes / sizeof block->sources[0]);
    if (bytes > 0) {
        memcpy(block->sources, sqlite3_column_blob(stmt, 6), bytes);
    }
    return 0;
}

int blocks_init(struct blocks *blocks, sqlite3 *db, uint64_t last_seq, struct err *e)
{
    *blocks = (struct blocks){.committed = no_block};
    int r = db_prepare(db,
                       "INSERT OR REPLACE INTO blocks(block, types, criticality, time_min_us,"
                       " time_max_us, recorded_min_us, recorded_max_us, sources)"
                       " VALUES(?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8)",
                       &blocks->save, e);
    if (r == 0) {
        r = load(blocks, db, last_seq, e);
    }
    blocks->working = blocks->committed;
    return r;
}

void blocks_deinit(struct blocks *blocks)
{
    sqlite3_finalize(blocks->save);
    blocks->save = NULL;
}

/* The index of `id`, or where it belongs. */
static unsigned source_place(const uint32_t *sources, unsigned count, uint32_t id)
{
    unsigned low = 0, high = count;
    while (low < high) {
        unsigned middle = (low + high) / 2;
        if (sources[middle] < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

static void add_source(struct block *block, uint32_t id)
{
    unsigned at = source_place(block->sources, block->source_count, id);
    bool known = at < block->source_count && block->sources[at] == id;
    if (known || block->source_count == SQL_BLOCK_ROWS) {
        return;
    }
    memmove(&block->sources[at + 1], &block->sources[at],
            (block->source_count - at) * sizeof block->sources[0]);
    block->sources[at] = id;
    block->source_count++;
}

static void widen(int64_t *min, int64_t *max, int64_t value)
{
    *min = value < *min ? value : *min;
    *max = value > *max ? value : *max;
}

int blocks_add(struct blocks *blocks, const struct block_event *event, struct err *e)
{
    struct block *block = &blocks->working;
    int64_t number = (int64_t)(event->seq / SQL_BLOCK_ROWS);
    if (block->number != number) {
        int r = blocks_flush(blocks, e);
        if (r < 0) {
            return r;
        }
        block->number = number;
        block->types = 0;
        block->criticality = EVENT_NO_NUMBER;
        block->time_min_us = block->time_max_us = event->time_us;
        block->recorded_min_us = block->recorded_max_us = event->recorded_us;
        block->source_count = 0;
    }
    block->types |= sql_type_bit(event->type);
    block->criticality =
        event->criticality > block->criticality ? event->criticality : block->criticality;
    widen(&block->time_min_us, &block->time_max_us, event->time_us);
    widen(&block->recorded_min_us, &block->recorded_max_us, event->recorded_us);
    add_source(block, (uint32_t)event->source_id);
    block->dirty = true;
    return 0;
}

int blocks_flush(struct blocks *blocks, struct err *e)
{
    struct block *block = &blocks->working;
    if (!block->dirty) {
        return 0;
    }
    db_bind_int(blocks->save, 1, block->number);
    db_bind_int(blocks->save, 2, block->types);
    if (block->criticality == EVENT_NO_NUMBER) {
        db_bind_null(blocks->save, 3);
    } else {
        db_bind_int(blocks->save, 3, block->criticality);
    }
    db_bind_int(blocks->save, 4, block->time_min_us);
    db_bind_int(blocks->save, 5, block->time_max_us);
    db_bind_int(blocks->save, 6, block->recorded_min_us);
    db_bind_int(blocks->save, 7, block->recorded_max_us);
    (void)sqlite3_bind_blob(blocks->save, 8, block->sources,
                            (int)(block->source_count * sizeof block->sources[0]), SQLITE_STATIC);
    int r = db_run(blocks->save, e);
    block->dirty = r < 0;
    return r;
}

void blocks_commit(struct blocks *blocks)
{
    blocks->committed = blocks->working;
}

void blocks_rollback(struct blocks *blocks)
{
    blocks->working = blocks->committed;
}

void blocks_sources_hold(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    uint32_t sources[SQL_BLOCK_ROWS];
    (void)argc;
    const void *blob = sqlite3_value_blob(argv[0]);
    size_t bytes = (size_t)sqlite3_value_bytes(argv[0]);
    if (!blob || bytes > sizeof sources || sqlite3_value_type(argv[1]) == SQLITE_NULL) {
        sqlite3_result_int(context, 0);
        return;
    }
    memcpy(sources, blob, bytes);
    unsigned count = (unsigned)(bytes / sizeof sources[0]);
    uint32_t id = (uint32_t)sqlite3_value_int64(argv[1]);
    unsigned at = source_place(sources, count, id);
    sqlite3_result_int(context, at < count && sources[at] == id);
}
