#include "manager/ctl/compose/node.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "manager/ctl/compose/number.h"

struct node *node_new(struct arena *arena, enum node_kind kind, struct place at)
{
    struct node *node = arena_alloc(arena, sizeof *node);
    if (node != NULL) {
        node->kind = kind;
        node->at = at;
    }
    return node;
}

struct node *node_string(struct arena *arena, struct place at, const char *text)
{
    struct node *node = node_new(arena, NODE_STRING, at);
    if (node != NULL) {
        node->text = arena_copy(arena, text, strlen(text));
    }
    return node == NULL || node->text == NULL ? NULL : node;
}

struct node *node_stringf(struct arena *arena, struct place at, const char *fmt, ...)
{
    AUTO(free) char *text = NULL;
    va_list args;
    va_start(args, fmt);
    int len = vasprintf(&text, fmt, args);
    va_end(args);
    if (len < 0) {
        text = NULL;
        return NULL;
    }
    return node_string(arena, at, text);
}

struct node *node_bool(struct arena *arena, struct place at, bool truth)
{
    struct node *node = node_new(arena, NODE_BOOL, at);
    if (node != NULL) {
        node->truth = truth;
    }
    return node;
}

struct node *node_int(struct arena *arena, struct place at, int64_t integer)
{
    struct node *node = node_new(arena, NODE_INT, at);
    if (node != NULL) {
        node->integer = integer;
    }
    return node;
}

struct node *node_copy(struct arena *arena, const struct node *node)
{
    struct node *copy = node_new(arena, node->kind, node->at);
    if (copy == NULL) {
        return NULL;
    }
    *copy = *node;
    copy->next = NULL;
    node_clear(copy);
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        if (node_append(copy, node_copy(arena, child)) < 0) {
            return NULL;
        }
    }
    return copy;
}

void node_move(struct node *list, struct node *child)
{
    child->next = NULL;
    if (list->last == NULL) {
        list->first = child;
    } else {
        list->last->next = child;
    }
    list->last = child;
    list->count++;
}

int node_append(struct node *list, struct node *child)
{
    if (child == NULL) {
        return -ENOMEM;
    }
    node_move(list, child);
    return 0;
}

int node_put(struct node *map, const char *key, struct node *child)
{
    if (child == NULL) {
        return -ENOMEM;
    }
    struct node *present = node_get(map, key);
    if (present != NULL) {
        node_become(present, child);
        return 0;
    }
    child->key = key;
    return node_append(map, child);
}

struct node *node_get(const struct node *map, const char *key)
{
    if (map == NULL || map->kind != NODE_MAP) {
        return NULL;
    }
    for (struct node *child = map->first; child != NULL; child = child->next) {
        if (str_equal(child->key, key)) {
            return child;
        }
    }
    return NULL;
}

const char *node_get_text(const struct node *map, const char *key)
{
    const struct node *child = node_get(map, key);
    return child != NULL && child->kind == NODE_STRING ? child->text : NULL;
}

void node_remove(struct node *map, const char *key)
{
    struct node *child = map->first;
    node_clear(map);
    while (child != NULL) {
        struct node *next = child->next;
        if (!str_equal(child->key, key)) {
            node_move(map, child);
        }
        child = next;
    }
}

void node_become(struct node *node, const struct node *content)
{
    struct node was = *node;
    *node = *content;
    node->key = was.key;
    node->key_at = was.key_at;
    node->next = was.next;
}

void node_clear(struct node *node)
{
    node->first = NULL;
    node->last = NULL;
    node->count = 0;
}

static int compare_texts(const void *a, const void *b)
{
    const struct node *const *x = a;
    const struct node *const *y = b;
    return strcmp((*x)->text, (*y)->text);
}

int node_sort(struct arena *arena, struct node *list)
{
    size_t count = 0;
    struct node **items = arena_alloc(arena, (list->count + 1) * sizeof(struct node *));
    if (items == NULL) {
        return -ENOMEM;
    }
    for (struct node *item = list->first; item != NULL; item = item->next) {
        items[count++] = item;
    }
    qsort(items, count, sizeof(struct node *), compare_texts);
    node_clear(list);
    for (size_t i = 0; i < count; i++) {
        node_move(list, items[i]);
    }
    return 0;
}

size_t node_size(const struct node *node)
{
    size_t size = 1;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        size += node_size(child);
    }
    return size;
}

size_t node_height(const struct node *node)
{
    size_t below = 0;
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        size_t height = node_height(child);
        below = height > below ? height : below;
    }
    return below + 1;
}

static bool children_equal(const struct node *a, const struct node *b)
{
    if (a->count != b->count) {
        return false;
    }
    const struct node *other = b->first;
    for (const struct node *child = a->first; child != NULL; child = child->next) {
        const struct node *peer = a->kind == NODE_MAP ? node_get(b, child->key) : other;
        if (peer == NULL || !node_equal(child, peer)) {
            return false;
        }
        other = other->next;
    }
    return true;
}

bool node_equal(const struct node *a, const struct node *b)
{
    if (a->kind != b->kind) {
        return false;
    }
    switch (a->kind) {
    case NODE_NULL:
        return true;
    case NODE_BOOL:
        return a->truth == b->truth;
    case NODE_INT:
        return a->integer == b->integer;
    case NODE_FLOAT:
        return !(a->number < b->number) && !(a->number > b->number);
    case NODE_STRING:
        return str_equal(a->text, b->text);
    case NODE_LIST:
    case NODE_MAP:
        return children_equal(a, b);
    }
    return false;
}

bool node_is_empty(const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL:
        return true;
    case NODE_BOOL:
        return !node->truth;
    case NODE_INT:
        return node->integer == 0;
    case NODE_FLOAT:
        return !(node->number < 0 || node->number > 0);
    case NODE_STRING:
        return node->text[0] == '\0';
    case NODE_LIST:
    case NODE_MAP:
        return node->count == 0;
    }
    return true;
}

const char *node_print(struct arena *arena, const struct node *scalar)
{
    char text[NUMBER_TEXT_SIZE] = "";
    switch (scalar->kind) {
    case NODE_BOOL:
        return scalar->truth ? "true" : "false";
    case NODE_INT:
        snprintf(text, sizeof text, "%" PRId64, scalar->integer);
        break;
    case NODE_FLOAT:
        if (scalar->text != NULL) {
            return scalar->text;
        }
        number_format(scalar->number, text);
        break;
    case NODE_STRING:
        return scalar->text;
    case NODE_NULL:
    case NODE_LIST:
    case NODE_MAP:
        break;
    }
    return arena_copy(arena, text, strlen(text));
}

const char *node_kind_name(const struct node *node)
{
    switch (node->kind) {
    case NODE_NULL:
        return "nothing";
    case NODE_BOOL:
        return "a boolean";
    case NODE_INT:
    case NODE_FLOAT:
        return "a number";
    case NODE_STRING:
        return "a string";
    case NODE_LIST:
        return "a list";
    case NODE_MAP:
        return "a mapping";
    }
    return "";
}
