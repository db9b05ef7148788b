#include "manager/desired/body.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/key.h"

#define NAME_MAX_SIZE 32 /* of a field of the engine's API */

/* The object that holds the last name of `field`; `*ret_name` is that name. */
static cJSON *holder_of(struct body *body, const char *field, const char **ret_name)
{
    const char *slash = strchr(field, '/');
    cJSON *holder = body->json;

    while (slash) {
        char name[NAME_MAX_SIZE];
        cJSON *next;

        if (!str_copy_n(name, sizeof name, field, (size_t)(slash - field)))
            return NULL;
        next = cJSON_GetObjectItemCaseSensitive(holder, name);
        holder = next ? next : cJSON_AddObjectToObject(holder, name);
        if (!holder)
            return NULL;
        field = slash + 1;
        slash = strchr(field, '/');
    }
    *ret_name = field;
    return holder;
}

bool body_set(struct body *body, const char *field, cJSON *item)
{
    const char *name;
    cJSON *holder = holder_of(body, field, &name);

    if (!holder) {
        cJSON_Delete(item);
        return false;
    }
    return key_add(holder, name, item);
}

cJSON *body_object(struct body *body, const char *field)
{
    const char *name;
    cJSON *holder = holder_of(body, field, &name);
    cJSON *object = holder ? cJSON_GetObjectItemCaseSensitive(holder, name) : NULL;

    return object || !holder ? object : cJSON_AddObjectToObject(holder, name);
}

cJSON *body_array(struct body *body, const char *field)
{
    const char *name;
    cJSON *holder = holder_of(body, field, &name);
    cJSON *array = holder ? cJSON_GetObjectItemCaseSensitive(holder, name) : NULL;

    return array || !holder ? array : cJSON_AddArrayToObject(holder, name);
}
