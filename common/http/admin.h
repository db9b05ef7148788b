#pragma once

/*
 * /healthz, /readyz and /metrics for services that serve no other HTTP: a few hundred bytes of GET
 * over libuv, so that the broadcaster's image does without libmicrohttpd and GnuTLS behind it.
 * Requests over 4 KiB or slower than 5 s, and more than 32 at once, are dropped.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uv.h>

#include "common/base/error.h"
#include "common/metrics/metrics.h"

struct admin;

struct admin_settings {
    const char *address; /* "127.0.0.1:9090", "[::1]:9090"; "": none */
    struct metrics *metrics;
    const char *check; /* what `ready` looks at, a word for /readyz: "broker" */
    /* True when ready; else `reason` (size bytes) says why not. When ready it may warn. */
    bool (*ready)(void *context, char *reason, size_t size);
    void *context;
};

/* Binds and listens; without an address *ret_admin is NULL. The settings are copied, what they
 * point to is borrowed. -EINVAL for a bad address, -EADDRINUSE, -errno, with a sentence in `e`. */
MUST_CHECK int admin_new(uv_loop_t *loop, const struct admin_settings *settings,
                         struct admin **ret_admin, struct err *e);
uint16_t admin_port(const struct admin *admin);
/* Closes by uv_close: the loop must run once more. Accepts NULL. */
void admin_free(struct admin *admin);
