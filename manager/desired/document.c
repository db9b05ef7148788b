#include "manager/desired/document.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/arena.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/digest.h"
#include "manager/desired/file_reference.h"
#include "manager/desired/links.h"
#include "manager/desired/policy.h"
#include "manager/desired/resource.h"
#include "manager/desired/service.h"

#define REVISION_MAX 9007199254740991 /* 2^53 - 1 */

/* A document and what it owns; the document is what others see of it. */
struct owned {
    struct document document;
    struct arena arena;
    cJSON *canonical;
    cJSON *envelope; /* what is not part of the canonical form */
    struct service *services;
};

/* ---- keys ---- */

static int read_project(const struct reading *r, const struct place *at, const struct key *key,
                        const cJSON *value, cJSON **ret_canonical)
{
    if (!cJSON_IsString(value) || !value_is_project_name(value->valuestring))
        return reading_fail_value(r, at, value,
                                  "a name of small letters, digits, '_' and '-', at most 63, that "
                                  "begins with a letter or digit");
    if (str_starts_with(value->valuestring, "k8s_"))
        return reading_fail(r, REASON_NOT_ALLOWED, at,
                            "begins with \"k8s_\", as only containers of Kubernetes do");
    return value_read_string(r, at, key, value, ret_canonical);
}

static const char *const versions[] = {DOCUMENT_API_VERSION, NULL};

static const struct key document_keys[] = {
    {.name = "apiVersion",
     .read = value_read_choice,
     .choices = versions,
     .keep = true,
     .required = true},
    {.name = "revision",
     .read = value_read_integer,
     .min = 1,
     .max = REVISION_MAX,
     .required = true},
    {.name = "id", .read = value_read_string},
    {.name = "issued", .read = value_read_time},
    {.name = "notBefore", .read = value_read_time},
    {.name = "expires", .read = value_read_time},
    {.name = "project", .read = read_project, .required = true},
    {.name = "name", .read = read_project}, /* the same, as Compose calls it */
    {.name = "policy", .read = key_read_options, .keys = policy_keys},
    {.name = "services",
     .read = key_read_objects,
     .item = service_read,
     .max = DOCUMENT_MAX_SERVICES,
     .keep = true,
     .required = true},
    {.name = "networks",
     .read = key_read_objects,
     .item = resource_read_network,
     .keys = network_keys},
    {.name = "volumes",
     .read = key_read_objects,
     .item = resource_read_volume,
     .keys = volume_keys},
    {.name = "secrets",
     .read = key_read_objects,
     .item = file_object_read,
     .keys = file_object_keys,
     .max = FILE_OBJECTS_MAX},
    {.name = "configs",
     .read = key_read_objects,
     .item = file_object_read,
     .keys = file_object_keys,
     .max = FILE_OBJECTS_MAX},
    {.name = "include", .refused = "buoyctl puts what it says into the document"},
    {.name = "models", .refused = "the manager does not have it"},
    {.name = "version", .refused = "Compose has no versions any more; leave it out"},
    {.name = "signature", .refused = "the manager does not check it yet"},
    {.name = NULL},
};

static const char *const envelope_keys[] = {"revision",  "id",      "issued",
                                            "notBefore", "expires", "name"};

/* ---- finding ---- */

static int compare_service(const void *name, const void *service)
{
    return strcmp(name, ((const struct service *)service)->name);
}

static int compare_resource(const void *key, const void *resource)
{
    return strcmp(key, ((const struct resource *)resource)->key);
}

const struct service *document_service(const struct document *document, const char *name)
{
    return bsearch(name, document->services, document->service_count, sizeof *document->services,
                   compare_service);
}

const struct resource *document_network(const struct document *document, const char *key)
{
    return bsearch(key, document->networks, document->network_count, sizeof *document->networks,
                   compare_resource);
}

const struct resource *document_volume(const struct document *document, const char *key)
{
    return bsearch(key, document->volumes, document->volume_count, sizeof *document->volumes,
                   compare_resource);
}

/* ---- making ---- */

/* Moves what does not belong to the canonical form to the envelope, and reads it. */
static int fill_envelope(const struct reading *r, struct owned *owned)
{
    struct document *document = &owned->document;
    const char *name = NULL;
    const char *times[] = {NULL, NULL};

    owned->envelope = cJSON_CreateObject();
    for (size_t i = 0; i < ARRAY_SIZE(envelope_keys); i++) {
        cJSON *item = cJSON_DetachItemFromObjectCaseSensitive(owned->canonical, envelope_keys[i]);

        if (item && !key_add(owned->envelope, envelope_keys[i], item))
            return reading_fail_memory(r);
    }
    document->revision = (int64_t)json_member(owned->envelope, "revision")->valuedouble;
    document->project = json_member(owned->canonical, "project")->valuestring;
    if (json_get_string(owned->envelope, "", "id", &document->id, NULL) < 0 ||
        json_get_string(owned->envelope, "", "name", &name, NULL) < 0 ||
        json_get_string(owned->envelope, "", "notBefore", &times[0], NULL) < 0 ||
        json_get_string(owned->envelope, "", "expires", &times[1], NULL) < 0)
        return reading_fail_memory(r);
    if (times[0] && clock_parse_us(times[0], strlen(times[0]), &document->not_before_us) < 0)
        return reading_fail_memory(r);
    if (times[1] && clock_parse_us(times[1], strlen(times[1]), &document->expires_us) < 0)
        return reading_fail_memory(r);
    if (name && strcmp(name, document->project) != 0)
        return reading_fail(r, REASON_SCHEMA, &(struct place){NULL, "name", 0},
                            "is \"%s\", /project is \"%s\": say one", name, document->project);
    return 0;
}

static int fill_services(const struct reading *r, struct owned *owned)
{
    const cJSON *services = json_member(owned->canonical, "services");
    size_t count = (size_t)cJSON_GetArraySize(services);
    struct service *filled = arena_alloc(&owned->arena, (count + 1) * sizeof *filled);
    const cJSON *canonical;
    size_t i = 0;

    if (!filled)
        return reading_fail_memory(r);
    cJSON_ArrayForEach(canonical, services)
    {
        int ret = service_fill(r, canonical, &owned->arena, &filled[i++]);

        if (ret < 0)
            return ret;
    }
    owned->services = filled;
    owned->document.services = filled;
    owned->document.service_count = count;
    /* Whom others wait to see completed. */
    for (i = 0; i < count; i++)
        for (size_t j = 0; j < filled[i].depends_on_count; j++) {
            const struct dependency *dependency = &filled[i].depends_on[j];
            const struct service *other = document_service(&owned->document, dependency->service);

            if (other && dependency->condition == DEPENDS_COMPLETED)
                filled[other - filled].one_shot = true;
        }
    return 0;
}

static bool uses_default_network(const struct document *document)
{
    for (size_t i = 0; i < document->service_count; i++)
        for (size_t j = 0; document->services[i].networks[j]; j++)
            if (strcmp(document->services[i].networks[j], "default") == 0)
                return true;
    return false;
}

static int add_default_network(struct owned *owned)
{
    cJSON *networks = cJSON_GetObjectItemCaseSensitive(owned->canonical, "networks");

    if (!uses_default_network(&owned->document) || (networks && json_member(networks, "default")))
        return 0;
    if (!networks)
        networks = cJSON_AddObjectToObject(owned->canonical, "networks");
    if (!networks || !cJSON_AddObjectToObject(networks, "default"))
        return -ENOMEM;
    return canonical_sort(networks) < 0 ? -ENOMEM : canonical_sort(owned->canonical);
}

static int fill_resources(const struct reading *r, struct owned *owned)
{
    static const char *const kinds[] = {"networks", "volumes", "secrets", "configs"};
    struct document *document = &owned->document;

    if (add_default_network(owned) < 0)
        return reading_fail_memory(r);
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (resource_complete(cJSON_GetObjectItemCaseSensitive(owned->canonical, kinds[i]),
                              document->project) < 0)
            return reading_fail_memory(r);
    if (resource_list(json_member(owned->canonical, "networks"), &owned->arena, &document->networks,
                      &document->network_count) < 0 ||
        resource_list(json_member(owned->canonical, "volumes"), &owned->arena, &document->volumes,
                      &document->volume_count) < 0)
        return reading_fail_memory(r);
    return 0;
}

/* `failure_action` of Compose in terms of the policy's onFailure. */
static const char *failure_of(const char *action)
{
    return strcmp(action, "pause") == 0      ? "hold"
           : strcmp(action, "continue") == 0 ? "keep-partial"
                                             : "rollback";
}

/* Takes the services' failure_action; `*ret_failure` is what they agree on, or NULL. */
static int agree_on_failure(const struct reading *r, cJSON *services, const char **ret_failure)
{
    const char *agreed = NULL;
    cJSON *service;

    cJSON_ArrayForEach(service, services)
    {
        AUTO(cJSON_Delete)
        cJSON *action = cJSON_DetachItemFromObjectCaseSensitive(service, "failure_action");
        const char *failure = action ? failure_of(action->valuestring) : agreed;

        if (agreed && failure != agreed && strcmp(failure, agreed) != 0) {
            const struct place root = {NULL, "services", 0};
            const struct place own = {&root, service->string, 0};

            return reading_fail(r, REASON_SCHEMA, &(struct place){&own, "deploy", 0},
                                "has another update_config/failure_action than other services: a "
                                "project fails as a whole");
        }
        agreed = failure;
    }
    *ret_failure = agreed;
    return 0;
}

static int fill_policy(const struct reading *r, struct owned *owned)
{
    cJSON *policy = cJSON_GetObjectItemCaseSensitive(owned->canonical, "policy");
    const cJSON *said = json_member(policy, "onFailure");
    cJSON *services = cJSON_GetObjectItemCaseSensitive(owned->canonical, "services");
    const char *failure = NULL;
    int ret = agree_on_failure(r, services, &failure);

    if (ret < 0)
        return ret;
    if (!said && failure) {
        if (!policy)
            policy = cJSON_AddObjectToObject(owned->canonical, "policy");
        if (!policy || !cJSON_AddStringToObject(policy, "onFailure", failure))
            return reading_fail_memory(r);
        said = json_member(policy, "onFailure");
    }
    if (said && strcmp(said->valuestring, "rollback") == 0)
        cJSON_DeleteItemFromObjectCaseSensitive(policy, "onFailure");
    if (policy && !policy->child) {
        cJSON_DeleteItemFromObjectCaseSensitive(owned->canonical, "policy");
        policy = NULL;
    }
    if ((policy && canonical_sort(policy) < 0) || canonical_sort(owned->canonical) < 0)
        return reading_fail_memory(r);
    policy_fill(policy, &owned->document.policy);
    return 0;
}

static int fill_hashes(const struct reading *r, struct owned *owned)
{
    struct document *document = &owned->document;

    for (size_t i = 0; i < document->service_count; i++)
        if (service_hash(document, &owned->services[i]) < 0)
            return reading_fail_memory(r);
    return canonical_digest(owned->canonical, document->digest) < 0 ? reading_fail_memory(r) : 0;
}

static int check_empty(const struct reading *r, const struct document *document)
{
    if (document->service_count > 0 || document->policy.allow_empty)
        return 0;
    return reading_fail(r, REASON_EMPTY, &(struct place){NULL, "services", 0},
                        "is empty; to run nothing, say \"allowEmpty\": true in the policy");
}

static int fill(const struct reading *r, struct owned *owned)
{
    int ret;

    if ((ret = fill_envelope(r, owned)) < 0 || (ret = fill_policy(r, owned)) < 0 ||
        (ret = fill_services(r, owned)) < 0 || (ret = fill_resources(r, owned)) < 0 ||
        (ret = check_empty(r, &owned->document)) < 0 ||
        (ret = links_check(r, &owned->document)) < 0)
        return ret;
    return fill_hashes(r, owned);
}

static int parse_json(const struct reading *r, const char *text, size_t len, cJSON **ret_json)
{
    struct err cause;
    int ret;

    if (len > DOCUMENT_MAX_BYTES)
        return reading_fail(r, REASON_SCHEMA, NULL, "is %zu bytes long, at most %d are taken", len,
                            DOCUMENT_MAX_BYTES);
    ret = json_parse(text, len, JSON_MAX_DEPTH, ret_json, &cause);
    if (ret == -ENOMEM)
        return reading_fail_memory(r);
    return ret < 0 ? reading_fail(r, REASON_SCHEMA, NULL, "cannot be read: %s", cause.msg) : 0;
}

int document_parse(const char *text, size_t len, const struct safety *safety,
                   struct document **ret_document, struct rejection *rejection)
{
    const struct reading reading = {safety, rejection};
    const struct key root = {.keys = document_keys};
    AUTO(cJSON_Delete) cJSON *json = NULL;
    AUTO(document_free) struct document *document = NULL;
    struct owned *owned;
    int ret = parse_json(&reading, text, len, &json);

    if (ret < 0)
        return ret;
    owned = calloc(1, sizeof *owned);
    if (!owned)
        return reading_fail_memory(&reading);
    document = &owned->document;
    ret = key_read_object(&reading, NULL, &root, json, &owned->canonical);
    if (ret < 0)
        return ret;
    document->canonical = owned->canonical;
    ret = fill(&reading, owned);
    if (ret < 0)
        return ret;
    *ret_document = TAKE(document);
    return 0;
}

void document_free(struct document *document)
{
    struct owned *owned = (struct owned *)document; /* its first member */

    if (!owned)
        return;
    cJSON_Delete(owned->canonical);
    cJSON_Delete(owned->envelope);
    arena_deinit(&owned->arena);
    free(owned);
}
