#pragma once

/*
 * A YAML value with its place in the file. Nodes live in an arena and are never freed one by one. A
 * node has at most one parent.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"

#define NODE_MAX_COUNT 100000 /* of one file, aliases counted as often as they stand */
#define NODE_MAX_KEYS  10000  /* of one mapping, and values of one list */

enum node_kind {
    NODE_NULL = 1 << 0,
    NODE_BOOL = 1 << 1,
    NODE_INT = 1 << 2,
    NODE_FLOAT = 1 << 3,
    NODE_STRING = 1 << 4,
    NODE_LIST = 1 << 5,
    NODE_MAP = 1 << 6,
};

struct place {
    const char *file;
    size_t line, column; /* from 1 */
};

struct node {
    enum node_kind kind;
    const char *key; /* of a mapping's entry, else NULL */
    struct place at, key_at;
    struct node *next;
    struct node *first, *last; /* of a list or mapping */
    size_t count;
    bool truth;
    int64_t integer;
    double number;
    const char *text; /* of a string, and of a number between 2^63 and 2^64 */
};

/* NULL without memory, in all that follow. */
struct node *node_new(struct arena *arena, enum node_kind kind, struct place at);
struct node *node_string(struct arena *arena, struct place at, const char *text);
struct node *node_stringf(struct arena *arena, struct place at, const char *fmt, ...) FORMAT(3, 4);
struct node *node_bool(struct arena *arena, struct place at, bool truth);
struct node *node_int(struct arena *arena, struct place at, int64_t integer);
struct node *node_copy(struct arena *arena, const struct node *node);

/* These take NULL for `child`, give -ENOMEM then, else 0. A key must live as long as the node. */
MUST_CHECK int node_append(struct node *list, struct node *child);
MUST_CHECK int node_put(struct node *map, const char *key, struct node *child); /* replaces */

void node_move(struct node *list, struct node *child); /* from wherever it was: not NULL */

struct node *node_get(const struct node *map, const char *key); /* NULL also if it is no mapping */
const char *node_get_text(const struct node *map, const char *key); /* NULL if there is no string */
void node_remove(struct node *map, const char *key);
void node_become(struct node *node, const struct node *content); /* keeps key and siblings */
void node_clear(struct node *node); /* of children, which the caller has kept */

/* Of strings, by their bytes. 0 or -ENOMEM. */
MUST_CHECK int node_sort(struct arena *arena, struct node *list);

size_t node_size(const struct node *node);   /* with all below */
size_t node_height(const struct node *node); /* levels, itself included */
bool node_equal(const struct node *a, const struct node *b);
bool node_is_empty(const struct node *node); /* null, false, 0, "", nothing in it */

/* A scalar as Go's fmt.Sprint prints it; null as "". */
const char *node_print(struct arena *arena, const struct node *scalar);
const char *node_kind_name(const struct node *node); /* "a string" */
