#pragma once

/*
 * Does what a plan says: each operation when those before it are done, several at once. The only
 * place that writes to the engine, but for the removal of images (collector.h). A plan with pulls
 * is done up to those: what was pulled changes the plan. When an operation fails no other is begun,
 * and those under way are waited for.
 */

#include <uv.h>

#include "manager/engine/engine.h"
#include "manager/engine/pull.h"
#include "manager/reconcile/failure.h"
#include "manager/reconcile/plan.h"

#define EXECUTE_PARALLEL 8

struct execution;

enum step_event { STEP_BEGINS, STEP_GOES_ON, STEP_ENDS, STEP_FAILS };

struct step_news {
    const struct op *op;
    enum step_event event;
    const struct pull_progress *pull; /* of a pull that goes on; else NULL */
};

struct execution_result {
    struct failure failure; /* code REASON_NONE: none */
    bool cancelled;
};

struct execution_settings {
    uv_loop_t *loop;
    struct engine *engine;
    const struct document *document; /* these three are borrowed until `done` */
    const struct observed *observed;
    const struct plan *plan;
    const char *node, *secrets_dir, *registry_config;
    bool keep_going; /* only what depends on a failed operation is left out */
    void *context;
    /* OP_COMMIT: 0, or < 0 with the message, where it could not be kept. */
    int (*commit)(void *context, struct err *e);
    void (*step)(void *context, const struct step_news *news);
    /* Once, not before execution_start() has returned; the execution is freed after it. */
    void (*done)(void *context, const struct execution_result *result);
};

MUST_CHECK int execution_start(const struct execution_settings *settings,
                               struct execution **ret_execution, struct err *e);
/* Begins nothing more, ends pulls and waiting; `done` comes when the engine's calls are back. */
void execution_cancel(struct execution *execution);
/* Frees without `done`: at the end of the program. The loop must run once more. Accepts NULL. */
void execution_free(struct execution *execution);
/* The engine said something about a container; NULL: may have about any. */
void execution_wake(struct execution *execution, const char *container);
/* Operations that are done, of how many. */
size_t execution_progress(const struct execution *execution, size_t *ret_total);
