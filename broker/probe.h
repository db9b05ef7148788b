#pragma once

/* Whether Mosquitto answers: logins of our own on a listener that gives no rights. */

#include <stdbool.h>
#include <uv.h>

#include "broker/config.h"

/* All its client ids begin so. */
#define PROBE_CLIENT_ID "bellbuoy-health"

struct probe;

/* One that stays connected. The configuration is borrowed; on an error, too, *ret_probe may be set.
 */
MUST_CHECK int probe_new(uv_loop_t *loop, const struct broker_config *config,
                         struct probe **ret_probe, struct err *e);
void probe_stop(struct probe *probe); /* the loop must run once more before probe_free() */
void probe_free(struct probe *probe);

/* Connected; else why not in `reason`. */
bool probe_is_answered(const struct probe *probe, char *reason, size_t size);

/* One login, blocking, 3 s at most: 0, or < 0 with the reason. */
MUST_CHECK int probe_once(const struct broker_config *config, struct err *e);
