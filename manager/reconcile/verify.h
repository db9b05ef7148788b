#pragma once

/*
 * Waits until a container has shown that it is good: healthy within `healthyWithin` where it has a
 * health check, else running for `minUptime`; ended with code 0 where it is to end. Looks when an
 * event names the container, when the time is over, and now and then in case an event was missed.
 */

#include <uv.h>

#include "manager/engine/engine.h"
#include "manager/reconcile/failure.h"

struct verify;

struct verify_settings {
    uv_loop_t *loop;
    struct engine *engine;
    const struct op *op;
    const char *container; /* id */
    /* `failure` NULL: it is good. Not after a cancel, nor before verify_start() has returned. */
    void (*done)(void *context, const struct failure *failure);
    void *context;
};

MUST_CHECK int verify_start(const struct verify_settings *settings, struct verify **ret_verify,
                            struct err *e);
/* The engine said something about this container, or, with NULL, may have. */
void verify_wake(struct verify *verify, const char *container);
/* Frees by uv_close: the loop must run once more; `done` frees by itself. Accepts NULL. */
void verify_cancel(struct verify *verify);
