/* What a service may do to the node that it runs on. */

#include <ctype.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"
#include "manager/desired/digest.h"
#include "manager/desired/service_value.h"

#define WORD_MAX 256

/* What every container has unless it drops it: adding them back gives nothing new (moby,
 * oci/caps/defaults.go). */
static const char *const default_capabilities[] = {
    "CHOWN",  "DAC_OVERRIDE", "FSETID",           "FOWNER",     "MKNOD",   "NET_RAW", "SETGID",
    "SETUID", "SETFCAP",      "NET_BIND_SERVICE", "SYS_CHROOT", "SETPCAP", "KILL",    "AUDIT_WRITE",
};

/* Those that a container has of its own (moby, daemon's validateSysctls); net.* too, in a network
 * of its own. */
static const char *const own_sysctls[] = {
    "kernel.msgmax", "kernel.msgmnb", "kernel.msgmni", "kernel.sem",
    "kernel.shmall", "kernel.shmmax", "kernel.shmmni", "kernel.shm_rmid_forced",
};

static bool is_of(const char *name, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/* 0 where the node allows "PREFIX:NAME". */
static int require_prefixed(const struct reading *r, const struct place *at, const char *prefix,
                            const char *name)
{
    char word[WORD_MAX];
    int len = snprintf(word, sizeof word, "%s:%s", prefix, name);

    if (len < 0 || len >= (int)sizeof word)
        return reading_fail(r, REASON_SCHEMA, at, "is too long");
    return reading_require(r, at, word);
}

/* "CAP_NET_ADMIN", "net_admin" -> "NET_ADMIN", in place. */
static void normalise_capability(char *name)
{
    char *from = strncasecmp(name, "CAP_", 4) == 0 ? name + 4 : name;

    do {
        *name++ = (char)toupper((unsigned char)*from);
    } while (*from++);
}

int service_value_read_cap_add(const struct reading *r, const struct place *at,
                               const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    cJSON *item;
    size_t index = 0;
    int ret = value_read_strings(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(item, canonical)
    {
        const struct place place = {at, NULL, index++};

        normalise_capability(item->valuestring);
        if (is_of(item->valuestring, default_capabilities, ARRAY_SIZE(default_capabilities)))
            continue;
        ret = require_prefixed(r, &place, "cap", item->valuestring);
        if (ret < 0)
            return ret;
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}

int service_value_read_security_opt(const struct reading *r, const struct place *at,
                                    const struct key *key, const cJSON *value,
                                    cJSON **ret_canonical)
{
    static const char *const harmless[] = {"no-new-privileges", "no-new-privileges:true",
                                           "no-new-privileges=true"};
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    const cJSON *item;
    size_t index = 0;
    int ret = value_read_strings(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(item, canonical)
    {
        const struct place place = {at, NULL, index++};

        if (is_of(item->valuestring, harmless, ARRAY_SIZE(harmless)))
            continue;
        ret = reading_require(r, &place, "security-opt");
        if (ret < 0)
            return ret;
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}

/* ---- devices ---- */

static int read_permissions(const struct reading *r, const struct place *at, const struct key *key,
                            const cJSON *value, cJSON **ret_canonical)
{
    const char *permissions = cJSON_IsString(value) ? value->valuestring : "";
    size_t len = strlen(permissions);

    if (len == 0 || len > 3 || strspn(permissions, "rwm") != len)
        return reading_fail_value(r, at, value, "one or more of \"r\", \"w\" and \"m\"");
    return value_read_string(r, at, key, value, ret_canonical);
}

const struct key service_value_device_keys[] = {
    {.name = "source", .read = value_read_path, .field = "PathOnHost", .required = true},
    {.name = "target", .read = value_read_path, .field = "PathInContainer"},
    {.name = "permissions", .read = read_permissions, .field = "CgroupPermissions"},
    {.name = NULL},
};

/* Compose always prints both; absent they are what the engine's client makes of them. */
static bool complete_device(cJSON *device)
{
    const char *source = json_member(device, "source")->valuestring;

    return (json_member(device, "permissions") ||
            cJSON_AddStringToObject(device, "permissions", "rwm")) &&
           (json_member(device, "target") || cJSON_AddStringToObject(device, "target", source)) &&
           canonical_sort(device) == 0;
}

int service_value_read_devices(const struct reading *r, const struct place *at,
                               const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    cJSON *device;
    size_t index = 0;
    int ret = key_read_array(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(device, canonical)
    {
        ret = require_prefixed(r, &(struct place){at, NULL, index++}, "device",
                               json_member(device, "source")->valuestring);
        if (ret < 0)
            return ret;
        if (!complete_device(device))
            return reading_fail_memory(r);
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}

bool service_value_write_devices(struct body *body, const struct key *key, const cJSON *canonical)
{
    cJSON *devices = body_array(body, "HostConfig/Devices");
    const cJSON *device;

    cJSON_ArrayForEach(device, canonical)
    {
        struct body made = {.json = cJSON_CreateObject()};

        if (!key_add(devices, NULL, made.json) || !key_write_all(&made, key->keys, device))
            return false;
    }
    return true;
}

/* ---- the kernel's settings ---- */

int service_value_read_sysctls(const struct reading *r, const struct place *at,
                               const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    const cJSON *item;
    int ret = value_read_map(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(item, canonical)
    {
        const struct place place = {at, item->string, 0};

        if (is_of(item->string, own_sysctls, ARRAY_SIZE(own_sysctls)) ||
            str_starts_with(item->string, "net.") || str_starts_with(item->string, "fs.mqueue."))
            continue;
        ret = reading_require(r, &place, "sysctls");
        if (ret < 0)
            return ret;
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}

static const struct key ulimit_keys[] = {
    {.name = "soft", .read = value_read_integer, .min = -1, .max = 1LL << 40},
    {.name = "hard", .read = value_read_integer, .min = -1, .max = 1LL << 40},
    {.name = NULL},
};

static double number_of(const cJSON *object, const char *name)
{
    const cJSON *value = json_member(object, name);

    return value ? value->valuedouble : 0;
}

/* 1024, or {"soft": 1024, "hard": 2048}, of which Compose leaves a 0 out. */
static int read_ulimit(const struct reading *r, const struct place *at, const cJSON *value,
                       cJSON **ret_canonical)
{
    const struct key key = {.keys = ulimit_keys};
    AUTO(cJSON_Delete) cJSON *limits = NULL;
    AUTO(cJSON_Delete) cJSON *both = cJSON_CreateObject();
    int64_t limit = 0;
    int ret;

    if (cJSON_IsObject(value))
        ret = key_read_object(r, at, &key, value, &limits);
    else
        ret = value_integer(r, at, &ulimit_keys[0], value, &limit);
    if (ret < 0)
        return ret;
    if (!cJSON_AddNumberToObject(both, "hard",
                                 limits ? number_of(limits, "hard") : (double)limit) ||
        !cJSON_AddNumberToObject(both, "soft", limits ? number_of(limits, "soft") : (double)limit))
        return reading_fail_memory(r);
    *ret_canonical = TAKE(both);
    return 0;
}

int service_value_read_ulimits(const struct reading *r, const struct place *at,
                               const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = cJSON_CreateObject();

    (void)key;
    if (!cJSON_IsObject(value))
        return reading_fail_value(r, at, value, "an object");
    for (const cJSON *member = value->child; member; member = member->next) {
        AUTO(cJSON_Delete) cJSON *limit = NULL;
        int ret = read_ulimit(r, &(struct place){at, member->string, 0}, member, &limit);

        if (ret < 0)
            return ret;
        if (!canonical || !key_add(canonical, member->string, TAKE(limit)))
            return reading_fail_memory(r);
    }
    if (!canonical || canonical_sort(canonical) < 0)
        return reading_fail_memory(r);
    if (canonical->child)
        *ret_canonical = TAKE(canonical);
    return 0;
}

bool service_value_write_ulimits(struct body *body, const struct key *key, const cJSON *canonical)
{
    cJSON *list = body_array(body, "HostConfig/Ulimits");
    const cJSON *limit;

    (void)key;
    cJSON_ArrayForEach(limit, canonical)
    {
        cJSON *made = cJSON_CreateObject();

        if (!key_add(list, NULL, made) || !cJSON_AddStringToObject(made, "Name", limit->string) ||
            !cJSON_AddNumberToObject(made, "Soft", json_member(limit, "soft")->valuedouble) ||
            !cJSON_AddNumberToObject(made, "Hard", json_member(limit, "hard")->valuedouble))
            return false;
    }
    return true;
}
