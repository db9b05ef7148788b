#include "manager/ctl/view.h"

#include "common/base/json.h"

#define EXACT_MAX 9007199254740992.0

const cJSON *view_member(const cJSON *object, const char *name)
{
    return cJSON_IsObject(object) ? json_member(object, name) : NULL;
}

const cJSON *view_object(const cJSON *object, const char *name)
{
    const cJSON *member = view_member(object, name);

    return cJSON_IsObject(member) ? member : NULL;
}

const cJSON *view_array(const cJSON *object, const char *name)
{
    const cJSON *member = view_member(object, name);

    return cJSON_IsArray(member) ? member : NULL;
}

const char *view_string(const cJSON *object, const char *name)
{
    const cJSON *member = view_member(object, name);

    return cJSON_IsString(member) ? member->valuestring : "";
}

int64_t view_int(const cJSON *object, const char *name)
{
    const cJSON *member = view_member(object, name);
    double value = cJSON_IsNumber(member) ? member->valuedouble : 0;

    return value > -EXACT_MAX && value < EXACT_MAX ? (int64_t)value : 0;
}

bool view_bool(const cJSON *object, const char *name)
{
    return cJSON_IsTrue(view_member(object, name));
}
