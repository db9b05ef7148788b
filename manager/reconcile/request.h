#pragma once

/* The one call to the engine that an operation is (Docker Engine API 1.41 and on). Pure. */

#include "common/base/buf.h"
#include "manager/engine/engine.h"
#include "manager/reconcile/plan.h"

struct request_context {
    const struct document *document;
    const struct observed *observed;
    const char *node, *secrets_dir;
    const char *container;           /* id of that which the operation works on */
    const char *namespace_container; /* id; NULL: it has a network of its own */
};

/* Fills `path` and, where the call has one, `body`; the request refers to both. -ENOMEM. */
MUST_CHECK int request_make(const struct op *op, const struct request_context *context,
                            struct buf *path, struct buf *body, struct engine_request *ret_request);
