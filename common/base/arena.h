#pragma once

/* Memory that is freed all at once: many small things with one lifetime. Not thread-safe. */

#include <stddef.h>

struct arena_block;

struct arena {
    struct arena_block *blocks; /* NULL: empty */
};

/* Aligned for any type, zeroed; NULL without memory. */
void *arena_alloc(struct arena *arena, size_t size);

/* A NUL-terminated copy; NULL without memory. */
char *arena_copy(struct arena *arena, const char *s, size_t len);

/*
 * A list of `count` items of `size` bytes, with room for one more: the list itself, or at each
 * power of two another of twice the size. The arena keeps the old one, so that all of them take
 * twice the memory of the last. NULL without memory; the list is as it was then. The first is NULL.
 */
void *arena_grow(struct arena *arena, void *list, size_t count, size_t size);

void arena_deinit(struct arena *arena); /* the arena may be used again */
