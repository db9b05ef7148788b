#pragma once

/* The running manager: store, engine, projects, link and administration on one loop. */

#include "manager/config.h"

/* Until SIGTERM or SIGINT. 0; < 0 where it could not start, with the message: -ENOMEM, -EINVAL,
 * -EBUSY (another manager has the state folder), -errno. */
MUST_CHECK int service_run(const struct manager_config *config, struct err *e);
