#pragma once

/* A service: from the wire to canonical form, and from there to struct service. */

#include "common/base/arena.h"
#include "manager/desired/value.h"

/* Of one service: canonical form, with what `deploy` says moved to the keys that say the same. What
 * is left of `deploy` is "failure_action", which is the whole document's. */
key_reader service_read;

/* Fills everything but one_shot and hash. -EINVAL or -ENOMEM. */
MUST_CHECK int service_fill(const struct reading *r, const cJSON *canonical, struct arena *arena,
                            struct service *ret_service);

/* Needs the document's resources. -ENOMEM. */
MUST_CHECK int service_hash(const struct document *document, struct service *service);
