#include "common/base/json.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json_scan.h"
#include "common/base/json_text.h"
#include "common/base/str.h"

/* Up to here comparing each with each beats sorting. */
#define PAIRWISE_MAX 16

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static const char *find_duplicate_pairwise(const cJSON *object)
{
    for (const cJSON *a = object->child; a != NULL; a = a->next) {
        for (const cJSON *b = a->next; b != NULL; b = b->next) {
            if (a->string[0] == b->string[0] && strcmp(a->string, b->string) == 0) {
                return a->string;
            }
        }
    }
    return NULL;
}

static int find_duplicate_sorted(const cJSON *object, size_t count, const char **ret_name)
{
    AUTO(free) const char **names = calloc(count, sizeof *names);
    if (names == NULL) {
        return -ENOMEM;
    }
    size_t i = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        names[i++] = member->string;
    }
    qsort(names, count, sizeof *names, compare_names);
    for (i = 1; i < count; i++) {
        if (strcmp(names[i - 1], names[i]) == 0) {
            *ret_name = names[i];
            return 0;
        }
    }
    *ret_name = NULL;
    return 0;
}

static int find_duplicate(const cJSON *object, const char **ret_name)
{
    size_t count = 0;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        count++;
    }
    if (count > PAIRWISE_MAX) {
        return find_duplicate_sorted(object, count, ret_name);
    }
    *ret_name = find_duplicate_pairwise(object);
    return 0;
}

/* The way down to a value, for its JSON pointer. */
struct place {
    const struct place *parent;
    const char *name; /* NULL: an array's item */
    size_t index;
};

static void append_pointer(struct buf *b, const struct place *place)
{
    if (place == NULL) {
        return;
    }
    append_pointer(b, place->parent);
    if (place->name == NULL) {
        buf_appendf(b, "/%zu", place->index);
        return;
    }
    buf_append_char(b, '/');
    json_append_pointer_name(b, place->name);
}

static int check_duplicates(const cJSON *value, const struct place *at, struct err *e)
{
    if (cJSON_IsObject(value)) {
        const char *name = NULL;
        int r = find_duplicate(value, &name);
        if (r < 0) {
            return FAIL(e, -r, "out of memory");
        }
        if (name != NULL) {
            AUTO(buf_deinit) struct buf pointer = BUF_INIT(sizeof e->msg);
            append_pointer(&pointer, &(struct place){at, name, 0});
            return FAIL(e, EINVAL, "%s is there twice", buf_failed(&pointer) ? name : pointer.data);
        }
    }
    size_t index = 0;
    for (const cJSON *child = value->child; child != NULL; child = child->next, index++) {
        if (child->child != NULL) {
            int r = check_duplicates(child, &(struct place){at, child->string, index}, e);
            if (r < 0) {
                return r;
            }
        }
    }
    return 0;
}

int json_parse(const char *text, size_t len, unsigned max_depth, cJSON **ret_json, struct err *e)
{
    /* cJSON's own limit, and ours on recursion. */
    unsigned depth = max_depth < CJSON_NESTING_LIMIT ? max_depth : CJSON_NESTING_LIMIT;
    int r = json_scan(text, len, depth, e);
    if (r < 0) {
        return r;
    }
    AUTO(cJSON_Delete) cJSON *json = cJSON_ParseWithLength(text, len);
    if (json == NULL) {
        return FAIL(e, ENOMEM, "out of memory");
    }
    r = check_duplicates(json, NULL, e);
    if (r < 0) {
        return r;
    }
    *ret_json = TAKE(json);
    return 0;
}
