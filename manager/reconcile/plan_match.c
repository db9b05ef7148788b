#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/desired/container.h"
#include "manager/reconcile/planner.h"

/* Which containers serve which of the document's slots, and why one that is there does not. */

static const struct network *network_of(const struct planner *p, const char *key)
{
    int index = planner_resource_index(p->document->networks, p->document->network_count, key);
    return index < 0 ? NULL : observed_network(p->observed, p->document->networks[index].name);
}

static bool is_attached(const struct container *c, const struct network *network)
{
    for (size_t i = 0; i < c->network_count; i++)
        /* The engine leaves the id out of a container that never ran. */
        if (str_equal(c->networks[i].name, network->name) &&
            (c->networks[i].id[0] == '\0' || str_equal(c->networks[i].id, network->id)))
            return true;
    return false;
}

static const char *network_cause(struct planner *p, const struct service *service,
                                 const struct container *c)
{
    for (const char *const *key = service->networks; *key; key++) {
        int index = planner_resource_index(p->document->networks, p->document->network_count, *key);
        const struct network *network = network_of(p, *key);

        if (index >= 0 && p->networks[index].remove != OP_NONE)
            return planner_textf(p, "its network '%s' changed", *key);
        if (!network || !is_attached(c, network))
            return planner_textf(p, "it is not in network '%s'", *key);
    }
    return NULL;
}

/* What `docker tag` or a pull made of the name since; unknown while the image is not there. */
static const char *image_cause(struct planner *p, const struct service *service,
                               const struct container *c)
{
    const struct image *image = observed_image(p->observed, service->image);

    if (!image || !image->id || str_equal(image->id, c->image_id) ||
        str_equal(image->id, p->settings->bad_image))
        return NULL;
    return planner_textf(p, "image '%s' is another one now", service->image);
}

static const struct slot *find_slot(const struct planner *p, const char *service, int number)
{
    for (size_t i = 0; i < p->slot_count; i++)
        if (p->slots[i].number == number && str_equal(p->slots[i].service->name, service))
            return &p->slots[i];
    return NULL;
}

/* A container that shares another's network has its id for good. */
static const char *namespace_cause(struct planner *p, const struct service *service,
                                   const struct container *c)
{
    const struct slot *owner =
        service->namespace_of ? find_slot(p, service->namespace_of, 1) : NULL;
    char mode[128];

    if (!owner)
        return NULL;
    (void)snprintf(mode, sizeof(mode), "container:%s",
                   owner->candidate ? owner->candidate->id : "");
    return str_equal(mode, c->network_mode)
               ? NULL
               : planner_textf(p, "the container of '%s', whose network it shares, is another one",
                               service->namespace_of);
}

/* NULL: it is as wanted. */
static const char *cause_against(struct planner *p, const struct service *service,
                                 const struct container *c)
{
    const char *cause = NULL;

    if (c->state == CONTAINER_DEAD || c->state == CONTAINER_REMOVING)
        return "the engine could not remove it";
    if (!str_equal(c->hash, service->hash))
        return "its configuration changed";
    if (p->settings->bad_image && str_equal(c->image_id, p->settings->bad_image))
        return "its image did not become good";
    cause = image_cause(p, service, c);
    if (!cause)
        cause = network_cause(p, service, c);
    return cause ? cause : namespace_cause(p, service, c);
}

/* The one in its place first, then what runs. */
static int rank(const struct slot *slot, const struct container *c)
{
    return (c == slot->present ? 2 : 0) + (container_is_up(c) ? 1 : 0);
}

static bool serves(const struct planner *p, const struct slot *slot, const struct container *c)
{
    return c->number == slot->number && str_equal(c->service, slot->service->name) &&
           str_equal(c->project, p->document->project);
}

/* The one of its name, whatever service it is of; else its own by the name of one whose own name
 * could not be had. */
static const struct container *find_present(const struct planner *p, const struct slot *slot)
{
    const struct observed *o = p->observed;
    const struct container *found = NULL;

    for (size_t i = 0; i < o->container_count; i++) {
        const struct container *c = &o->containers[i];

        if (str_equal(c->name, slot->name) && str_equal(c->project, p->document->project))
            return c;
        if (serves(p, slot, c) && ghosts_stands_in(c->name, slot->name))
            found = c;
    }
    return found;
}

static void match_slot(struct planner *p, struct slot *slot)
{
    const struct observed *o = p->observed;

    slot->present = find_present(p, slot);
    for (size_t i = 0; i < o->container_count; i++) {
        const struct container *c = &o->containers[i];

        if (!serves(p, slot, c))
            continue;
        const char *cause = cause_against(p, slot->service, c);
        if (c == slot->present)
            slot->cause = cause;
        if (!cause && (!slot->candidate || rank(slot, c) > rank(slot, slot->candidate)))
            slot->candidate = c;
    }
    if (slot->present && !slot->cause && slot->candidate != slot->present)
        slot->cause = "another service's container has its name";
    slot->replaced = !slot->candidate || slot->candidate != slot->present;
}

static bool shares_namespace(const struct slot *slot)
{
    return slot->service->namespace_of != NULL;
}

/* That which the document gives it, or the first like it that can be had. */
static const char *name_of(struct planner *p, const struct service *service, int number)
{
    char wanted[CONTAINER_NAME_SIZE];

    container_name_format(p->document, service, number, wanted);
    const char *name = planner_textf(p, "%s", wanted);
    for (int i = 2; name && ghosts_have(p->settings->ghosts, name); i++)
        name = planner_textf(p, "%s.%d", wanted, i);
    return name;
}

void planner_find_slots(struct planner *p)
{
    const struct document *d = p->document;
    size_t count = 0;

    for (size_t i = 0; i < d->service_count; i++)
        count += (size_t)d->services[i].replicas;
    p->slots = arena_alloc(&p->plan->arena, (count + 1) * sizeof(struct slot));
    if (!p->slots) {
        p->failed = true;
        return;
    }
    for (size_t i = 0; i < d->service_count; i++) {
        const struct service *s = &d->services[i];
        for (int n = 1; n <= s->replicas; n++)
            p->slots[p->slot_count++] = (struct slot){
                .service = s,
                .number = n,
                .name = name_of(p, s, n),
                .create = OP_NONE,
                .stop = OP_NONE,
                .start = OP_NONE,
                .verify = OP_NONE,
                .placed = OP_NONE,
                .gone = OP_NONE,
            };
    }
    /* Those first that others share the network of. */
    for (int pass = 0; pass < 2 && !p->failed; pass++)
        for (size_t i = 0; i < p->slot_count; i++)
            if (shares_namespace(&p->slots[i]) == (pass == 1))
                match_slot(p, &p->slots[i]);
}
