#pragma once

/* The receiver's parts, made in order, run until SIGTERM or SIGINT, and ended in the reverse order.
 */

#include "receiver/config.h"

/* Returns 0 after a clean end; a negative errno with the reason when it could not start. */
MUST_CHECK int service_run(const struct receiver_config *config, struct err *e);
