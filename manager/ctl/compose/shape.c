#include "manager/ctl/compose/shape.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

#define FIELDS_MAX 128

static const struct field *field_find(const struct shape *shape, const char *name)
{
    for (const struct field *field = shape->fields; field->name != NULL; field++) {
        if (str_equal(field->name, name)) {
            return field;
        }
    }
    return NULL;
}

static bool is_extension(const struct node *node)
{
    return node->key != NULL && str_starts_with(node->key, "x-");
}

static int fail_unknown(struct load *load, const struct node *node, const struct step *step,
                        const struct shape *shape)
{
    const char *names[FIELDS_MAX];
    size_t count = 0;
    for (const struct field *f = shape->fields; f->name != NULL && count < FIELDS_MAX; f++) {
        if (f->shape != NULL) {
            names[count++] = f->name;
        }
    }
    const char *nearest = str_nearest(node->key, names, count);
    char text[128];
    snprintf(text, sizeof text, "there is no such key%s%s%s",
             nearest == NULL ? "" : ", did you mean \"", nearest == NULL ? "" : nearest,
             nearest == NULL ? "" : "\"?");
    return load_fail_key(load, node, step, text);
}

/* The shape of an entry or item; NULL where anything goes. */
static int child_shape(struct load *load, const struct node *child, const struct step *step,
                       const struct shape *shape, const struct shape **ret_shape)
{
    *ret_shape = NULL;
    if (child->key == NULL || shape->fields == NULL) {
        *ret_shape = shape->item;
        return 0;
    }
    if (is_extension(child)) {
        return 0;
    }
    const struct field *field = field_find(shape, child->key);
    if (field == NULL) {
        return fail_unknown(load, child, step, shape);
    }
    if (field->shape == NULL) {
        return load_fail_key(load, child, step, field->refused);
    }
    *ret_shape = field->shape;
    return 0;
}

static int check_unique(struct load *load, const struct node *list, const struct step *step)
{
    size_t index = 0;
    for (const struct node *item = list->first; item != NULL; item = item->next, index++) {
        for (const struct node *other = list->first; other != item; other = other->next) {
            if (node_equal(item, other)) {
                return load_fail(load, item, STEP(step, item, index), "stands here twice");
            }
        }
    }
    return 0;
}

int shape_check(struct load *load, struct node *node, const struct step *step,
                const struct shape *shape)
{
    int result = 0;
    if ((node->kind & shape->kinds) == 0) {
        return load_fail(load, node, step, "must be %s, this is %s%s", shape->what,
                         node_kind_name(node),
                         node->kind == NODE_NULL ? ": leave the key out, or give it a value" : "");
    }
    if (node->kind == NODE_LIST && (shape->flags & SHAPE_UNIQUE) != 0) {
        result = check_unique(load, node, step);
    }
    if (result == 0 && shape->lengthen != NULL) {
        result = shape->lengthen(load, node, step);
    }
    size_t index = 0;
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        const struct step *way = STEP(step, child, index++);
        const struct shape *below = NULL;
        result = child_shape(load, child, way, shape, &below);
        if (result == 0 && below != NULL) {
            result = shape_check(load, child, way, below);
        }
    }
    return result;
}

int shape_finish(struct load *load, struct node *node, const struct step *step,
                 const struct shape *shape)
{
    int result = 0;
    size_t index = 0;
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        const struct step *way = STEP(step, child, index++);
        const struct shape *below = NULL;
        result = child_shape(load, child, way, shape, &below);
        if (result == 0 && below != NULL) {
            result = shape_finish(load, child, way, below);
        }
    }
    return result == 0 && shape->finish != NULL ? shape->finish(load, node, step) : result;
}

static bool is_left_out(const struct node *child, const struct shape *parent,
                        const struct shape *shape)
{
    if (parent == NULL || parent->fields == NULL) {
        return false;
    }
    if (is_extension(child)) {
        return (parent->flags & SHAPE_EXTENSIONS) == 0;
    }
    unsigned flags = shape == NULL ? 0 : shape->flags;
    return child->kind == NODE_NULL ? (flags & SHAPE_KEEP_NULL) == 0
                                    : (flags & SHAPE_KEEP_EMPTY) == 0 && node_is_empty(child);
}

static cJSON *scalar_to_json(const struct node *node)
{
    switch (node->kind) {
    case NODE_BOOL:
        return cJSON_CreateBool(node->truth);
    case NODE_INT:
        return cJSON_CreateNumber((double)node->integer);
    case NODE_FLOAT:
        return isfinite(node->number) ? cJSON_CreateNumber(node->number) : cJSON_CreateNull();
    case NODE_STRING:
        return cJSON_CreateString(node->text);
    case NODE_NULL:
    case NODE_LIST:
    case NODE_MAP:
        break;
    }
    return cJSON_CreateNull();
}

cJSON *shape_to_json(const struct node *node, const struct shape *shape)
{
    if (node->kind != NODE_LIST && node->kind != NODE_MAP) {
        return scalar_to_json(node);
    }
    bool is_map = node->kind == NODE_MAP;
    AUTO(cJSON_Delete) cJSON *json = is_map ? cJSON_CreateObject() : cJSON_CreateArray();
    if (json == NULL) {
        return NULL;
    }
    for (const struct node *child = node->first; child != NULL; child = child->next) {
        const struct shape *below = shape == NULL ? NULL : shape->item;
        if (is_map && shape != NULL && shape->fields != NULL) {
            const struct field *field = field_find(shape, child->key);
            below = field == NULL ? NULL : field->shape;
        }
        if (is_left_out(child, shape, below)) {
            continue;
        }
        AUTO(cJSON_Delete) cJSON *value = shape_to_json(child, below);
        if (value == NULL || !(is_map ? cJSON_AddItemToObject(json, child->key, value)
                                      : cJSON_AddItemToArray(json, value))) {
            return NULL;
        }
        (void)TAKE(value);
    }
    return TAKE(json);
}
