#pragma once

/* A node's presence (docs/nodes.md#presence): what its manager said of itself, or its last will. */

#include "receiver/nodes/text.h"

/* From the payload of bellbuoy/nodes/<level>/presence; `came_us` is the caller's to set. -EINVAL
 * with a sentence, -ENOMEM. */
MUST_CHECK int presence_parse(const char *level, const char *payload, size_t size,
                              struct node_text **ret_presence, struct err *e);
