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

void arena_deinit(struct arena *arena); /* the arena may be used again */
