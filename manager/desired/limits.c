/* What the engine changes in a living container: POST /containers/{id}/update. */

#include <string.h>

#include "common/base/json.h"
#include "manager/desired/body.h"
#include "manager/desired/key.h"
#include "manager/desired/service_keys.h"

#define HOST_CONFIG "HostConfig/"

/* The engine's own choice where only a memory limit is given: as much swap again. It has to be told
 * anew with each new limit, or an old one stands in the way. */
static int64_t swap_of(const struct limits *limits)
{
    return limits->memory_swap_bytes == 0 ? 2 * limits->memory_bytes : limits->memory_swap_bytes;
}

static bool add_restart(cJSON *json, const struct limits *limits, bool keep_stopped)
{
    cJSON *policy = cJSON_AddObjectToObject(json, "RestartPolicy");

    return policy &&
           cJSON_AddStringToObject(policy, "Name", keep_stopped ? "no" : limits->restart) &&
           cJSON_AddNumberToObject(policy, "MaximumRetryCount",
                                   keep_stopped ? 0 : limits->restart_retries);
}

cJSON *container_limits_body(const struct service *service, bool keep_stopped)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
    const struct limits *limits = &service->limits;

    if (!json || !add_restart(json, limits, keep_stopped))
        return NULL;
    for (const cJSON *member = service->canonical->child; member; member = member->next) {
        const struct key *key = key_find(service_keys, member->string);

        if (key && key->effect == KEY_IN_PLACE && key->field &&
            !key_add(json, key->field + strlen(HOST_CONFIG), cJSON_Duplicate(member, true)))
            return NULL;
    }
    if (limits->memory_bytes > 0 && limits->memory_swap_bytes == 0 &&
        !cJSON_AddNumberToObject(json, "MemorySwap", (double)swap_of(limits)))
        return NULL;
    return TAKE(json);
}

/* ---- comparing ---- */

static bool same(const cJSON *wanted, const cJSON *found)
{
    if (cJSON_IsString(wanted))
        return cJSON_IsString(found) && strcmp(wanted->valuestring, found->valuestring) == 0;
    return cJSON_IsNumber(found) && (int64_t)found->valuedouble == (int64_t)wanted->valuedouble;
}

static bool has_restart(const struct limits *limits, const cJSON *host)
{
    const cJSON *policy = json_member(host, "RestartPolicy");
    const char *name = cJSON_GetStringValue(json_member(policy, "Name"));
    const cJSON *count = json_member(policy, "MaximumRetryCount");

    return strcmp(name && name[0] ? name : "no", limits->restart) == 0 &&
           (count ? count->valueint : 0) == limits->restart_retries;
}

/* A kernel without swap accounting leaves -1 there, whatever was asked for. */
static bool has_swap(const struct limits *limits, const cJSON *host)
{
    const cJSON *swap = json_member(host, "MemorySwap");
    int64_t found = cJSON_IsNumber(swap) ? (int64_t)swap->valuedouble : 0;

    if (limits->memory_bytes == 0 || limits->memory_swap_bytes != 0)
        return true;
    return found == swap_of(limits) || found <= 0;
}

bool container_has_limits(const struct service *service, const cJSON *inspected)
{
    const cJSON *host = json_member(inspected, "HostConfig");

    if (!cJSON_IsObject(host) || !has_restart(&service->limits, host) ||
        !has_swap(&service->limits, host))
        return false;
    for (const cJSON *member = service->canonical->child; member; member = member->next) {
        const struct key *key = key_find(service_keys, member->string);

        if (key && key->effect == KEY_IN_PLACE && key->field &&
            !same(member, json_member(host, key->field + strlen(HOST_CONFIG))))
            return false;
    }
    return true;
}
