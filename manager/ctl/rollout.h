#pragma once

/*
 * A rollout by shares: its state, which stands as a retained message at bellbuoy/rollouts/<id> so
 * that any buoyctl can go on with it:
 *
 *   {"id", "group", "project", "state": "running"|"halted", "reason", "started", "updated",
 *    "holder", "stages": ["1", "25%", "all"], "stage": 0, "nodes": [...], "document": {...}}
 *
 * `stage` is the one under way; `nodes` are in the order in which they get the document. `holder`
 * is the buoyctl that goes on with it, <host>_<random> as in Kubernetes' leases: the last that has
 * written its name there.
 */

#include <cjson/cJSON.h>
#include <stddef.h>

#include "common/base/error.h"
#include "common/base/options.h"
#include "common/mqtt/topic.h"

#define ROLLOUT_ID_SIZE 80

/* "3" nodes, "25%" of `total` rounded up, or "all"; at least 1, at most `total`. -EINVAL. */
MUST_CHECK int rollout_share(const char *text, size_t total, size_t *ret_count, struct err *e);

/* The state at the start. `nodes` and `document` become its own, whatever happens. The last stage
 * is "all", given or not. -EINVAL for a wrong share, -ENOMEM. */
MUST_CHECK int rollout_new(const char *group, const char *canary, const struct option_list *then,
                           cJSON *nodes, cJSON *document, cJSON **ret_state, struct err *e);

/* Checks a state that was read from the broker. -EINVAL. */
MUST_CHECK int rollout_check(const cJSON *state, struct err *e);

const char *rollout_id(const cJSON *state);
size_t rollout_stage(const cJSON *state);
size_t rollout_stage_count(const cJSON *state);
/* How many nodes, of the first, have the document once this stage is through. */
size_t rollout_stage_end(const cJSON *state, size_t stage);

/* Writes the caller's name. -ENOMEM. */
MUST_CHECK int rollout_hold(cJSON *state, struct err *e);
/* -ECANCELED unless `standing`, what stands at the broker (NULL: nothing), has the holder of
 * `state`: it was given up, or another has taken it over. */
MUST_CHECK int rollout_check_held(const cJSON *standing, const cJSON *state, struct err *e);

/* -ENOMEM. `reason` may be NULL: none. */
MUST_CHECK int rollout_set(cJSON *state, size_t stage, const char *name, const char *reason);

/* -EINVAL for an id that is no level of a topic. */
MUST_CHECK int rollout_topic(const char *id, char topic[static TOPIC_SIZE], struct err *e);
