#include "manager/reconcile/observed.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/container.h"
#include "manager/reconcile/ghosts.h"

static const char *const state_names[] = {
    [CONTAINER_CREATED] = "created",   [CONTAINER_RUNNING] = "running",
    [CONTAINER_PAUSED] = "paused",     [CONTAINER_RESTARTING] = "restarting",
    [CONTAINER_REMOVING] = "removing", [CONTAINER_EXITED] = "exited",
    [CONTAINER_DEAD] = "dead",
};

const char *container_state_name(enum container_state state)
{
    return state_names[state];
}

void observed_deinit(struct observed *observed)
{
    arena_deinit(&observed->arena);
    *observed = (struct observed){0};
}

/* ---- reading ---- */

/* What an engine says that is not as documented counts as not said. */
static const char *text_of(const cJSON *object, const char *name)
{
    const char *text = cJSON_GetStringValue(json_member(object, name));
    return text ? text : "";
}

static const char *copy(struct observed *o, const char *text)
{
    return arena_copy(&o->arena, text, strlen(text));
}

static const char *copy_member(struct observed *o, const cJSON *object, const char *name)
{
    return copy(o, text_of(object, name));
}

static int64_t number_of(const cJSON *object, const char *name)
{
    const cJSON *value = json_member(object, name);
    return cJSON_IsNumber(value) ? (int64_t)cJSON_GetNumberValue(value) : 0;
}

static int parse_list(const char *what, const char *text, size_t len, cJSON **ret_json,
                      struct err *e)
{
    int r = json_parse(text, len, JSON_MAX_DEPTH, ret_json, e);
    if (r < 0)
        err_context(e, "the engine's list of %s", what);
    return r;
}

static enum container_state parse_state(const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(state_names); i++)
        if (str_equal(name, state_names[i]))
            return (enum container_state)i;
    return CONTAINER_DEAD;
}

static int read_attached(struct observed *o, struct container *c, const cJSON *entry)
{
    const cJSON *networks = json_member(json_member(entry, "NetworkSettings"), "Networks");
    size_t count = (size_t)cJSON_GetArraySize(networks), i = 0;
    struct attached_network *list = arena_alloc(&o->arena, (count + 1) * sizeof(*list));
    const cJSON *network;

    if (!list)
        return -ENOMEM;
    cJSON_ArrayForEach(network, networks)
    {
        list[i].name = copy(o, network->string);
        list[i].id = copy_member(o, network, "NetworkID");
        if (!list[i].name || !list[i].id)
            return -ENOMEM;
        i++;
    }
    c->networks = list;
    c->network_count = i;
    return 0;
}

static int read_ports(struct observed *o, struct container *c, const cJSON *ports)
{
    size_t count = (size_t)cJSON_GetArraySize(ports), i = 0;
    int *list = arena_alloc(&o->arena, (count + 1) * sizeof(*list));
    const cJSON *port;

    if (!list)
        return -ENOMEM;
    cJSON_ArrayForEach(port, ports)
    {
        int64_t number = number_of(port, "PublicPort");
        if (number > 0 && number < 65536)
            list[i++] = (int)number;
    }
    c->host_ports = list;
    c->host_port_count = i;
    return 0;
}

static int read_container(struct observed *o, struct container *c, const cJSON *entry)
{
    const cJSON *labels = json_member(entry, "Labels");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(json_member(entry, "Names"), 0));
    int64_t number = 0, revision = 0;

    name = name ? name : "";
    c->id = copy_member(o, entry, "Id");
    c->name = copy(o, name[0] == '/' ? name + 1 : name);
    c->project = copy_member(o, labels, LABEL_PROJECT);
    c->service = copy_member(o, labels, LABEL_SERVICE);
    c->hash = copy_member(o, labels, LABEL_HASH);
    c->image_id = copy_member(o, entry, "ImageID");
    c->network_mode = copy_member(o, json_member(entry, "HostConfig"), "NetworkMode");
    if (!c->id || !c->name || !c->project || !c->service || !c->hash || !c->image_id ||
        !c->network_mode)
        return -ENOMEM;
    if (str_parse_int(text_of(labels, LABEL_NUMBER), 0, 1000000, &number) == 0)
        c->number = (int)number;
    if (str_parse_int(text_of(labels, LABEL_REVISION), 0, INT64_MAX, &revision) == 0)
        c->revision = revision;
    c->state = parse_state(text_of(entry, "State"));
    int r = read_attached(o, c, entry);
    return r == 0 ? read_ports(o, c, json_member(entry, "Ports")) : r;
}

/* A pod's container is never ours, whatever its labels say. */
static bool is_ours(const cJSON *entry, const char *node)
{
    const cJSON *labels = json_member(entry, "Labels");
    const char *name = cJSON_GetStringValue(cJSON_GetArrayItem(json_member(entry, "Names"), 0));

    return str_equal(text_of(labels, LABEL_NODE), node) &&
           !json_member(labels, "io.kubernetes.pod.name") &&
           !(name && str_starts_with(name, "/k8s_"));
}

static void keep_container(struct observed *o, const struct container *c)
{
    if (ghosts_is_buried(c->name, c->revision))
        o->ghosts[o->ghost_count++] = *c;
    else
        o->containers[o->container_count++] = *c;
}

int observed_read_containers(struct observed *observed, const char *text, size_t len,
                             const char *node, struct err *e)
{
    cJSON *list AUTO(cJSON_Delete) = NULL;
    const cJSON *entry;

    int r = parse_list("containers", text, len, &list, e);
    if (r < 0)
        return r;
    size_t count = (size_t)cJSON_GetArraySize(list);
    observed->containers = arena_alloc(&observed->arena, (count + 1) * sizeof(struct container));
    observed->ghosts = arena_alloc(&observed->arena, (count + 1) * sizeof(struct container));
    if (!observed->containers || !observed->ghosts)
        return FAIL(e, ENOMEM, "out of memory");
    cJSON_ArrayForEach(entry, list)
    {
        struct container c = {0};

        if (!is_ours(entry, node))
            continue;
        r = read_container(observed, &c, entry);
        if (r < 0)
            return FAIL(e, ENOMEM, "out of memory");
        keep_container(observed, &c);
    }
    return 0;
}

int observed_read_networks(struct observed *observed, const char *text, size_t len, struct err *e)
{
    cJSON *list AUTO(cJSON_Delete) = NULL;
    const cJSON *entry;

    int r = parse_list("networks", text, len, &list, e);
    if (r < 0)
        return r;
    size_t count = (size_t)cJSON_GetArraySize(list);
    observed->networks = arena_alloc(&observed->arena, (count + 1) * sizeof(struct network));
    if (!observed->networks)
        return FAIL(e, ENOMEM, "out of memory");
    cJSON_ArrayForEach(entry, list)
    {
        const cJSON *labels = json_member(entry, "Labels");
        struct network *n = &observed->networks[observed->network_count];

        n->id = copy_member(observed, entry, "Id");
        n->name = copy_member(observed, entry, "Name");
        n->project = copy_member(observed, labels, LABEL_PROJECT);
        n->hash = copy_member(observed, labels, LABEL_HASH);
        if (!n->id || !n->name || !n->project || !n->hash)
            return FAIL(e, ENOMEM, "out of memory");
        observed->network_count++;
    }
    return 0;
}

int observed_read_volumes(struct observed *observed, const char *text, size_t len, struct err *e)
{
    cJSON *reply AUTO(cJSON_Delete) = NULL;
    const cJSON *entry;

    int r = parse_list("volumes", text, len, &reply, e);
    if (r < 0)
        return r;
    const cJSON *list = json_member(reply, "Volumes");
    size_t count = (size_t)cJSON_GetArraySize(list);
    observed->volumes = arena_alloc(&observed->arena, (count + 1) * sizeof(struct volume));
    if (!observed->volumes)
        return FAIL(e, ENOMEM, "out of memory");
    cJSON_ArrayForEach(entry, list)
    {
        const cJSON *labels = json_member(entry, "Labels");
        struct volume *v = &observed->volumes[observed->volume_count];

        v->name = copy_member(observed, entry, "Name");
        v->project = copy_member(observed, labels, LABEL_PROJECT);
        v->hash = copy_member(observed, labels, LABEL_HASH);
        if (!v->name || !v->project || !v->hash)
            return FAIL(e, ENOMEM, "out of memory");
        observed->volume_count++;
    }
    return 0;
}

int observed_add_image(struct observed *observed, const char *reference, const char *text,
                       size_t len, struct err *e)
{
    cJSON *reply AUTO(cJSON_Delete) = NULL;
    struct image image = {0};

    int r = text ? json_parse(text, len, JSON_MAX_DEPTH, &reply, e) : 0;
    if (r < 0) {
        err_context(e, "what the engine says of image '%s'", reference);
        return r;
    }
    struct image *images =
        arena_grow(&observed->arena, observed->images, observed->image_count, sizeof(*images));
    if (!images)
        return FAIL(e, ENOMEM, "out of memory");
    observed->images = images;
    image.reference = copy(observed, reference);
    if (text) {
        image.id = copy_member(observed, reply, "Id");
        image.architecture = copy_member(observed, reply, "Architecture");
    }
    if (!image.reference || (text && (!image.id || !image.architecture)))
        return FAIL(e, ENOMEM, "out of memory");
    observed->images[observed->image_count++] = image;
    return 0;
}

/* ---- finding ---- */

const struct network *observed_network(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->network_count; i++)
        if (str_equal(observed->networks[i].name, name))
            return &observed->networks[i];
    return NULL;
}

const struct volume *observed_volume(const struct observed *observed, const char *name)
{
    for (size_t i = 0; i < observed->volume_count; i++)
        if (str_equal(observed->volumes[i].name, name))
            return &observed->volumes[i];
    return NULL;
}

const struct image *observed_image(const struct observed *observed, const char *reference)
{
    for (size_t i = 0; i < observed->image_count; i++)
        if (str_equal(observed->images[i].reference, reference))
            return &observed->images[i];
    return NULL;
}

const struct container *observed_container(const struct observed *observed, const char *id)
{
    for (size_t i = 0; i < observed->container_count; i++)
        if (str_equal(observed->containers[i].id, id))
            return &observed->containers[i];
    return NULL;
}

/* ---- one container, inspected ---- */

static int64_t time_of(const cJSON *object, const char *name)
{
    const char *text = text_of(object, name);
    int64_t us;

    /* "0001-01-01T00:00:00Z" stands for never. */
    return clock_parse_us(text, strlen(text), &us) == 0 && us > 0 ? us : 0;
}

struct inspection inspection_read(const cJSON *inspected)
{
    const cJSON *state = json_member(inspected, "State");
    const cJSON *policy = json_member(json_member(inspected, "HostConfig"), "RestartPolicy");
    const char *health = text_of(json_member(state, "Health"), "Status");
    const char *restart = text_of(policy, "Name");

    return (struct inspection){
        .status = text_of(state, "Status"),
        .health = health[0] != '\0' ? health : "none",
        .running = cJSON_IsTrue(json_member(state, "Running")),
        .oom_killed = cJSON_IsTrue(json_member(state, "OOMKilled")),
        .exit_code = number_of(state, "ExitCode"),
        .restarts = number_of(inspected, "RestartCount"),
        .started_us = time_of(state, "StartedAt"),
        .finished_us = time_of(state, "FinishedAt"),
        .restart_policy = restart[0] != '\0' ? restart : "no",
    };
}
