#pragma once

/* Networks and volumes of the top level. */

#include "common/base/arena.h"
#include "manager/desired/value.h"

extern const struct key network_keys[], volume_keys[];
key_reader resource_read_network, resource_read_volume; /* of one of them */

/* Gives each of them that has none its engine's name: PROJECT_KEY, an external one's is its key.
 * -ENOMEM; `objects` may be NULL. */
MUST_CHECK int resource_complete(cJSON *objects, const char *project);

/* Lists complete ones by their keys. -ENOMEM; `objects` may be NULL. */
MUST_CHECK int resource_list(const cJSON *objects, struct arena *arena,
                             const struct resource **ret_resources, size_t *ret_count);
