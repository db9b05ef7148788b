#pragma once

/* The `healthcheck` subcommand: asks a service's own /healthz, blocking, 3 s at most. Links no HTTP
 * library. */

#include <stdint.h>

#include "common/base/error.h"

/* 0 if GET http://address:port/healthz answers 200; a wildcard address means loopback. -EINVAL for
 * what is no numeric address, -ETIMEDOUT, -EIO for another status, -EPROTO, -errno. */
MUST_CHECK int healthcheck_run(const char *address, uint16_t port, struct err *e);
