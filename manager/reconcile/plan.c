#include "manager/reconcile/plan.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/reconcile/planner.h"

static const char *const kind_names[] = {
    [OP_PULL] = "pull",
    [OP_NETWORK_CREATE] = "create network",
    [OP_VOLUME_CREATE] = "create volume",
    [OP_CREATE] = "create",
    [OP_CONNECT] = "connect",
    [OP_LIMITS] = "update",
    [OP_STOP] = "stop",
    [OP_RENAME] = "rename",
    [OP_START] = "start",
    [OP_VERIFY] = "verify",
    [OP_COMMIT] = "commit",
    [OP_REMOVE] = "remove",
    [OP_NETWORK_REMOVE] = "remove network",
    [OP_DISCONNECT] = "disconnect",
};

const char *op_kind_name(enum op_kind kind)
{
    return kind_names[kind];
}

bool op_is_change(enum op_kind kind)
{
    return kind != OP_VERIFY && kind != OP_COMMIT;
}

size_t plan_changes(const struct plan *plan)
{
    size_t changes = 0;

    for (size_t i = 0; i < plan->count; i++)
        changes += op_is_change(plan->ops[i].kind) && !plan->ops[i].may_fail;
    return changes;
}

void op_format(const struct op *op, struct buf *out)
{
    buf_appendf(out, "%s %s", op->kills ? "kill" : op_kind_name(op->kind), op->object);
    if (op->kind == OP_RENAME || (op->kind == OP_CREATE && !str_equal(op->name, op->object)))
        buf_appendf(out, " as %s", op->name);
    if (op->kind == OP_CONNECT)
        buf_appendf(out, " to %s", op->resource->name);
    if (op->kind == OP_DISCONNECT)
        buf_appendf(out, " from %s", op->name);
    if (op->reason && op->reason[0] != '\0')
        buf_appendf(out, ": %s", op->reason);
}

void plan_deinit(struct plan *plan)
{
    arena_deinit(&plan->arena);
    *plan = (struct plan){0};
}

/* ---- building ---- */

int planner_add(struct planner *p, enum op_kind kind, const char *object, const char *reason)
{
    struct plan *plan = p->plan;
    struct op *ops = arena_grow(&plan->arena, plan->ops, plan->count, sizeof(*ops));

    if (!object || !reason || !ops) {
        p->failed = true;
        return OP_NONE;
    }
    plan->ops = ops;
    plan->ops[plan->count] =
        (struct op){.kind = kind, .object = object, .reason = reason, .maker = OP_NONE};
    return (int)plan->count++;
}

struct op *planner_op(struct planner *p, int index)
{
    /* Without memory the plan is thrown away: what is written to it until then does not matter. */
    if (index == OP_NONE)
        return &p->nowhere;
    assert((size_t)index < p->plan->count);
    return &p->plan->ops[index];
}

void planner_after(struct planner *p, int index, int before)
{
    if (index == OP_NONE || before == OP_NONE || index == before)
        return;
    struct op *op = planner_op(p, index);

    for (size_t i = 0; i < op->after_count; i++)
        if (op->after[i] == before)
            return;
    int *after = arena_grow(&p->plan->arena, op->after, op->after_count, sizeof(*after));
    if (!after) {
        p->failed = true;
        return;
    }
    op->after = after;
    op->after[op->after_count++] = before;
}

const char *planner_textf(struct planner *p, const char *fmt, ...)
{
    char text[768];
    va_list args;

    va_start(args, fmt);
    int len = vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    const char *copy =
        arena_copy(&p->plan->arena, text, strnlen(text, (size_t)(len < 0 ? 0 : len)));
    p->failed |= !copy;
    return copy;
}

void planner_block(struct planner *p, enum reason_code code, const char *service,
                   const char *message)
{
    if (p->plan->obstacle.code == REASON_NONE)
        p->plan->obstacle = (struct obstacle){code, service, message};
}

int plan_make(struct plan *plan, const struct document *document, const struct observed *observed,
              const struct plan_settings *settings)
{
    struct planner p = {
        .document = document,
        .observed = observed,
        .settings = settings,
        .plan = plan,
        .commit = OP_NONE,
    };

    planner_bury(&p);
    if (plan->count > 0 || p.failed)
        return p.failed ? -ENOMEM : 0;
    planner_networks(&p);
    planner_volumes(&p);
    planner_find_slots(&p);
    if (settings->mode != PLAN_STEADY && !p.failed)
        p.commit = planner_add(&p, OP_COMMIT, document->project, "");
    if (!p.failed)
        planner_slots(&p);
    if (!p.failed)
        planner_images(&p);
    if (!p.failed)
        planner_orphans(&p);
    if (!p.failed)
        planner_order(&p);
    planner_kill(&p);
    if (!p.failed && settings->remove_ghosts && plan->count == 0)
        planner_remove_ghosts(&p);
    return p.failed ? -ENOMEM : 0;
}
