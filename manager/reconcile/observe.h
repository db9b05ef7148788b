#pragma once

/* Asks the engine for what a plan looks at. Only reads. */

#include "manager/desired/document.h"
#include "manager/engine/engine.h"
#include "manager/reconcile/observed.h"

struct observation;

struct observe_settings {
    struct engine *engine;
    const char *node, *project;
    const struct document *document; /* whose images are asked for; NULL: none. Borrowed */
    /* `observed` is the receiver's from then on, and its trees of inspections with it
     * (observed_release); NULL: `e` says why. Not before observe_start() has returned. */
    void (*done)(void *context, struct observed *observed, const struct err *e);
    void *context;
};

MUST_CHECK int observe_start(const struct observe_settings *settings,
                             struct observation **ret_observation, struct err *e);
void observe_cancel(struct observation *observation); /* accepts NULL */

/* Frees what `done` gave, with the inspections. Accepts NULL. */
void observed_release(struct observed *observed);
DEFINE_CLEANUP(struct observed *, observed_release);
