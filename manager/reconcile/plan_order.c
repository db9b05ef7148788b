#include "common/base/str.h"
#include "manager/reconcile/planner.h"

/* What one service's operations wait for in others', and what is no longer in the document. */

/* ---- orphans ---- */

static bool is_wanted(const struct planner *p, const struct container *c)
{
    for (size_t i = 0; i < p->slot_count; i++)
        if (p->slots[i].number == c->number && str_equal(p->slots[i].service->name, c->service))
            return true;
    return false;
}

static int add(struct planner *p, enum op_kind kind, const struct container *c, const char *reason)
{
    int index = planner_add(p, kind, c->name, reason);

    planner_op(p, index)->container = c->id;
    return index;
}

static void plan_orphan(struct planner *p, const struct container *c)
{
    static const char reason[] = "the document does not name it";
    int last = OP_NONE;

    if (p->settings->mode == PLAN_APPLY &&
        str_equal(inspection_read(c->inspected).restart_policy, "always")) {
        last = add(p, OP_LIMITS, c, "it must stay stopped");
        planner_op(p, last)->keep_stopped = true;
    }
    if (container_is_up(c)) {
        int stop = add(p, OP_STOP, c, reason);
        planner_after(p, stop, last);
        last = stop;
        for (size_t i = 0; i < p->document->network_count; i++)
            planner_after(p, p->networks[i].remove, stop);
    }
    int remove = add(p, OP_REMOVE, c, reason);
    planner_after(p, remove, last);
    if (p->settings->mode == PLAN_APPLY)
        planner_after(p, remove, p->commit);
    else
        planner_after(p, p->commit, remove);
}

static void plan_network_orphan(struct planner *p, const struct network *network)
{
    int remove = planner_add(p, OP_NETWORK_REMOVE, network->name, "the document does not name it");

    planner_op(p, remove)->name = network->id;
    planner_after(p, remove, p->commit);
    for (size_t i = 0; i < p->plan->count; i++)
        if (p->plan->ops[i].kind == OP_REMOVE || p->plan->ops[i].kind == OP_STOP)
            planner_after(p, remove, (int)i);
}

static bool names_network(const struct document *d, const char *name)
{
    for (size_t i = 0; i < d->network_count; i++)
        if (str_equal(d->networks[i].name, name))
            return true;
    return false;
}

void planner_orphans(struct planner *p)
{
    const struct observed *o = p->observed;
    const struct document *d = p->document;

    if (d->policy.keep_orphans)
        return;
    for (size_t i = 0; i < o->container_count && !p->failed; i++)
        if (str_equal(o->containers[i].project, d->project) && !is_wanted(p, &o->containers[i]))
            plan_orphan(p, &o->containers[i]);
    for (size_t i = 0; i < o->network_count && !p->failed; i++)
        if (str_equal(o->networks[i].project, d->project) && !names_network(d, o->networks[i].name))
            plan_network_orphan(p, &o->networks[i]);
}

/* ---- order ---- */

static void after_service(struct planner *p, int op, const struct dependency *dependency)
{
    for (size_t i = 0; i < p->slot_count; i++) {
        const struct slot *slot = &p->slots[i];
        if (str_equal(slot->service->name, dependency->service))
            planner_after(p, op,
                          dependency->condition == DEPENDS_STARTED ? slot->start : slot->verify);
    }
}

static bool holds_port(const struct container *c, int port)
{
    for (size_t i = 0; i < c->host_port_count; i++)
        if (c->host_ports[i] == port)
            return true;
    return false;
}

static bool wants_port(const struct service *service, int port)
{
    for (size_t i = 0; i < service->host_port_count; i++)
        if (service->host_ports[i] == port)
            return true;
    return false;
}

bool planner_gives_port_away(const struct planner *p, const struct slot *slot)
{
    const struct container *c = slot->present;

    for (size_t i = 0; c && i < p->slot_count; i++)
        for (size_t k = 0; k < c->host_port_count && p->slots[i].service != slot->service; k++)
            if (wants_port(p->slots[i].service, c->host_ports[k]))
                return true;
    return false;
}

/* True where the container of a service that it depends on with `restart: true` is another one. */
static bool follows_restart(const struct planner *p, const struct slot *slot)
{
    const struct service *service = slot->service;

    for (size_t i = 0; i < service->depends_on_count; i++)
        for (size_t k = 0; service->depends_on[i].restart && k < p->slot_count; k++)
            if (p->slots[k].present && p->slots[k].replaced &&
                str_equal(p->slots[k].service->name, service->depends_on[i].service))
                return true;
    return false;
}

/* Its own container is as wanted and runs: it is stopped, and started after that other. */
static void plan_restarts(struct planner *p)
{
    static const char reason[] = "a service that it depends on has another container";

    for (size_t i = 0; i < p->slot_count && !p->failed; i++) {
        struct slot *slot = &p->slots[i];

        if (slot->replaced || slot->start != OP_NONE || !container_is_up(slot->candidate) ||
            !follows_restart(p, slot))
            continue;
        slot->stop = add(p, OP_STOP, slot->candidate, reason);
        slot->start = add(p, OP_START, slot->candidate, reason);
        planner_op(p, slot->stop)->service = slot->service;
        planner_op(p, slot->start)->service = slot->service;
        planner_after(p, slot->start, slot->stop);
        if (slot->verify != OP_NONE) {
            planner_after(p, slot->verify, slot->start);
            planner_op(p, slot->verify)->found_running = false;
        }
    }
}

static void wait_for_dependencies(struct planner *p, const struct slot *slot)
{
    const struct service *service = slot->service;

    for (size_t i = 0; i < service->depends_on_count; i++) {
        after_service(p, slot->start, &service->depends_on[i]);
        /* Nothing stops long before its successor can start, except to make room for another, or to
         * let go of a network that has to be made anew for all. */
        if (!planner_gives_port_away(p, slot) && !planner_changes_network(p, slot))
            after_service(p, slot->stop, &service->depends_on[i]);
    }
}

/* A port is free only when the container that held it has stopped. */
static void wait_for_ports(struct planner *p, const struct slot *slot)
{
    for (size_t i = 0; i < p->plan->count && slot->service->host_port_count > 0; i++) {
        const struct op *op = &p->plan->ops[i];
        const struct container *c =
            op->kind == OP_STOP ? observed_container(p->observed, op->container) : NULL;

        for (size_t k = 0; c && k < slot->service->host_port_count; k++)
            if (holds_port(c, slot->service->host_ports[k]) &&
                !(op->service == slot->service && slot->service->strategy == STRATEGY_HANDOVER))
                planner_after(p, slot->start, (int)i);
    }
}

static void wait_for_namespace(struct planner *p, const struct slot *slot)
{
    for (size_t i = 0; i < p->slot_count && slot->service->namespace_of; i++)
        if (str_equal(p->slots[i].service->name, slot->service->namespace_of)) {
            planner_after(p, slot->create, p->slots[i].create);
            planner_after(p, slot->start, p->slots[i].start);
        }
}

void planner_order(struct planner *p)
{
    plan_restarts(p);
    for (size_t i = 0; i < p->slot_count && !p->failed; i++) {
        if (p->slots[i].start != OP_NONE)
            wait_for_ports(p, &p->slots[i]);
        wait_for_dependencies(p, &p->slots[i]);
        wait_for_namespace(p, &p->slots[i]);
    }
}
