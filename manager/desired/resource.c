#include "manager/desired/resource.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"
#include "manager/desired/digest.h"

#define RESOURCE_NAME_MAX 512
#define DEVICE_WORD_MAX   4200

/* ---- networks ---- */

static const struct key pool_keys[] = {
    {.name = "subnet", .read = value_read_string, .field = "Subnet"},
    {.name = "gateway", .read = value_read_string, .field = "Gateway"},
    {.name = "ip_range", .read = value_read_string, .field = "IPRange"},
    {.name = "aux_addresses", .read = value_read_map, .field = "AuxiliaryAddresses"},
    {.name = NULL},
};

static bool write_pools(struct body *body, const struct key *key, const cJSON *canonical)
{
    cJSON *pools = body_array(body, key->field);
    const cJSON *pool;

    cJSON_ArrayForEach(pool, canonical)
    {
        struct body made = {.json = cJSON_CreateObject()};

        if (!key_add(pools, NULL, made.json) || !key_write_all(&made, key->keys, pool))
            return false;
    }
    return true;
}

static const struct key ipam_keys[] = {
    {.name = "driver", .read = value_read_string, .field = "IPAM/Driver"},
    {.name = "config",
     .read = key_read_array,
     .write = write_pools,
     .field = "IPAM/Config",
     .keys = pool_keys},
    {.name = "options", .read = value_read_map, .field = "IPAM/Options"},
    {.name = NULL},
};

const struct key network_keys[] = {
    {.name = "name", .read = value_read_name, .field = "Name"},
    {.name = "external", .read = value_read_bool},
    {.name = "driver", .read = value_read_string, .field = "Driver"},
    {.name = "driver_opts", .read = value_read_map, .field = "Options"},
    {.name = "ipam", .read = key_read_options, .write = key_write_object, .keys = ipam_keys},
    {.name = "internal", .read = value_read_bool, .field = "Internal"},
    {.name = "attachable", .read = value_read_bool, .field = "Attachable"},
    {.name = "enable_ipv6", .read = value_read_bool, .field = "EnableIPv6"},
    {.name = "labels", .read = value_read_labels, .field = "Labels"},
    {.name = "enable_ipv4", .refused = "engines before 28 do not know it"},
    {.name = NULL},
};

const struct key volume_keys[] = {
    {.name = "name", .read = value_read_name, .field = "Name"},
    {.name = "external", .read = value_read_bool},
    {.name = "driver", .read = value_read_string, .field = "Driver"},
    {.name = "driver_opts", .read = value_read_map, .field = "DriverOpts"},
    {.name = "labels", .read = value_read_labels, .field = "Labels"},
    {.name = NULL},
};

/* An external one is someone else's: nothing but its name can be said of it. */
static int check_external(const struct reading *r, const struct place *at, const cJSON *resource)
{
    if (!json_member(resource, "external"))
        return 0;
    for (const cJSON *member = resource->child; member; member = member->next)
        if (strcmp(member->string, "external") != 0 && strcmp(member->string, "name") != 0)
            return reading_fail(r, REASON_SCHEMA, &(struct place){at, member->string, 0},
                                "does not belong to what is external: it is made by someone else");
    return 0;
}

static int check_network_name(const struct reading *r, const struct place *at, const cJSON *network)
{
    static const char *const modes[] = {"host", "none", "bridge", "default"};
    const cJSON *name = json_member(network, "name");
    const char *text = name ? name->valuestring : json_member(network, "external") ? at->name : "";

    for (size_t i = 0; i < ARRAY_SIZE(modes); i++)
        if (strcmp(modes[i], text) == 0)
            return reading_fail(r, REASON_SCHEMA, at,
                                "is the engine's own network \"%s\": use the service's "
                                "network_mode",
                                text);
    return 0;
}

int resource_read_network(const struct reading *r, const struct place *at, const struct key *key,
                          const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    const cJSON *driver;
    int ret;

    if (!value_is_engine_name(at->name))
        return reading_fail(r, REASON_SCHEMA, at, "is no name: letters, digits, '_', '.' and '-'");
    ret = key_read_object(r, at, key, value, &canonical);
    if (ret < 0 || (ret = check_external(r, at, canonical)) < 0 ||
        (ret = check_network_name(r, at, canonical)) < 0)
        return ret;
    driver = json_member(canonical, "driver");
    if (driver && strcmp(driver->valuestring, "host") == 0)
        return reading_fail(r, REASON_SCHEMA, &(struct place){at, "driver", 0},
                            "cannot be \"host\": use the service's network_mode");
    *ret_canonical = TAKE(canonical);
    return 0;
}

/* ---- volumes ---- */

static bool has_option(const char *options, const char *option)
{
    size_t len = strlen(option);

    for (const char *at = options; *at; at += strcspn(at, ","), at += *at == ',')
        if (strncmp(at, option, len) == 0 && (at[len] == '\0' || at[len] == ','))
            return true;
    return false;
}

static const char *option_of(const cJSON *options, const char *name)
{
    const cJSON *value = json_member(options, name);

    return value ? value->valuestring : "";
}

/* The driver "local" hands type, o and device to mount(2): with "bind" that is a bind mount, and
 * with a device or an overlay anything on the node. */
static int check_mount_options(const struct reading *r, const struct place *at,
                               const cJSON *options)
{
    static const char *const harmless[] = {"tmpfs", "nfs", "nfs4", "cifs"};
    const char *type = option_of(options, "type");
    const char *device = option_of(options, "device");
    const char *o = option_of(options, "o");
    char word[DEVICE_WORD_MAX];

    if (has_option(o, "bind") || has_option(o, "rbind"))
        return reading_require_bind(r, &(struct place){at, "device", 0}, device);
    for (size_t i = 0; i < ARRAY_SIZE(harmless); i++)
        if (strcmp(harmless[i], type) == 0 && !has_option(o, "remount") && !has_option(o, "move"))
            return 0;
    if (!type[0] && !device[0] && !o[0])
        return 0;
    snprintf(word, sizeof word, "device:%s", device);
    if (str_starts_with(device, "/dev/") && !has_option(o, "remount") && r->safety &&
        safety_allows(r->safety, word))
        return 0;
    return reading_require(r, at, "volume-options");
}

static int check_volume(const struct reading *r, const struct place *at, const cJSON *volume)
{
    const cJSON *driver = json_member(volume, "driver");

    if (driver && strcmp(driver->valuestring, "local") != 0)
        return reading_require(r, &(struct place){at, "driver", 0}, "volume-driver");
    return check_mount_options(r, &(struct place){at, "driver_opts", 0},
                               json_member(volume, "driver_opts"));
}

int resource_read_volume(const struct reading *r, const struct place *at, const struct key *key,
                         const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    int ret;

    if (!value_is_engine_name(at->name))
        return reading_fail(r, REASON_SCHEMA, at, "is no name: letters, digits, '_', '.' and '-'");
    ret = key_read_object(r, at, key, value, &canonical);
    if (ret < 0 || (ret = check_external(r, at, canonical)) < 0 ||
        (ret = check_volume(r, at, canonical)) < 0)
        return ret;
    *ret_canonical = TAKE(canonical);
    return 0;
}

/* ---- lists ---- */

static int complete_name(cJSON *object, const char *project)
{
    char name[RESOURCE_NAME_MAX];
    bool external = json_member(object, "external");

    if (json_member(object, "name"))
        return 0;
    snprintf(name, sizeof name, "%s%s%s", external ? "" : project, external ? "" : "_",
             object->string);
    if (!cJSON_AddStringToObject(object, "name", name))
        return -ENOMEM;
    return canonical_sort(object);
}

int resource_complete(cJSON *objects, const char *project)
{
    cJSON *object;

    cJSON_ArrayForEach(object, objects) if (complete_name(object, project) < 0) return -ENOMEM;
    return 0;
}

int resource_list(const cJSON *objects, struct arena *arena, const struct resource **ret_resources,
                  size_t *ret_count)
{
    size_t count = (size_t)cJSON_GetArraySize(objects);
    struct resource *resources = arena_alloc(arena, (count + 1) * sizeof *resources);
    const cJSON *object;
    size_t i = 0;

    if (!resources)
        return -ENOMEM;
    cJSON_ArrayForEach(object, objects)
    {
        struct resource *resource = &resources[i++];

        if (canonical_digest(object, resource->hash) < 0)
            return -ENOMEM;
        resource->key = object->string;
        resource->name = json_member(object, "name")->valuestring;
        resource->external = json_member(object, "external");
        resource->canonical = object;
    }
    *ret_resources = resources;
    *ret_count = count;
    return 0;
}

/* ---- create bodies ---- */

static bool add_labels(struct body *body, const struct document *document,
                       const struct resource *resource, const char *node)
{
    cJSON *labels = body_object(body, "Labels");

    return labels && cJSON_AddStringToObject(labels, LABEL_PROJECT, document->project) &&
           cJSON_AddStringToObject(labels, LABEL_RESOURCE, resource->key) &&
           cJSON_AddStringToObject(labels, LABEL_HASH, resource->hash) &&
           cJSON_AddStringToObject(labels, LABEL_NODE, node);
}

static cJSON *create_body(const struct document *document, const struct resource *resource,
                          const struct key *keys, const char *node)
{
    AUTO(cJSON_Delete) cJSON *json = cJSON_CreateObject();
    struct body body = {.json = json};

    if (!json || !key_write_all(&body, keys, resource->canonical) ||
        !add_labels(&body, document, resource, node))
        return NULL;
    return TAKE(json);
}

cJSON *network_create_body(const struct document *document, const struct resource *network,
                           const char *node)
{
    AUTO(cJSON_Delete) cJSON *json = create_body(document, network, network_keys, node);

    /* Engines before 25 would make a second network of the same name. */
    if (!json || !cJSON_AddTrueToObject(json, "CheckDuplicate"))
        return NULL;
    return TAKE(json);
}

cJSON *volume_create_body(const struct document *document, const struct resource *volume,
                          const char *node)
{
    return create_body(document, volume, volume_keys, node);
}
