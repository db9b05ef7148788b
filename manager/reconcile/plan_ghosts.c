#include "common/base/str.h"
#include "manager/reconcile/planner.h"

/* What the engine does not let go of: names that cannot be given, containers that have to make room
 * all the same. */

static bool is_among(const struct container *list, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(list[i].name, name))
            return true;
    return false;
}

static bool is_taken(const struct planner *p, const char *name)
{
    const struct observed *o = p->observed;

    return ghosts_have(p->settings->ghosts, name) ||
           is_among(o->containers, o->container_count, name) ||
           is_among(o->ghosts, o->ghost_count, name);
}

const char *planner_free_name(struct planner *p, const char *name, const char *role,
                              int64_t revision)
{
    const char *text = planner_textf(p, "%s.%s-%lld", name, role, (long long)revision);

    for (int i = 2; text && is_taken(p, text); i++)
        text = planner_textf(p, "%s.%s-%lld.%d", name, role, (long long)revision, i);
    return text;
}

static int add(struct planner *p, enum op_kind kind, const struct container *c, const char *reason)
{
    int index = planner_add(p, kind, c->name, reason);
    struct op *op = planner_op(p, index);

    op->service = document_service(p->document, c->service);
    op->container = c->id;
    return index;
}

/* Its name comes last: by that it is known to be out of the way. */
static void bury(struct planner *p, const struct container *c)
{
    static const char reason[] = "the engine could not stop or remove it";
    size_t first = p->plan->count;

    for (size_t i = 0; i < c->network_count; i++) {
        int disconnect = add(p, OP_DISCONNECT, c, reason);

        planner_op(p, disconnect)->name = c->networks[i].name;
        planner_op(p, disconnect)->may_fail = true;
    }
    int rename = add(p, OP_RENAME, c, reason);
    planner_op(p, rename)->name = planner_free_name(p, c->name, GHOST_ROLE, c->revision);
    for (size_t i = first; i < p->plan->count; i++)
        planner_after(p, rename, (int)i);
}

void planner_bury(struct planner *p)
{
    const struct observed *o = p->observed;

    for (size_t i = 0; i < o->container_count && !p->failed; i++)
        if (ghosts_have(p->settings->ghosts, o->containers[i].id))
            bury(p, &o->containers[i]);
}

void planner_kill(struct planner *p)
{
    for (size_t i = 0; i < p->plan->count; i++)
        p->plan->ops[i].kills = p->plan->ops[i].kind == OP_STOP &&
                                ghosts_have(p->settings->suspects, p->plan->ops[i].container);
}

void planner_remove_ghosts(struct planner *p)
{
    for (size_t i = 0; i < p->observed->ghost_count && !p->failed; i++)
        planner_op(p, add(p, OP_REMOVE, &p->observed->ghosts[i], "it is tried again"))->may_fail =
            true;
}
