#include "manager/desired/key.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"
#include "manager/desired/digest.h"

#define NEAREST_MAX 128 /* rows of the longest table */

const struct key *key_find(const struct key *keys, const char *name)
{
    for (; keys->name; keys++)
        if (strcmp(keys->name, name) == 0)
            return keys;
    return NULL;
}

bool key_add(cJSON *object, const char *name, cJSON *item)
{
    bool added = item && (cJSON_IsArray(object) ? cJSON_AddItemToArray(object, item)
                                                : cJSON_AddItemToObject(object, name, item));

    if (!added)
        cJSON_Delete(item);
    return added;
}

/* ---- reading ---- */

static int fail_unknown(const struct reading *r, const struct place *at, const struct key *keys)
{
    const char *names[NEAREST_MAX];
    const char *nearest;
    size_t count = 0;

    for (; keys->name && count < NEAREST_MAX; keys++)
        if (!keys->refused)
            names[count++] = keys->name;
    nearest = str_nearest(at->name, names, count);
    return nearest ? reading_fail(r, REASON_UNSUPPORTED_KEY, at,
                                  "is not known; did you mean \"%s\"?", nearest)
                   : reading_fail(r, REASON_UNSUPPORTED_KEY, at, "is not known");
}

static int member_read(const struct reading *r, const struct place *at, const struct key *keys,
                       const cJSON *member, cJSON *canonical)
{
    const struct key *key = key_find(keys, member->string);
    AUTO(cJSON_Delete) cJSON *value = NULL;
    int ret;

    if (!key)
        return str_starts_with(member->string, "x-") ? 0 : fail_unknown(r, at, keys);
    if (cJSON_IsNull(member))
        return 0;
    if (key->refused)
        return reading_fail(r, REASON_UNSUPPORTED_KEY, at, "is not supported: %s", key->refused);
    ret = key->read(r, at, key, member, &value);
    if (ret < 0 || !value)
        return ret;
    if (key->word && (ret = reading_require(r, at, key->word)) < 0)
        return ret;
    return key_add(canonical, member->string, TAKE(value)) ? 0 : reading_fail_memory(r);
}

static int check_required(const struct reading *r, const struct place *at, const struct key *keys,
                          const cJSON *canonical)
{
    for (; keys->name; keys++)
        if (keys->required && !json_member(canonical, keys->name))
            return reading_fail(r, REASON_SCHEMA, &(struct place){at, keys->name, 0}, "is missing");
    return 0;
}

int key_read_object(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    int ret;

    if (!cJSON_IsObject(value))
        return reading_fail_value(r, at, value, "an object");
    canonical = cJSON_CreateObject();
    if (!canonical)
        return reading_fail_memory(r);
    for (const cJSON *member = value->child; member; member = member->next) {
        ret = member_read(r, &(struct place){at, member->string, 0}, key->keys, member, canonical);
        if (ret < 0)
            return ret;
    }
    ret = check_required(r, at, key->keys, canonical);
    if (ret < 0)
        return ret;
    if (canonical_sort(canonical) < 0)
        return reading_fail_memory(r);
    *ret_canonical = TAKE(canonical);
    return 0;
}

int key_read_options(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    int ret = key_read_object(r, at, key, value, &canonical);

    if (ret == 0 && canonical->child)
        *ret_canonical = TAKE(canonical);
    return ret;
}

static int read_item(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    return key->item ? key->item(r, at, key, value, ret_canonical)
                     : key_read_object(r, at, key, value, ret_canonical);
}

int key_read_objects(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    AUTO(cJSON_Delete) cJSON *none = cJSON_CreateObject();

    if (!cJSON_IsObject(value))
        return reading_fail_value(r, at, value, "an object");
    if (key->max > 0 && cJSON_GetArraySize(value) > key->max)
        return reading_fail(r, REASON_SCHEMA, at, "has more than %d members", (int)key->max);
    canonical = cJSON_CreateObject();
    if (!canonical || !none)
        return reading_fail_memory(r);
    for (const cJSON *member = value->child; member; member = member->next) {
        AUTO(cJSON_Delete) cJSON *item = NULL;
        const struct place place = {at, member->string, 0};
        int ret = read_item(r, &place, key, cJSON_IsNull(member) ? none : member, &item);

        if (ret < 0)
            return ret;
        if (!key_add(canonical, member->string, TAKE(item)))
            return reading_fail_memory(r);
    }
    if (canonical_sort(canonical) < 0)
        return reading_fail_memory(r);
    if (canonical->child || key->keep)
        *ret_canonical = TAKE(canonical);
    return 0;
}

int key_read_array(const struct reading *r, const struct place *at, const struct key *key,
                   const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    size_t index = 0;

    if (!cJSON_IsArray(value))
        return reading_fail_value(r, at, value, "an array of objects");
    if (key->max > 0 && cJSON_GetArraySize(value) > key->max)
        return reading_fail(r, REASON_SCHEMA, at, "has more than %d items", (int)key->max);
    canonical = cJSON_CreateArray();
    if (!canonical)
        return reading_fail_memory(r);
    for (const cJSON *child = value->child; child; child = child->next) {
        AUTO(cJSON_Delete) cJSON *item = NULL;
        int ret = read_item(r, &(struct place){at, NULL, index++}, key, child, &item);

        if (ret < 0)
            return ret;
        if (!key_add(canonical, NULL, TAKE(item)))
            return reading_fail_memory(r);
    }
    if (canonical->child)
        *ret_canonical = TAKE(canonical);
    return 0;
}

/* ---- writing ---- */

bool key_write_all(struct body *body, const struct key *keys, const cJSON *canonical)
{
    for (const cJSON *member = canonical->child; member; member = member->next) {
        const struct key *key = key_find(keys, member->string);
        bool written = true;

        if (key && key->write)
            written = key->write(body, key, member);
        else if (key && key->field)
            written = body_set(body, key->field, cJSON_Duplicate(member, true));
        if (!written)
            return false;
    }
    return true;
}

bool key_write_object(struct body *body, const struct key *key, const cJSON *canonical)
{
    return key_write_all(body, key->keys, canonical);
}
