#pragma once

/*
 * Blocks of bytes in the order of their coming, each in one piece, the oldest falling out. A place
 * in it is the count of bytes that ever went in before; not thread-safe.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct ring {
    char *bytes;
    size_t size;
    uint64_t head;    /* where the next block goes */
    uint64_t tail;    /* the oldest block's place */
    uint64_t wrap_at; /* blocks before it lie before the end of the memory, the others after */
};

MUST_CHECK int ring_init(struct ring *ring, size_t size);
void ring_deinit(struct ring *ring);

/* Where a block of `len` bytes goes; false while older ones are in its way. It is never longer than
 * half of the ring. */
MUST_CHECK bool ring_fits(const struct ring *ring, size_t len, uint64_t *ret_at);
/* Copies the block to the place that ring_fits() gave. */
void ring_put(struct ring *ring, uint64_t at, const void *bytes, size_t len);
/* All before `at` falls out. */
void ring_drop(struct ring *ring, uint64_t at);

static inline char *ring_bytes(const struct ring *ring, uint64_t at)
{
    return ring->bytes + at % ring->size;
}

/* The end of what lies in one piece with the byte at `at`. */
static inline uint64_t ring_run_end(const struct ring *ring, uint64_t at)
{
    return at < ring->wrap_at ? ring->wrap_at : ring->head;
}
