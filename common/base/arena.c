#include "common/base/arena.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

struct arena_block {
    struct arena_block *next;
    _Alignas(max_align_t) unsigned char bytes[];
};

void *arena_alloc(struct arena *arena, size_t size)
{
    if (size > SIZE_MAX - sizeof(struct arena_block)) {
        return NULL;
    }
    struct arena_block *block = calloc(1, sizeof *block + size);
    if (block == NULL) {
        return NULL;
    }
    block->next = arena->blocks;
    arena->blocks = block;
    return block->bytes;
}

char *arena_copy(struct arena *arena, const char *s, size_t len)
{
    char *copy = len < SIZE_MAX ? arena_alloc(arena, len + 1) : NULL;
    if (copy != NULL) {
        memcpy(copy, s, len);
    }
    return copy;
}

void *arena_grow(struct arena *arena, void *list, size_t count, size_t size)
{
    if ((count & (count - 1)) != 0)
        return list;
    void *grown = arena_alloc(arena, (count > 0 ? 2 * count : 1) * size);
    if (grown && count > 0)
        memcpy(grown, list, count * size);
    return grown;
}

void arena_deinit(struct arena *arena)
{
    while (arena->blocks != NULL) {
        struct arena_block *next = arena->blocks->next;
        free(arena->blocks);
        arena->blocks = next;
    }
}
