#pragma once

/* What would be done, without doing it: only reads from the engine. */

#include "manager/reconcile/observe.h"
#include "manager/reconcile/plan.h"
#include "manager/reconcile/taken.h"

struct dry_run;

struct dry_run_settings {
    struct engine *engine;
    const char *node;
    struct taken *taken; /* a reference is held until `done` has returned */
    bool steady;         /* it was good before */
    /* Not before dry_run_start() has returned; NULL: `e` says why. */
    void (*done)(void *context, const struct plan *plan, const struct err *e);
    void *context;
};

MUST_CHECK int dry_run_start(const struct dry_run_settings *settings, struct dry_run **ret_run,
                             struct err *e);
void dry_run_cancel(struct dry_run *run); /* accepts NULL; `done` frees by itself */

/* {"operations": [...], "obstacle": ...} (docs/nodes.md, "plan"); the caller frees. NULL: no
 * memory.
 */
cJSON *plan_to_json(const struct plan *plan);
