#pragma once

/*
 * The state folder handed over by root to the user that the manager runs as: a folder that
 * Kubernetes makes on the node is root's, and the manager is not root. Needs CAP_CHOWN alone.
 */

#include "common/base/error.h"

/* `owner` is "UID:GID". A folder that is theirs already stays as it is. */
MUST_CHECK int prepare_run(const char *folder, const char *owner, struct err *e);
