#include <string.h>

#include "common/base/str.h"
#include "manager/desired/container.h"
#include "manager/reconcile/planner.h"

/* The operations of one slot, in its service's own order; those of others come in plan_order.c. */

static int add(struct planner *p, const struct slot *slot, enum op_kind kind,
               const struct container *container, const char *reason)
{
    int index = planner_add(p, kind, container ? container->name : slot->name, reason);
    struct op *op = planner_op(p, index);

    op->service = slot->service;
    op->number = slot->number;
    op->container = container ? container->id : NULL;
    op->maker = container ? OP_NONE : slot->create;
    return index;
}

/* ---- what was there ---- */

static bool is_kept(const struct planner *p)
{
    return p->settings->mode != PLAN_ROLLBACK;
}

/* The engine starts a stopped container with this policy when it starts itself. */
static bool restarts_always(const struct container *c)
{
    return str_equal(inspection_read(c->inspected).restart_policy, "always");
}

/* Stops `present` and takes its name away from it; `before`: what must be done first. */
static void retire(struct planner *p, struct slot *slot, int before)
{
    const struct container *c = slot->present;
    int last = before;

    if (is_kept(p) && restarts_always(c)) {
        last = add(p, slot, OP_LIMITS, c, "it must stay stopped");
        planner_op(p, last)->keep_stopped = true;
        planner_after(p, last, before);
    }
    if (container_is_up(c)) {
        slot->stop = add(p, slot, OP_STOP, c, slot->cause);
        planner_after(p, slot->stop, last);
        last = slot->stop;
    }
    if (is_kept(p)) {
        slot->gone = add(p, slot, OP_RENAME, c, "kept until its successor is good");
        planner_op(p, slot->gone)->name = planner_free_name(p, slot->name, "old", c->revision);
    } else {
        slot->gone = add(p, slot, OP_REMOVE, c, "it was not good");
    }
    planner_after(p, slot->gone, last);
}

/* ---- what shall be ---- */

static void needs_resources(struct planner *p, struct slot *slot, int op)
{
    const struct document *d = p->document;

    for (const char *const *key = slot->service->networks; *key; key++) {
        int i = planner_resource_index(d->networks, d->network_count, *key);
        if (i >= 0)
            planner_after(p, op, p->networks[i].create);
    }
    for (const char *const *key = slot->service->volumes; *key; key++) {
        int i = planner_resource_index(d->volumes, d->volume_count, *key);
        if (i >= 0)
            planner_after(p, op, p->volumes[i]);
    }
}

/* The last operation of making it: the engine takes one network with it, the others come after. */
static int create(struct planner *p, struct slot *slot, const char *name, int before)
{
    const struct document *d = p->document;
    const char *reason = slot->present ? slot->cause : PLAN_ABSENT;
    int last = slot->create = add(p, slot, OP_CREATE, NULL, reason);

    planner_op(p, last)->name = name;
    planner_op(p, last)->maker = OP_NONE;
    planner_after(p, last, before);
    needs_resources(p, slot, last);
    for (const char *const *key = slot->service->networks; *key && key[1]; key++) {
        int i = planner_resource_index(d->networks, d->network_count, key[1]);
        int connect = add(p, slot, OP_CONNECT, NULL, "");

        planner_op(p, connect)->resource = i < 0 ? NULL : &d->networks[i];
        planner_after(p, connect, last);
        last = connect;
    }
    return last;
}

static int place(struct planner *p, struct slot *slot, int before)
{
    int rename = add(p, slot, OP_RENAME, slot->candidate, "it takes its place");

    planner_op(p, rename)->name = slot->name;
    planner_after(p, rename, before);
    planner_after(p, rename, slot->gone);
    return slot->placed = rename;
}

static int start(struct planner *p, struct slot *slot, int before)
{
    slot->start = add(p, slot, OP_START, slot->candidate,
                      slot->candidate && !slot->replaced ? "it is not running" : "");
    planner_after(p, slot->start, before);
    return slot->start;
}

static int verify(struct planner *p, struct slot *slot, int before)
{
    slot->verify = add(p, slot, OP_VERIFY, slot->candidate, "");
    planner_op(p, slot->verify)->found_running = slot->start == OP_NONE;
    planner_after(p, slot->verify, before);
    return slot->verify;
}

bool planner_changes_network(const struct planner *p, const struct slot *slot)
{
    for (const char *const *key = slot->service->networks; *key; key++) {
        int i = planner_resource_index(p->document->networks, p->document->network_count, *key);
        if (i >= 0 && p->networks[i].remove != OP_NONE)
            return true;
    }
    return false;
}

/* The old one has to be out of the way before the new one can be made. */
static void stop_create_start(struct planner *p, struct slot *slot)
{
    retire(p, slot, OP_NONE);
    for (size_t i = 0; i < p->document->network_count; i++)
        planner_after(p, p->networks[i].remove, slot->gone);
    slot->placed = create(p, slot, slot->name, slot->gone);
    verify(p, slot, start(p, slot, slot->placed));
}

static void create_stop_start(struct planner *p, struct slot *slot)
{
    const char *name = planner_free_name(p, slot->name, "new", p->document->revision);
    int made = create(p, slot, name, OP_NONE);

    retire(p, slot, made);
    verify(p, slot, start(p, slot, place(p, slot, made)));
}

/* Both run for a while: the old one goes when the new one is good. */
static void handover(struct planner *p, struct slot *slot)
{
    const char *name = planner_free_name(p, slot->name, "new", p->document->revision);

    verify(p, slot, start(p, slot, create(p, slot, name, OP_NONE)));
    retire(p, slot, slot->verify);
    place(p, slot, slot->verify);
}

static void take_candidate(struct planner *p, struct slot *slot)
{
    if (slot->present)
        retire(p, slot, OP_NONE);
    int last = place(p, slot, OP_NONE);
    if (!container_is_up(slot->candidate))
        last = start(p, slot, last);
    verify(p, slot, last);
}

/* What the document's restart policy makes of a container that has ended. */
static bool should_start(const struct planner *p, const struct slot *slot)
{
    const struct container *c = slot->candidate;
    const char *policy = slot->service->limits.restart;

    if (c->state == CONTAINER_CREATED)
        return true;
    if (c->state != CONTAINER_EXITED)
        return false;
    if (str_equal(policy, "always") || str_equal(policy, "unless-stopped"))
        return true;
    /* Whatever ended by itself and well has done its work. */
    if (inspection_read(c->inspected).exit_code == 0)
        return false;
    return str_equal(policy, "on-failure") || p->settings->mode != PLAN_STEADY;
}

static void keep_present(struct planner *p, struct slot *slot)
{
    if (should_start(p, slot))
        start(p, slot, OP_NONE);
    if (slot->start != OP_NONE || p->settings->mode != PLAN_STEADY)
        verify(p, slot, slot->start);
}

/* ---- afterwards ---- */

/* New containers are made without a restart policy: until they are good, their end is ours to see.
 */
static void set_limits(struct planner *p, struct slot *slot)
{
    const struct container *c = slot->candidate;
    const struct limits *limits = &slot->service->limits;
    int last = slot->verify;

    if (!c && str_equal(limits->restart, "no"))
        return;
    if (c && (!c->inspected || container_has_limits(slot->service, c->inspected)))
        return;
    last =
        add(p, slot, OP_LIMITS, c, c ? "its limits or its restart policy changed" : "it is good");
    planner_after(p, last, slot->verify);
    planner_after(p, p->commit, last);
}

static void remove_leftovers(struct planner *p, struct slot *slot)
{
    for (size_t i = 0; i < p->observed->container_count; i++) {
        const struct container *c = &p->observed->containers[i];

        if (c->number != slot->number || !str_equal(c->service, slot->service->name) ||
            !str_equal(c->project, p->document->project) || c == slot->candidate)
            continue;
        if (c == slot->present && !is_kept(p))
            continue; /* already gone by then */
        int remove = add(p, slot, OP_REMOVE, c, "its successor is good");
        planner_after(p, remove, slot->verify);
        planner_after(p, remove, slot->gone);
        planner_after(p, remove, slot->placed);
        planner_after(p, remove, p->commit);
    }
}

static void plan_slot(struct planner *p, struct slot *slot)
{
    if (slot->candidate && slot->candidate == slot->present)
        keep_present(p, slot);
    else if (slot->candidate)
        take_candidate(p, slot);
    else if (!slot->present)
        verify(p, slot, start(p, slot, slot->placed = create(p, slot, slot->name, OP_NONE)));
    else if (slot->service->strategy == STRATEGY_STOP_CREATE_START ||
             planner_changes_network(p, slot))
        stop_create_start(p, slot);
    else if (slot->service->strategy == STRATEGY_HANDOVER && !planner_gives_port_away(p, slot))
        handover(p, slot);
    else
        create_stop_start(p, slot);
    set_limits(p, slot);
    planner_after(p, p->commit, slot->verify);
    planner_after(p, p->commit, slot->placed);
    remove_leftovers(p, slot);
}

void planner_slots(struct planner *p)
{
    for (size_t i = 0; i < p->slot_count && !p->failed; i++)
        plan_slot(p, &p->slots[i]);
}
