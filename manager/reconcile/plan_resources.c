#include <string.h>

#include "common/base/str.h"
#include "manager/reconcile/planner.h"

/* Networks, volumes and images: what containers need before they can be made. */

/* ---- networks ---- */

static void plan_network(struct planner *p, size_t index)
{
    const struct resource *wanted = &p->document->networks[index];
    const struct network *present = observed_network(p->observed, wanted->name);
    const char *reason = PLAN_ABSENT;

    p->networks[index].create = p->networks[index].remove = OP_NONE;
    if (wanted->external) {
        if (!present)
            planner_block(p, REASON_RESOURCE_MISSING, NULL,
                          planner_textf(p, "the external network '%s' is not there", wanted->name));
        return;
    }
    if (present && !str_equal(present->project, p->document->project)) {
        planner_block(
            p, REASON_NAME_CONFLICT, NULL,
            planner_textf(p, "a network '%s' is there that is not this project's", wanted->name));
        return;
    }
    if (present && str_equal(present->hash, wanted->hash))
        return;
    if (present) {
        reason = "its configuration changed";
        int remove = planner_add(p, OP_NETWORK_REMOVE, wanted->name, reason);
        planner_op(p, remove)->resource = wanted;
        planner_op(p, remove)->name = present->id;
        p->networks[index].remove = remove;
    }
    int create = planner_add(p, OP_NETWORK_CREATE, wanted->name, reason);
    planner_op(p, create)->resource = wanted;
    planner_after(p, create, p->networks[index].remove);
    p->networks[index].create = create;
}

void planner_networks(struct planner *p)
{
    size_t count = p->document->network_count;

    p->networks = arena_alloc(&p->plan->arena, (count + 1) * sizeof(*p->networks));
    p->failed |= !p->networks;
    for (size_t i = 0; i < count && !p->failed; i++)
        plan_network(p, i);
}

/* ---- volumes ---- */

static void plan_volume(struct planner *p, size_t index)
{
    const struct resource *wanted = &p->document->volumes[index];
    const struct volume *present = observed_volume(p->observed, wanted->name);

    p->volumes[index] = OP_NONE;
    if (wanted->external) {
        if (!present)
            planner_block(p, REASON_RESOURCE_MISSING, NULL,
                          planner_textf(p, "the external volume '%s' is not there", wanted->name));
        return;
    }
    if (!present) {
        p->volumes[index] = planner_add(p, OP_VOLUME_CREATE, wanted->name, PLAN_ABSENT);
        planner_op(p, p->volumes[index])->resource = wanted;
    } else if (!str_equal(present->project, p->document->project)) {
        planner_block(p, REASON_NAME_CONFLICT, NULL,
                      planner_textf(p,
                                    "a volume '%s' is there that is not this project's; "
                                    "\"external\": true would use it",
                                    wanted->name));
    } else if (!str_equal(present->hash, wanted->hash)) {
        /* It holds data: nobody but a person throws that away. */
        planner_block(p, REASON_INVALID, NULL,
                      planner_textf(p,
                                    "volume '%s' is there with another driver or other options; "
                                    "remove it by hand, with what is in it, or name another",
                                    wanted->name));
    }
}

void planner_volumes(struct planner *p)
{
    size_t count = p->document->volume_count;

    p->volumes = arena_alloc(&p->plan->arena, (count + 1) * sizeof(*p->volumes));
    p->failed |= !p->volumes;
    for (size_t i = 0; i < count && !p->failed; i++)
        plan_volume(p, i);
}

int planner_resource_index(const struct resource *list, size_t count, const char *key)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i].key, key))
            return (int)i;
    return -1;
}

/* ---- images ---- */

static int find_pull(struct planner *p, const struct service *service)
{
    for (size_t i = 0; i < p->plan->count; i++) {
        const struct op *op = &p->plan->ops[i];
        if (op->kind == OP_PULL && str_equal(op->service->image, service->image) &&
            str_equal(op->service->platform, service->platform))
            return (int)i;
    }
    return OP_NONE;
}

static int plan_pull(struct planner *p, const struct service *service, const char *reason)
{
    int pull = find_pull(p, service);

    if (pull == OP_NONE) {
        pull = planner_add(p, OP_PULL, service->image, reason);
        planner_op(p, pull)->service = service;
    }
    return pull;
}

void planner_images(struct planner *p)
{
    for (size_t i = 0; i < p->slot_count && !p->failed; i++) {
        struct slot *slot = &p->slots[i];
        const struct service *service = slot->service;
        const struct image *image = observed_image(p->observed, service->image);
        bool absent = !image || !image->id;

        if (p->settings->refresh_images && service->pull == PULL_ALWAYS)
            planner_after(p, slot->create, plan_pull(p, service, "pull_policy is always"));
        else if (absent && slot->create != OP_NONE && service->pull == PULL_NEVER)
            planner_block(p, REASON_PULL_NOTFOUND, service->name,
                          planner_textf(p,
                                        "image '%s' is not on this node, and pull_policy is never",
                                        service->image));
        else if (absent && slot->create != OP_NONE)
            planner_after(p, slot->create, plan_pull(p, service, "it is not on this node"));
    }
}
