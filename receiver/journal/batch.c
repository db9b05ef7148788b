#include "receiver/journal/batch.h"

#include <string.h>

/* One commit's worth; also keeps a batch within what the journal tracks in memory. */
#define BATCH_ENTRIES_MAX 16384
/* Memory that an idle batch may hold on to. */
#define BATCH_KEEP_BYTES (4u << 20)
/* The receiver's attributes add at most 160 bytes to an event, and the smallest event has 53. */
#define BATCH_OUT_FACTOR 4

/* Offset 0 of an arena is an empty string, so that a zeroed batch_text reads as "". */
static void arena_begin(struct buf *arena)
{
    buf_append_char(arena, '\0');
}

void batch_init(struct batch *batch, size_t max_bytes)
{
    *batch = (struct batch){.in = BUF_INIT(max_bytes), .out = BUF_INIT(max_bytes)};
    if (max_bytes <= SIZE_MAX / BATCH_OUT_FACTOR) {
        batch->out.max = max_bytes * BATCH_OUT_FACTOR;
    }
    arena_begin(&batch->in);
    arena_begin(&batch->out);
}

void batch_deinit(struct batch *batch)
{
    free(batch->entries);
    batch->entries = NULL;
    batch->count = 0;
    batch->capacity = 0;
    buf_deinit(&batch->in);
    buf_deinit(&batch->out);
}

static void arena_reset(struct buf *arena)
{
    if (arena->capacity > BATCH_KEEP_BYTES) {
        buf_deinit(arena);
    }
    buf_reset(arena);
    arena_begin(arena);
}

void batch_reset(struct batch *batch)
{
    batch->count = 0;
    arena_reset(&batch->in);
    arena_reset(&batch->out);
}

static int batch_grow(struct batch *batch)
{
    size_t capacity = batch->capacity ? batch->capacity * 2 : 64;
    if (capacity > BATCH_ENTRIES_MAX) {
        return -ENOBUFS;
    }
    struct batch_entry *entries = realloc(batch->entries, capacity * sizeof *entries);
    if (!entries) {
        return -ENOMEM;
    }
    batch->entries = entries;
    batch->capacity = capacity;
    return 0;
}

struct batch_entry *batch_add(struct batch *batch)
{
    if (batch->count == batch->capacity && batch_grow(batch) < 0) {
        return NULL;
    }
    struct batch_entry *entry = &batch->entries[batch->count++];
    *entry = (struct batch_entry){.time_us = EVENT_NO_TIME, .criticality = EVENT_NO_NUMBER};
    return entry;
}

struct batch_text batch_copy(struct batch *batch, const void *bytes, size_t len)
{
    struct batch_text text = {.at = batch->in.len, .len = len};
    buf_append(&batch->in, bytes, len);
    buf_append_char(&batch->in, '\0');
    return buf_failed(&batch->in) ? (struct batch_text){0, 0} : text;
}

bool batch_failed(const struct batch *batch)
{
    return buf_failed(&batch->in);
}
