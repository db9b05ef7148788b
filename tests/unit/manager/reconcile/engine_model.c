#include "tests/unit/manager/reconcile/engine_model.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

#define COPY(field, text) ((void)snprintf(field, sizeof(field), "%s", text))

/* ---- looking ---- */

/* What was observed stays as it was. */
static const struct model_container *snapshot(const struct model_container *m, struct observed *o)
{
    struct model_container *copy = arena_alloc(&o->arena, sizeof(*copy));

    *copy = *m;
    return copy;
}

static bool is_buried(const struct model_container *m)
{
    return ghosts_is_buried(m->name, m->revision);
}

static void observe_container(const struct model_container *now, struct container *c,
                              struct observed *o)
{
    const struct model_container *m = snapshot(now, o);
    char text[256];
    struct attached_network *network = arena_alloc(&o->arena, sizeof(*network));
    int *ports = arena_alloc(&o->arena, sizeof(m->ports));
    cJSON *inspected = NULL;
    int len = snprintf(text, sizeof(text), "container:%s", m->shares);

    *c = (struct container){
        .id = m->id,
        .name = m->name,
        .project = "p",
        .service = m->service,
        .hash = m->hash,
        .image_id = m->image_id,
        .network_mode = m->shares[0] ? arena_copy(&o->arena, text, (size_t)len) : "bridge",
        .number = m->number,
        .revision = m->revision,
        .state = m->state,
        .networks = network,
        .network_count = m->network[0] != '\0',
        .host_ports = ports,
        .host_port_count = m->state == CONTAINER_RUNNING ? m->port_count : 0,
    };
    *network = (struct attached_network){m->network, m->network_id};
    memcpy(ports, m->ports, sizeof(m->ports));
    len = snprintf(text, sizeof(text),
                   "{\"State\":{\"ExitCode\":%d},"
                   "\"HostConfig\":{\"RestartPolicy\":{\"Name\":\"%s\",\"MaximumRetryCount\":0}}}",
                   m->exit_code, m->restart);
    if (json_parse(text, (size_t)len, JSON_MAX_DEPTH, &inspected, NULL) == 0)
        c->inspected = inspected;
}

struct observed *model_observe(const struct model *model)
{
    struct observed *o = calloc(1, sizeof(*o));

    o->containers = arena_alloc(&o->arena, MODEL_MAX * sizeof(struct container));
    o->networks = arena_alloc(&o->arena, MODEL_MAX * sizeof(struct network));
    o->volumes = arena_alloc(&o->arena, MODEL_MAX * sizeof(struct volume));
    o->images = arena_alloc(&o->arena, 8 * sizeof(struct image));
    o->ghosts = arena_alloc(&o->arena, MODEL_MAX * sizeof(struct container));
    for (size_t i = 0; i < MODEL_MAX; i++) {
        const struct model_container *m = &model->containers[i];
        if (m->exists && !m->foreign)
            observe_container(m,
                              is_buried(m) ? &o->ghosts[o->ghost_count++]
                                           : &o->containers[o->container_count++],
                              o);
    }
    for (size_t i = 0; i < MODEL_MAX; i++) {
        const struct model_network *m = &model->networks[i];
        if (m->exists)
            o->networks[o->network_count++] = (struct network){m->id, m->name, m->project, m->hash};
    }
    for (size_t i = 0; i < model->volume_count; i++)
        o->volumes[o->volume_count++] =
            (struct volume){model->volumes[i], "p", model->volume_hashes[i]};
    for (size_t i = 0; i < 8 && model->images[i][0][0] != '\0'; i++)
        o->images[o->image_count++] =
            (struct image){model->images[i][0], model->images[i][1], "amd64"};
    return o;
}

void model_release(struct observed *observed)
{
    for (size_t i = 0; i < observed->container_count; i++)
        cJSON_Delete((cJSON *)(uintptr_t)observed->containers[i].inspected);
    for (size_t i = 0; i < observed->ghost_count; i++)
        cJSON_Delete((cJSON *)(uintptr_t)observed->ghosts[i].inspected);
    observed_deinit(observed);
    free(observed);
}

struct model_container *model_find(struct model *model, const char *name)
{
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model->containers[i].exists && str_equal(model->containers[i].name, name))
            return &model->containers[i];
    return NULL;
}

size_t model_count(const struct model *model)
{
    size_t count = 0;

    for (size_t i = 0; i < MODEL_MAX; i++)
        count += model->containers[i].exists && !model->containers[i].foreign &&
                 !is_buried(&model->containers[i]);
    return count;
}

/* ---- doing ---- */

static bool refuse(struct model *model, const char *why)
{
    model->refused = why;
    return false;
}

static bool is_free(struct model *model, const char *name)
{
    if (ghosts_have(&model->haunted, name))
        model->ghost = name;
    return (!model->ghost && !model_find(model, name)) || refuse(model, "the name is taken");
}

static struct model_container *by_id(struct model *model, const char *id)
{
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model->containers[i].exists && str_equal(model->containers[i].id, id))
            return &model->containers[i];
    return NULL;
}

static struct model_network *network_named(struct model *model, const char *name)
{
    for (size_t i = 0; i < MODEL_MAX; i++)
        if (model->networks[i].exists && str_equal(model->networks[i].name, name))
            return &model->networks[i];
    return NULL;
}

static const char *image_of(const struct model *model, const char *reference)
{
    for (size_t i = 0; i < 8; i++)
        if (str_equal(model->images[i][0], reference))
            return model->images[i][1];
    return NULL;
}

static bool attach(struct model *model, struct model_container *c, const struct document *document,
                   const struct service *service)
{
    for (size_t i = 0; service->networks[0] && i < document->network_count; i++) {
        if (!str_equal(document->networks[i].key, service->networks[0]))
            continue;
        const struct model_network *network = network_named(model, document->networks[i].name);
        if (!network)
            return refuse(model, "its network is not there");
        COPY(c->network, network->name);
        COPY(c->network_id, network->id);
    }
    return true;
}

static bool do_create(struct model *model, const struct document *document, const struct plan *plan,
                      size_t index)
{
    const struct op *op = &plan->ops[index];
    const char *image = image_of(model, op->service->image);
    struct model_container *c = NULL;

    for (size_t i = 0; !c && i < MODEL_MAX; i++)
        if (!model->containers[i].exists)
            c = &model->containers[i];
    if (!c)
        return refuse(model, "the model is too small");
    if (!is_free(model, op->name))
        return false;
    if (!image || image[0] == '\0')
        return refuse(model, "the image is not there");
    *c = (struct model_container){
        .exists = true, .number = op->number, .revision = document->revision};
    (void)snprintf(c->id, sizeof(c->id), "c%d", ++model->next_id);
    COPY(c->name, op->name);
    COPY(c->service, op->service->name);
    COPY(c->hash, op->service->hash);
    COPY(c->image_id, image);
    COPY(c->restart, "no");
    COPY(model->made[index], c->id);
    for (size_t i = 0; i < op->service->host_port_count && i < 4; i++)
        c->ports[c->port_count++] = op->service->host_ports[i];
    for (size_t i = 0; op->service->namespace_of && i < MODEL_MAX; i++)
        if (model->containers[i].exists &&
            str_equal(model->containers[i].service, op->service->namespace_of))
            COPY(c->shares, model->containers[i].id);
    /* The one that this plan has made is the one to share with. */
    for (size_t i = 0; op->service->namespace_of && i < index + MODEL_MAX && i < plan->count; i++)
        if (plan->ops[i].kind == OP_CREATE && model->made[i][0] &&
            str_equal(plan->ops[i].service->name, op->service->namespace_of))
            COPY(c->shares, model->made[i]);
    if (!attach(model, c, document, op->service)) {
        c->exists = false;
        return false;
    }
    return true;
}

static bool do_start(struct model *model, struct model_container *c)
{
    for (size_t i = 0; i < MODEL_MAX; i++) {
        const struct model_container *other = &model->containers[i];

        if (!other->exists || other == c || other->state != CONTAINER_RUNNING)
            continue;
        for (size_t a = 0; a < c->port_count; a++)
            for (size_t b = 0; b < other->port_count; b++)
                if (c->ports[a] == other->ports[b])
                    return refuse(model, "the port is taken");
    }
    if (c->network[0] != '\0') {
        const struct model_network *network = network_named(model, c->network);
        if (!network || !str_equal(network->id, c->network_id))
            return refuse(model, "its network is gone");
    }
    c->state = CONTAINER_RUNNING;
    c->exit_code = 0;
    return true;
}

static bool do_network(struct model *model, const struct op *op)
{
    if (op->kind == OP_NETWORK_REMOVE) {
        for (size_t i = 0; i < MODEL_MAX; i++) {
            const struct model_container *c = &model->containers[i];
            if (c->exists && c->state == CONTAINER_RUNNING && str_equal(c->network_id, op->name))
                return refuse(model, "the network has active endpoints");
        }
        for (size_t i = 0; i < MODEL_MAX; i++)
            if (str_equal(model->networks[i].id, op->name))
                model->networks[i].exists = false;
        return true;
    }
    if (network_named(model, op->resource->name))
        return refuse(model, "the network is there");
    for (size_t i = 0; i < MODEL_MAX; i++) {
        struct model_network *n = &model->networks[i];
        if (n->exists)
            continue;
        n->exists = true;
        (void)snprintf(n->id, sizeof(n->id), "n%d", ++model->next_id);
        COPY(n->name, op->resource->name);
        COPY(n->project, "p");
        COPY(n->hash, op->resource->hash);
        return true;
    }
    return refuse(model, "the model is too small");
}

static bool lets_go(struct model *model, const struct op *op, const struct model_container *c)
{
    bool stuck = c->stuck || (c->deaf && op->kind == OP_STOP && !op->kills);

    if (stuck)
        model->ghost = c->id;
    return !stuck || refuse(model, "it is stuck");
}

static bool do_container(struct model *model, const struct op *op, struct model_container *c)
{
    switch (op->kind) {
    case OP_LIMITS:
        COPY(c->restart, op->keep_stopped ? "no" : op->service->limits.restart);
        return true;
    case OP_STOP:
        if (!lets_go(model, op, c))
            return false;
        if (c->state == CONTAINER_RUNNING) {
            c->state = CONTAINER_EXITED;
            c->exit_code = 143;
        }
        return true;
    case OP_RENAME:
        if (!is_free(model, op->name))
            return false;
        COPY(c->name, op->name);
        return true;
    case OP_START:
        return do_start(model, c);
    case OP_REMOVE:
        c->exists = !lets_go(model, op, c);
        return !c->exists;
    case OP_DISCONNECT: /* its ports are free with that */
        c->network[0] = c->network_id[0] = '\0';
        c->port_count = 0;
        return true;
    default:
        return refuse(model, "the model does not know it");
    }
}

bool model_do(struct model *model, const struct document *document, const struct plan *plan,
              size_t index)
{
    const struct op *op = &plan->ops[index];
    const char *id = op->container ? op->container : op->maker >= 0 ? model->made[op->maker] : "";
    struct model_container *c = by_id(model, id);

    model->refused = model->ghost = NULL;
    switch (op->kind) {
    case OP_CREATE:
        return do_create(model, document, plan, index);
    case OP_NETWORK_CREATE:
    case OP_NETWORK_REMOVE:
        return do_network(model, op);
    case OP_VOLUME_CREATE:
        COPY(model->volumes[model->volume_count], op->resource->name);
        COPY(model->volume_hashes[model->volume_count], op->resource->hash);
        model->volume_count++;
        return true;
    case OP_VERIFY:
        return (c && (c->state == CONTAINER_RUNNING || c->exit_code == 0)) ||
               refuse(model, "it is not good");
    case OP_COMMIT:
        return true;
    default:
        return c ? do_container(model, op, c) : refuse(model, "there is no such container");
    }
}
