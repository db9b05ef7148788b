#include "manager/reconcile/breaker.h"

#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

void breaker_reset(struct breaker *breaker)
{
    *breaker = (struct breaker){0};
}

/* What somebody removed may be made as often as it is removed. */
static bool counts(const struct op *op)
{
    return op->kind == OP_CREATE && !str_equal(op->reason, PLAN_ABSENT);
}

/* The place of this object and cause, else that of the oldest. */
static size_t find(const struct breaker *b, const struct op *op)
{
    size_t oldest = 0;

    for (size_t i = 0; i < BREAKER_OBJECTS; i++) {
        if (str_equal(b->seen[i].object, op->object) && str_equal(b->seen[i].cause, op->reason))
            return i;
        if (b->seen[i].first_ms < b->seen[oldest].first_ms)
            oldest = i;
    }
    return oldest;
}

static unsigned count(struct breaker *b, const struct op *op, int64_t now_ms)
{
    size_t i = find(b, op);

    if (!str_equal(b->seen[i].object, op->object) || !str_equal(b->seen[i].cause, op->reason) ||
        now_ms - b->seen[i].first_ms > BREAKER_PERIOD_MS) {
        (void)snprintf(b->seen[i].object, sizeof(b->seen[i].object), "%s", op->object);
        (void)snprintf(b->seen[i].cause, sizeof(b->seen[i].cause), "%s", op->reason);
        b->seen[i].count = 0;
        b->seen[i].first_ms = now_ms;
    }
    return ++b->seen[i].count;
}

bool breaker_allows(struct breaker *breaker, const struct plan *plan, int64_t now_ms,
                    struct failure *ret_failure)
{
    char message[sizeof(ret_failure->message)];

    for (size_t i = 0; i < plan->count; i++) {
        const struct op *op = &plan->ops[i];

        if (!counts(op) || count(breaker, op, now_ms) <= BREAKER_MAX)
            continue;
        (void)snprintf(message, sizeof(message), "it was made anew %d times, always because %.200s",
                       BREAKER_MAX, op->reason);
        failure_set(ret_failure, op, REASON_BREAKER, message, NULL);
        return false;
    }
    return true;
}
