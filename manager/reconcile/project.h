#pragma once

/*
 * One project on this node: takes desired states, and has the engine follow. One thing at a time:
 * observe, plan, execute, and again until the plan is empty; then it waits for events.
 *
 *   APPLY     a document was taken that was not good yet: ends with a commit, or a failure
 *   ROLLBACK  it failed: the last good one comes back
 *   STEADY    the last good one is kept as it says
 *
 * The mode is on disk before the engine is asked for anything, so that a start after a power cut
 * goes on where it was; what was done by then is seen in the engine itself.
 */

#include <uv.h>

#include "common/base/random.h"
#include "manager/desired/document.h"
#include "manager/desired/store.h"
#include "manager/engine/engine.h"
#include "manager/reconcile/collector.h"
#include "manager/reconcile/execute.h"
#include "manager/reconcile/failure.h"
#include "manager/reconcile/garbage.h"
#include "manager/reconcile/observed.h"
#include "manager/reconcile/taken.h"

struct project;

struct project_settings {
    uv_loop_t *loop;
    struct engine *engine;
    struct store *store;
    struct collector *collector;
    const struct safety *safety;
    const char *node, *registry_config;
    const struct random_source *random;
    void *context;
    /* What project_status() tells has changed. */
    void (*changed)(void *context, const struct project *project);
    void (*progress)(void *context, const struct project *project, const struct step_news *news);
};

/* With what the store has of it; -EINVAL where that is not to be read. The settings are copied. */
MUST_CHECK int project_new(const struct project_settings *settings, const char *name,
                           struct project **ret_project, struct err *e);
/* Stops all at once. The loop must run once more. Accepts NULL. */
void project_free(struct project *project);
const char *project_name(const struct project *project);

/* Where a document came from. Of several origins the first in this order is followed. */
struct origin {
    const char *name; /* "node" or "group:NAME" */
    int priority;     /* INT_MAX for the node's own */
};

/* A retained message: a document, or nothing (`len` 0). All outcomes are told by the status; < 0
 * only where it could not be stored (-errno): the message should be delivered again. */
MUST_CHECK int project_offer(struct project *project, const struct origin *origin, const char *text,
                             size_t len, struct err *e);

/* ---- what may have changed ---- */

void project_engine_changed(struct project *project);
/* `container` NULL: any may have. */
void project_wake(struct project *project, const char *container);

/* By the id; also true where it may be one that is missed. */
bool project_uses_network(const struct project *project, const char *network);

/* ---- orders of a person ---- */

/* Ends quarantine, backoff and breaker. -ENOENT: there is no document. */
MUST_CHECK int project_retry(struct project *project, struct err *e);
MUST_CHECK int project_pause(struct project *project, bool paused, struct err *e);
/* Takes a revision of the history; 0: the last good one before what is there. It is followed until
 * a newer one is published. -ENOENT. */
MUST_CHECK int project_roll_back(struct project *project, int64_t revision, struct err *e);

/* ---- what it is ---- */

enum phase {
    PHASE_IDENTIFYING,
    PHASE_REJECTED,
    PHASE_WAITING,
    PHASE_DOWNLOADING,
    PHASE_UPDATING,
    PHASE_ACTIVATING,
    PHASE_VERIFYING,
    PHASE_COMPLETED,
    PHASE_ROLLING_BACK,
    PHASE_ROLLED_BACK,
    PHASE_INCOMPLETE,
    PHASE_STALLED,
    PHASE_SUPERSEDED,
    PHASE_COUNT
};
const char *phase_name(enum phase phase); /* "COMPLETED" */

struct revision {
    int64_t number; /* 0: none */
    char digest[DIGEST_SIZE];
};

struct drift {
    char service[129], object[256], cause[256];
};

struct project_status {
    const char *source; /* "node", "group:NAME", "lost", "rollback" */
    struct revision desired, applied, last_good;
    const char *id; /* of desired; NULL: none */
    bool accepted;  /* the last document offered */
    enum phase phase;
    int64_t since_us;
    unsigned attempt;
    int64_t next_retry_us; /* wall time; 0: none is planned */
    bool paused, converged;
    const struct failure *failure; /* code REASON_NONE: none */
    const struct drift *drift;
    size_t drift_count;
    size_t steps_done, steps_total; /* of what is under way */
    uint64_t applies, rollbacks;
};
void project_status(const struct project *project, struct project_status *ret_status);
/* That which is kept up (or, in an apply, is being made); NULL: none. */
const struct document *project_document(const struct project *project);
/* The same, with its text; NULL: none. Borrowed. */
struct taken *project_taken(const struct project *project);
/* True where that was good once. */
bool project_is_steady(const struct project *project);
/* As last seen; NULL: not yet. Valid until the next turn of the loop. */
const struct observed *project_observed(const struct project *project);
/* Adds the images that it may need: for what is desired, for what was good, and, with `earlier`,
 * for the revision that project_roll_back(0) would take. */
void project_add_images(const struct project *project, bool earlier, struct image_names *names);
