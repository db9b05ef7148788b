#pragma once

/* `manager plan FILE`: what would be done for a desired state on this node, without a broker and
 * without doing it. */

#include "manager/config.h"

/* Prints to stdout. 0, or < 0 with the message: -EINVAL for a file that would be refused, -EIO
 * where the engine does not answer. */
MUST_CHECK int preview_run(const struct manager_config *config, const char *file, struct err *e);
