#include "receiver/stream/ring.h"

#include <assert.h>
#include <errno.h>
#include <string.h>

int ring_init(struct ring *ring, size_t size)
{
    *ring = (struct ring){.bytes = malloc(size), .size = size};
    return ring->bytes ? 0 : -ENOMEM;
}

void ring_deinit(struct ring *ring)
{
    free(ring->bytes);
    ring->bytes = NULL;
}

bool ring_fits(const struct ring *ring, size_t len, uint64_t *ret_at)
{
    uint64_t at = ring->head;
    size_t to_end = ring->size - at % ring->size;

    assert(len <= ring->size / 2);
    if (len > to_end)
        at += to_end;
    *ret_at = at;
    return at + len - ring->tail <= ring->size;
}

void ring_put(struct ring *ring, uint64_t at, const void *bytes, size_t len)
{
    /* The first block at the beginning of the memory: the older ones' run ends here. */
    if (at % ring->size == 0)
        ring->wrap_at = ring->head;
    memcpy(ring_bytes(ring, at), bytes, len);
    ring->head = at + len;
}

void ring_drop(struct ring *ring, uint64_t at)
{
    ring->tail = at;
}
