#pragma once

/* Why an operation failed, as a reason of the closed list: read from what the engine answered. */

#include <stdbool.h>

#include "common/base/error.h"
#include "manager/engine/engine.h"
#include "manager/reconcile/plan.h"

struct failure {
    enum reason_code code; /* REASON_NONE: none */
    char service[129], object[256];
    char message[384]; /* a sentence of ours */
    char engine[384];  /* the engine's or the container's own words; "" */
    int64_t retry_after_ms;
    bool pulling;    /* nothing but a pull failed: what runs was not touched */
    bool stale;      /* what was planned for may not be so any more: a new plan may do */
    char ghost[256]; /* a name that the engine keeps for a container that is not there; "" */
    char stuck[65];  /* the id of a container that the engine did not stop or remove; "" */
};

/* The id of the container that the engine says has the name that was to be given; false: that is
 * not what it says. */
bool failure_name_holder(const struct op *op, const struct engine_reply *reply,
                         char ret_id[static 65]);
/* That container is not there. */
void failure_set_ghost(struct failure *f, const struct op *op);

/* True where the operation is done, also where it had been done before. */
bool failure_read(const struct op *op, const struct engine_reply *reply,
                  struct failure *ret_failure);

void failure_set(struct failure *f, const struct op *op, enum reason_code code, const char *message,
                 const char *engine);
/* As clean_text(); of what is too long, the end. */
void failure_set_engine(struct failure *f, const char *text);
