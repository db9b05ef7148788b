#include "manager/desired/links.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/port.h"

#define PATH_SHOWN_MAX 240

/* The place of `name` below `key` of a service. */
#define SERVICE_PLACE(service, key, name_, index_)                                                 \
    (&(struct place){                                                                              \
        &(struct place){&(struct place){&(struct place){NULL, "services", 0}, (service)->name, 0}, \
                        (key), 0},                                                                 \
        (name_), (index_)})

/* ---- references ---- */

static int check_dependencies(const struct reading *r, const struct document *document,
                              const struct service *service)
{
    for (size_t i = 0; i < service->depends_on_count; i++) {
        const struct dependency *dependency = &service->depends_on[i];
        const struct service *other = document_service(document, dependency->service);
        const struct place *at = SERVICE_PLACE(service, "depends_on", dependency->service, 0);

        if (!other && dependency->required)
            return reading_fail(r, REASON_SCHEMA, at,
                                "names a service that the document does not "
                                "have");
        if (other && dependency->condition == DEPENDS_COMPLETED &&
            (strcmp(other->limits.restart, "always") == 0 ||
             strcmp(other->limits.restart, "unless-stopped") == 0))
            return reading_fail(r, REASON_SCHEMA, at,
                                "waits for the completion of a service that never completes: its "
                                "restart is \"%s\"",
                                other->limits.restart);
        if (other && dependency->condition != DEPENDS_STARTED && other->replicas == 0)
            return reading_fail(r, REASON_SCHEMA, at, "waits for a service that has no replicas");
    }
    return 0;
}

static int check_networks(const struct reading *r, const struct document *document,
                          const struct service *service)
{
    const cJSON *networks = json_member(service->canonical, "networks");

    for (size_t i = 0; service->networks[i]; i++)
        if (!document_network(document, service->networks[i]))
            return reading_fail(r, REASON_SCHEMA,
                                SERVICE_PLACE(service, "networks", service->networks[i], 0),
                                "is not among the document's networks");
    for (const cJSON *network = networks ? networks->child : NULL; network;
         network = network->next) {
        bool fixed = json_member(network, "ipv4_address") || json_member(network, "ipv6_address");

        if (fixed && service->replicas > 1)
            return reading_fail(
                r, REASON_SCHEMA, SERVICE_PLACE(service, "networks", network->string, 0),
                "has an address that only one of %d replicas can have", service->replicas);
        if (fixed && service->strategy == STRATEGY_HANDOVER)
            return reading_fail(r, REASON_SCHEMA,
                                SERVICE_PLACE(service, "networks", network->string, 0),
                                "has an address that the old and the new container cannot both "
                                "have: take another strategy than handover");
    }
    return 0;
}

static int check_namespace(const struct reading *r, const struct document *document,
                           const struct service *service)
{
    const struct place services = {NULL, "services", 0};
    const struct place own = {&services, service->name, 0};
    const struct place at = {&own, "network_mode", 0};
    const struct service *other;

    if (!service->namespace_of)
        return 0;
    other = document_service(document, service->namespace_of);
    if (!other)
        return reading_fail(r, REASON_SCHEMA, &at,
                            "names service \"%.80s\", which the document does not have",
                            service->namespace_of);
    if (other->replicas != 1)
        return reading_fail(r, REASON_SCHEMA, &at,
                            "shares the network of \"%.80s\", which must have one replica, not %d",
                            service->namespace_of, other->replicas);
    return 0;
}

static int check_mounts(const struct reading *r, const struct document *document,
                        const struct service *service)
{
    const cJSON *mount;
    size_t index = 0;

    cJSON_ArrayForEach(mount, json_member(service->canonical, "volumes"))
    {
        const cJSON *source = json_member(mount, "source");
        bool volume = strcmp(json_member(mount, "type")->valuestring, "volume") == 0;

        if (volume && source && !document_volume(document, source->valuestring))
            return reading_fail(r, REASON_SCHEMA, SERVICE_PLACE(service, "volumes", NULL, index),
                                "names volume \"%.80s\", which is not among the document's volumes",
                                source->valuestring);
        index++;
    }
    return 0;
}

static int check_files(const struct reading *r, const struct document *document,
                       const struct service *service, const char *kind)
{
    const cJSON *objects = json_member(document->canonical, kind);
    const cJSON *reference;
    size_t index = 0;

    cJSON_ArrayForEach(reference, json_member(service->canonical, kind))
    {
        const char *source = json_member(reference, "source")->valuestring;

        if (!objects || !json_member(objects, source))
            return reading_fail(r, REASON_SCHEMA, SERVICE_PLACE(service, kind, NULL, index),
                                "names \"%.80s\", which is not among the document's %s", source,
                                kind);
        index++;
    }
    return 0;
}

static int check_service(const struct reading *r, const struct document *document,
                         const struct service *service)
{
    int ret;

    if ((ret = check_namespace(r, document, service)) < 0 ||
        (ret = check_dependencies(r, document, service)) < 0 ||
        (ret = check_networks(r, document, service)) < 0 ||
        (ret = check_mounts(r, document, service)) < 0 ||
        (ret = check_files(r, document, service, "secrets")) < 0 ||
        (ret = check_files(r, document, service, "configs")) < 0)
        return ret;
    return 0;
}

/* ---- names ---- */

static int compare_container_names(const void *a, const void *b)
{
    return strcmp((*(const struct service *const *)a)->container_name,
                  (*(const struct service *const *)b)->container_name);
}

/* The service that would have a container of this name by itself: PROJECT-SERVICE-NUMBER. */
static const struct service *service_named(const struct document *document, const char *name)
{
    size_t project = strlen(document->project);
    const char *number = strrchr(name, '-');
    char service[256];
    const struct service *found;
    int64_t replica;

    if (!str_starts_with(name, document->project) || name[project] != '-' ||
        number <= name + project ||
        !str_copy_n(service, sizeof service, name + project + 1,
                    (size_t)(number - name) - project - 1) ||
        str_parse_int(number + 1, 1, 100, &replica) < 0)
        return NULL;
    found = document_service(document, service);
    return found && !found->container_name && replica <= found->replicas ? found : NULL;
}

static int check_container_name(const struct reading *r, const struct document *document,
                                const struct service *service)
{
    const struct place services = {NULL, "services", 0};
    const struct place own = {&services, service->name, 0};
    const struct place at = {&own, "container_name", 0};
    const struct service *other = service_named(document, service->container_name);

    if (str_starts_with(service->container_name, "k8s_"))
        return reading_fail(r, REASON_NOT_ALLOWED, &at,
                            "begins with \"k8s_\", as only containers of Kubernetes do");
    if (service->replicas > 1)
        return reading_fail(r, REASON_SCHEMA, &at,
                            "is a name that only one of %d replicas can have", service->replicas);
    if (other)
        return reading_fail(r, REASON_SCHEMA, &at, "is what service \"%.80s\" is called by itself",
                            other->name);
    return 0;
}

static int check_container_names(const struct reading *r, const struct document *document)
{
    AUTO(free)
    const struct service **named = calloc(document->service_count + 1, sizeof(struct service *));
    size_t count = 0;

    if (!named)
        return reading_fail_memory(r);
    for (size_t i = 0; i < document->service_count; i++) {
        int ret;

        if (!document->services[i].container_name)
            continue;
        ret = check_container_name(r, document, &document->services[i]);
        if (ret < 0)
            return ret;
        named[count++] = &document->services[i];
    }
    qsort(named, count, sizeof(struct service *), compare_container_names);
    for (size_t i = 1; i < count; i++)
        if (strcmp(named[i - 1]->container_name, named[i]->container_name) == 0) {
            const struct place services = {NULL, "services", 0};
            const struct place own = {&services, named[i]->name, 0};

            return reading_fail(r, REASON_SCHEMA, &(struct place){&own, "container_name", 0},
                                "is that of service \"%.80s\" too", named[i - 1]->name);
        }
    return 0;
}

/* ---- cycles ---- */

enum mark { UNSEEN, ON_PATH, DONE };

/* A walk down the dependencies, with its own stack: a document may be deep. */
struct walk {
    const struct document *document;
    enum mark *marks; /* by service */
    size_t *path;     /* services from the walk's start */
    size_t *next;     /* by depth: the next dependency to look at */
    size_t depth;
};

static int fail_cycle(const struct reading *r, const struct walk *walk, size_t again)
{
    const struct service *services = walk->document->services;
    const struct place root = {NULL, "services", 0};
    const struct place own = {&root, services[again].name, 0};
    AUTO(buf_deinit) struct buf path = BUF_INIT(DOCUMENT_MAX_BYTES);
    size_t start = 0;

    while (walk->path[start] != again)
        start++;
    for (size_t i = start; i < walk->depth; i++)
        buf_appendf(&path, "%s -> ", services[walk->path[i]].name);
    buf_append_str(&path, services[again].name);
    if (buf_failed(&path))
        return reading_fail_memory(r);
    return reading_fail(r, REASON_CYCLE, &(struct place){&own, "depends_on", 0},
                        "comes back to the service itself: %.*s%s", PATH_SHOWN_MAX, path.data,
                        path.len > PATH_SHOWN_MAX ? "..." : "");
}

static int walk_from(const struct reading *r, struct walk *walk, size_t start)
{
    const struct document *document = walk->document;

    walk->depth = 1;
    walk->path[0] = start;
    walk->next[0] = 0;
    walk->marks[start] = ON_PATH;
    while (walk->depth > 0) {
        size_t at = walk->path[walk->depth - 1];
        const struct service *service = &document->services[at];
        size_t next = walk->next[walk->depth - 1]++;
        const struct service *other;
        size_t to;

        if (next == service->depends_on_count) {
            walk->marks[at] = DONE;
            walk->depth--;
            continue;
        }
        other = document_service(document, service->depends_on[next].service);
        if (!other)
            continue;
        to = (size_t)(other - document->services);
        if (walk->marks[to] == ON_PATH)
            return fail_cycle(r, walk, to);
        if (walk->marks[to] == UNSEEN) {
            walk->marks[to] = ON_PATH;
            walk->path[walk->depth] = to;
            walk->next[walk->depth++] = 0;
        }
    }
    return 0;
}

static int check_cycles(const struct reading *r, const struct document *document)
{
    size_t count = document->service_count + 1;
    AUTO(free) enum mark *marks = calloc(count, sizeof *marks);
    AUTO(free) size_t *path = calloc(count, sizeof *path);
    AUTO(free) size_t *next = calloc(count, sizeof *next);
    struct walk walk = {document, marks, path, next, 0};

    if (!marks || !path || !next)
        return reading_fail_memory(r);
    for (size_t i = 0; i < document->service_count; i++) {
        int ret = marks[i] == UNSEEN ? walk_from(r, &walk, i) : 0;

        if (ret < 0)
            return ret;
    }
    return 0;
}

int links_check(const struct reading *r, const struct document *document)
{
    int ret;

    for (size_t i = 0; i < document->service_count; i++) {
        ret = check_service(r, document, &document->services[i]);
        if (ret < 0)
            return ret;
    }
    if ((ret = check_cycles(r, document)) < 0 || (ret = check_container_names(r, document)) < 0)
        return ret;
    return port_check(r, document);
}
