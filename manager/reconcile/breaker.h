#pragma once

/*
 * Notices what does not come to rest: the same container made anew again and again for the same
 * cause, because the engine never has what was asked for, or somebody else wants it otherwise.
 */

#include "manager/reconcile/failure.h"
#include "manager/reconcile/plan.h"

#define BREAKER_MAX       3      /* times for one cause, */
#define BREAKER_PERIOD_MS 600000 /* in this time */
#define BREAKER_OBJECTS   32

struct breaker {
    struct {
        char object[256], cause[256];
        unsigned count;
        int64_t first_ms;
    } seen[BREAKER_OBJECTS];
};

/* The plan is about to be carried out: false, with the failure, where that has been done too often.
 */
bool breaker_allows(struct breaker *breaker, const struct plan *plan, int64_t now_ms,
                    struct failure *ret_failure);
void breaker_reset(struct breaker *breaker);
