#include "manager/desired/service.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/digest.h"
#include "manager/desired/endpoint.h"
#include "manager/desired/file_reference.h"
#include "manager/desired/service_keys.h"
#include "manager/desired/service_value.h"

/* ---- deploy ---- */

struct move {
    const char *from; /* below deploy */
    const char *object, *to;
};

static const struct move moves[] = {
    {"replicas", NULL, "scale"},
    {"resources/limits/cpus", NULL, "cpus"},
    {"resources/limits/memory", NULL, "mem_limit"},
    {"resources/limits/pids", NULL, "pids_limit"},
    {"resources/reservations/memory", NULL, "mem_reservation"},
    {"update_config/monitor", "x-bellbuoy", "minUptime"},
    {"update_config/order", "x-bellbuoy", "strategy"},
};

/* Takes the value out at "a/b/c"; NULL where it is not. */
static cJSON *detach_at(cJSON *object, const char *path)
{
    for (const char *slash; object && (slash = strchr(path, '/')); path = slash + 1) {
        char name[32];

        if (!str_copy_n(name, sizeof name, path, (size_t)(slash - path)))
            return NULL;
        object = cJSON_GetObjectItemCaseSensitive(object, name);
    }
    return object ? cJSON_DetachItemFromObjectCaseSensitive(object, path) : NULL;
}

static int fail_contradiction(const struct reading *r, const struct place *at,
                              const struct move *move)
{
    struct place deploy = {at, "deploy", 0};

    return reading_fail(r, REASON_SCHEMA, &deploy, "has another %s than %s%s%s: say it once",
                        move->from, move->object ? move->object : "", move->object ? "/" : "",
                        move->to);
}

static int make_move(const struct reading *r, const struct place *at, const struct move *move,
                     cJSON *deploy, cJSON *service)
{
    AUTO(cJSON_Delete) cJSON *value = detach_at(deploy, move->from);
    cJSON *target = service;
    const cJSON *there;

    if (!value)
        return 0;
    if (cJSON_IsString(value) && !cJSON_SetValuestring(value, "handover"))
        return reading_fail_memory(r);
    if (move->object) {
        target = cJSON_GetObjectItemCaseSensitive(service, move->object);
        if (!target)
            target = cJSON_AddObjectToObject(service, move->object);
        if (!target)
            return reading_fail_memory(r);
    }
    there = json_member(target, move->to);
    if (there)
        return cJSON_Compare(there, value, true) ? 0 : fail_contradiction(r, at, move);
    if (!key_add(target, move->to, TAKE(value)) || canonical_sort(target) < 0)
        return reading_fail_memory(r);
    return 0;
}

/* What `deploy` may say although it equals an absent key. */
static void drop_defaults(cJSON *service)
{
    cJSON *policy = cJSON_GetObjectItemCaseSensitive(service, "x-bellbuoy");
    const cJSON *scale = json_member(service, "scale");
    const cJSON *uptime = json_member(policy, "minUptime");

    if (scale && scale->valueint == 1)
        cJSON_DeleteItemFromObjectCaseSensitive(service, "scale");
    if (uptime && (int64_t)uptime->valuedouble == SERVICE_MIN_UPTIME_NS)
        cJSON_DeleteItemFromObjectCaseSensitive(policy, "minUptime");
    if (policy && !policy->child)
        cJSON_DeleteItemFromObjectCaseSensitive(service, "x-bellbuoy");
}

static int fold_deploy(const struct reading *r, const struct place *at, cJSON *service)
{
    AUTO(cJSON_Delete) cJSON *deploy = cJSON_DetachItemFromObjectCaseSensitive(service, "deploy");
    cJSON *action;

    for (size_t i = 0; deploy && i < ARRAY_SIZE(moves); i++) {
        int ret = make_move(r, at, &moves[i], deploy, service);

        if (ret < 0)
            return ret;
    }
    action = deploy ? detach_at(deploy, "update_config/failure_action") : NULL;
    if (action && !key_add(service, "failure_action", action))
        return reading_fail_memory(r);
    drop_defaults(service);
    return canonical_sort(service) < 0 ? reading_fail_memory(r) : 0;
}

/* ---- networks ---- */

/* The engine refuses these in the network of another container. */
static const char *const own_network_keys[] = {"hostname", "ports",   "expose",    "extra_hosts",
                                               "dns",      "dns_opt", "dns_search"};

static int check_mode(const struct reading *r, const struct place *at, const cJSON *service)
{
    const cJSON *mode = json_member(service, "network_mode");
    bool shared = mode && strchr(mode->valuestring, ':');

    if (!mode)
        return 0;
    if (json_member(service, "networks"))
        return reading_fail(r, REASON_SCHEMA, &(struct place){at, "networks", 0},
                            "and network_mode exclude each other");
    for (size_t i = 0; shared && i < ARRAY_SIZE(own_network_keys); i++)
        if (json_member(service, own_network_keys[i]))
            return reading_fail(r, REASON_SCHEMA, &(struct place){at, own_network_keys[i], 0},
                                "does not go with network_mode \"%.80s\": it belongs to the "
                                "service whose network it is",
                                mode->valuestring);
    return 0;
}

/* ---- what does not go together ---- */

static int64_t number_of(const cJSON *object, const char *name, int64_t unset)
{
    const cJSON *value = json_member(object, name);

    return value ? (int64_t)value->valuedouble : unset;
}

/* The engine would refuse these too, but only once the apply is under way. */
static int check_memory(const struct reading *r, const struct place *at, const cJSON *service)
{
    int64_t limit = number_of(service, "mem_limit", 0);
    int64_t swap = number_of(service, "memswap_limit", 0);

    if (swap != 0 && limit == 0)
        return reading_fail(r, REASON_SCHEMA, &(struct place){at, "memswap_limit", 0},
                            "needs mem_limit beside it");
    if (swap > 0 && swap < limit)
        return reading_fail(r, REASON_SCHEMA, &(struct place){at, "memswap_limit", 0},
                            "must not be below mem_limit: it is memory and swap together");
    if (limit > 0 && number_of(service, "mem_reservation", 0) > limit)
        return reading_fail(r, REASON_SCHEMA, &(struct place){at, "mem_reservation", 0},
                            "must not be above mem_limit");
    return 0;
}

static int check_one_shot(const struct reading *r, const struct place *at, const cJSON *service)
{
    const cJSON *restart = json_member(service, "restart");

    if (!json_member(json_member(service, "x-bellbuoy"), "oneShot") || !restart ||
        str_starts_with(restart->valuestring, "on-failure"))
        return 0;
    return reading_fail(
        r, REASON_SCHEMA, &(struct place){at, "restart", 0},
        "must be \"no\" or \"on-failure\": with \"%s\" a service with oneShot never "
        "ends",
        restart->valuestring);
}

/* ---- what is not said ---- */

/* Who names neither is in `default`. */
static int add_default_network(const struct reading *r, cJSON *service)
{
    cJSON *networks;

    if (json_member(service, "networks") || json_member(service, "network_mode"))
        return 0;
    networks = cJSON_AddObjectToObject(service, "networks");
    return networks && cJSON_AddObjectToObject(networks, "default") ? 0 : reading_fail_memory(r);
}

/* Whose network it shares must be there first, as Compose has it too. */
static int add_implied_dependency(const struct reading *r, cJSON *service)
{
    const cJSON *mode = json_member(service, "network_mode");
    cJSON *dependencies = cJSON_GetObjectItemCaseSensitive(service, "depends_on");
    const char *prefix = "service:";
    cJSON *dependency;

    if (!mode || !str_starts_with(mode->valuestring, prefix))
        return 0;
    if (!dependencies)
        dependencies = cJSON_AddObjectToObject(service, "depends_on");
    if (!dependencies)
        return reading_fail_memory(r);
    if (json_member(dependencies, mode->valuestring + strlen(prefix)))
        return 0;
    dependency = cJSON_AddObjectToObject(dependencies, mode->valuestring + strlen(prefix));
    return dependency && cJSON_AddTrueToObject(dependency, "restart") &&
                   canonical_sort(dependencies) == 0
               ? 0
               : reading_fail_memory(r);
}

int service_read(const struct reading *r, const struct place *at, const struct key *key,
                 const cJSON *value, cJSON **ret_canonical)
{
    const struct key object = {.keys = service_keys};
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    int ret;

    (void)key;
    if (!value_is_service_name(at->name))
        return reading_fail(r, REASON_SCHEMA, at,
                            "is no name of a service: letters, digits, '_', '.' and '-', at most "
                            "160");
    ret = key_read_object(r, at, &object, value, &canonical);
    if (ret < 0 || (ret = fold_deploy(r, at, canonical)) < 0 ||
        (ret = check_mode(r, at, canonical)) < 0 || (ret = check_memory(r, at, canonical)) < 0 ||
        (ret = check_one_shot(r, at, canonical)) < 0 ||
        (ret = add_default_network(r, canonical)) < 0 ||
        (ret = add_implied_dependency(r, canonical)) < 0)
        return ret;
    if (canonical_sort(canonical) < 0)
        return reading_fail_memory(r);
    *ret_canonical = TAKE(canonical);
    return 0;
}

/* ---- struct service ---- */

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *value = json_member(object, name);

    return value ? value->valuestring : NULL;
}

static void fill_limits(const cJSON *canonical, struct limits *limits)
{
    static const char *const names[] = {"no", "always", "unless-stopped", "on-failure"};
    const char *restart = text_of(canonical, "restart");

    *limits = (struct limits){
        .restart = names[0],
        .memory_bytes = number_of(canonical, "mem_limit", 0),
        .memory_reservation_bytes = number_of(canonical, "mem_reservation", 0),
        .memory_swap_bytes = number_of(canonical, "memswap_limit", 0),
        .nano_cpus = number_of(canonical, "cpus", 0),
        .cpu_shares = number_of(canonical, "cpu_shares", 0),
        .cpuset = text_of(canonical, "cpuset"),
        .pids = number_of(canonical, "pids_limit", 0),
    };
    for (size_t i = 0; restart && i < ARRAY_SIZE(names); i++) {
        int64_t retries = 0;
        const char *colon = strchr(restart, ':');

        if (!str_starts_with(restart, names[i]))
            continue;
        limits->restart = names[i];
        if (colon && str_parse_int(colon + 1, 0, INT32_MAX, &retries) == 0)
            limits->restart_retries = (int)retries;
    }
}

static int fill_dependencies(const cJSON *canonical, struct arena *arena, struct service *service)
{
    const cJSON *map = json_member(canonical, "depends_on");
    size_t count = (size_t)cJSON_GetArraySize(map);
    struct dependency *dependencies = arena_alloc(arena, (count + 1) * sizeof *dependencies);
    const cJSON *member;
    size_t i = 0;

    if (!dependencies)
        return -ENOMEM;
    cJSON_ArrayForEach(member, map)
    {
        const char *condition = text_of(member, "condition");

        dependencies[i++] = (struct dependency){
            .service = member->string,
            .condition = !condition                                  ? DEPENDS_STARTED
                         : strcmp(condition, "service_healthy") == 0 ? DEPENDS_HEALTHY
                                                                     : DEPENDS_COMPLETED,
            .restart = json_member(member, "restart"),
            .required = !json_member(member, "required"),
        };
    }
    service->depends_on = dependencies;
    service->depends_on_count = count;
    return 0;
}

static int compare_endpoints(const void *a, const void *b)
{
    const cJSON *first = *(const cJSON *const *)a;
    const cJSON *second = *(const cJSON *const *)b;
    int order = endpoint_compare(first, second);

    return order != 0 ? order : strcmp(first->string, second->string);
}

static int fill_networks(const cJSON *canonical, struct arena *arena, struct service *service)
{
    const cJSON *map = json_member(canonical, "networks");
    size_t count = (size_t)cJSON_GetArraySize(map);
    AUTO(free) const cJSON **endpoints = calloc(count + 1, sizeof(cJSON *));
    const char **keys = arena_alloc(arena, (count + 1) * sizeof *keys);
    const cJSON *endpoint;
    size_t i = 0;

    if (!endpoints || !keys)
        return -ENOMEM;
    cJSON_ArrayForEach(endpoint, map) endpoints[i++] = endpoint;
    qsort(endpoints, count, sizeof(cJSON *), compare_endpoints);
    for (i = 0; i < count; i++)
        keys[i] = endpoints[i]->string;
    service->networks = keys;
    return 0;
}

static int compare_texts(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static int fill_volumes(const cJSON *canonical, struct arena *arena, struct service *service)
{
    const cJSON *list = json_member(canonical, "volumes");
    const char **keys = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof *keys);
    const cJSON *mount;
    size_t count = 0;
    size_t kept = 0;

    if (!keys)
        return -ENOMEM;
    cJSON_ArrayForEach(mount, list) if (strcmp(text_of(mount, "type"), "volume") == 0 &&
                                        json_member(mount, "source")) keys[count++] =
        text_of(mount, "source");
    qsort(keys, count, sizeof *keys, compare_texts);
    for (size_t i = 0; i < count; i++)
        if (kept == 0 || strcmp(keys[kept - 1], keys[i]) != 0)
            keys[kept++] = keys[i];
    keys[kept] = NULL;
    service->volumes = keys;
    return 0;
}

/* A range leaves the choice to the engine. */
static int fill_ports(const cJSON *canonical, struct arena *arena, struct service *service)
{
    const cJSON *list = json_member(canonical, "ports");
    int *ports = arena_alloc(arena, ((size_t)cJSON_GetArraySize(list) + 1) * sizeof *ports);
    const cJSON *port;

    if (!ports)
        return -ENOMEM;
    cJSON_ArrayForEach(port, list)
    {
        const char *published = text_of(port, "published");
        int64_t number;

        if (published && str_parse_int(published, 1, 65535, &number) == 0)
            ports[service->host_port_count++] = (int)number;
    }
    service->host_ports = ports;
    return 0;
}

static void fill_policy(const cJSON *canonical, struct service *service)
{
    const cJSON *policy = json_member(canonical, "x-bellbuoy");
    const char *pull = text_of(canonical, "pull_policy");
    const char *strategy = text_of(policy, "strategy");

    service->pull = !pull ? PULL_MISSING : strcmp(pull, "always") == 0 ? PULL_ALWAYS : PULL_NEVER;
    service->strategy = !strategy                           ? STRATEGY_CREATE_STOP_START
                        : strcmp(strategy, "handover") == 0 ? STRATEGY_HANDOVER
                                                            : STRATEGY_STOP_CREATE_START;
    service->healthy_within_ns = number_of(policy, "healthyWithin", SERVICE_HEALTHY_WITHIN_NS);
    service->min_uptime_ns = number_of(policy, "minUptime", SERVICE_MIN_UPTIME_NS);
    service->one_shot = policy && json_member(policy, "oneShot");
}

int service_fill(const struct reading *r, const cJSON *canonical, struct arena *arena,
                 struct service *ret_service)
{
    const cJSON *healthcheck = json_member(canonical, "healthcheck");
    const cJSON *test = json_member(healthcheck, "test");
    const char *mode = text_of(canonical, "network_mode");
    struct service service = {
        .name = canonical->string,
        .image = text_of(canonical, "image"),
        .platform = text_of(canonical, "platform"),
        .container_name = text_of(canonical, "container_name"),
        .replicas = (int)number_of(canonical, "scale", 1),
        .has_healthcheck = test && strcmp(test->child->valuestring, "NONE") != 0,
        .namespace_of =
            mode && str_starts_with(mode, "service:") ? mode + strlen("service:") : NULL,
        .canonical = canonical,
    };

    fill_limits(canonical, &service.limits);
    fill_policy(canonical, &service);
    service.stop_grace_ns = number_of(canonical, "stop_grace_period", SERVICE_STOP_GRACE_NS);
    if (fill_dependencies(canonical, arena, &service) < 0 ||
        fill_ports(canonical, arena, &service) < 0 ||
        fill_networks(canonical, arena, &service) < 0 ||
        fill_volumes(canonical, arena, &service) < 0)
        return reading_fail_memory(r);
    *ret_service = service;
    return 0;
}

/* ---- hash ---- */

static const char *resource_name(const struct resource *resource)
{
    return resource ? resource->name : "";
}

/* What the service's references mean: their names in the engine, the files' names. */
static bool add_references(cJSON *references, const struct document *document,
                           const struct service *service)
{
    static const char *const kinds[] = {"secrets", "configs"};
    bool added = true;

    for (size_t i = 0; added && service->networks[i]; i++)
        added = cJSON_AddStringToObject(
            references, service->networks[i],
            resource_name(document_network(document, service->networks[i])));
    for (size_t i = 0; added && service->volumes[i]; i++)
        added =
            cJSON_AddStringToObject(references, service->volumes[i],
                                    resource_name(document_volume(document, service->volumes[i])));
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        const cJSON *objects = json_member(document->canonical, kinds[i]);
        const cJSON *reference;

        cJSON_ArrayForEach(reference, json_member(service->canonical, kinds[i])) added =
            added &&
            cJSON_AddStringToObject(references, text_of(reference, "source"),
                                    file_object_name(objects, text_of(reference, "source")));
    }
    return added;
}

int service_hash(const struct document *document, struct service *service)
{
    AUTO(cJSON_Delete) cJSON *hashed = cJSON_CreateObject();
    cJSON *limits = hashed ? cJSON_AddArrayToObject(hashed, "limits") : NULL;
    cJSON *references = hashed ? cJSON_AddObjectToObject(hashed, "references") : NULL;

    if (!limits || !references || !add_references(references, document, service))
        return -ENOMEM;
    for (const cJSON *member = service->canonical->child; member; member = member->next) {
        const struct key *key = key_find(service_keys, member->string);
        enum key_effect effect = key ? key->effect : KEY_POLICY;
        bool added = true;

        if (effect == KEY_RECREATES)
            added = key_add(hashed, member->string, cJSON_Duplicate(member, true));
        else if (effect == KEY_IN_PLACE && strcmp(member->string, "restart") != 0)
            added = key_add(limits, NULL, cJSON_CreateString(member->string));
        if (!added)
            return -ENOMEM;
    }
    return canonical_digest(hashed, service->hash);
}
