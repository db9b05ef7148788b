#pragma once

/* Why a node does not do what was asked: the closed list that reports, exit codes and documentation
 * (docs/nodes.md) share. */

#include <stdbool.h>

enum reason_code {
    REASON_NONE,
    REASON_SCHEMA,
    REASON_UNSUPPORTED_KEY,
    REASON_NOT_ALLOWED, /* privileged, host namespaces, devices, bind mounts: --allow */
    REASON_EMPTY,       /* no services, and no allowEmpty */
    REASON_STALE,
    REASON_CONFLICT, /* same revision, other content */
    REASON_QUARANTINED,
    REASON_EXPIRED,
    REASON_CYCLE,
    REASON_PULL_AUTH,
    REASON_PULL_NOTFOUND,
    REASON_PULL_NETWORK,
    REASON_PULL_RATELIMIT,
    REASON_DISK,
    REASON_ARCH,
    REASON_NAME_CONFLICT,
    REASON_PORT_CONFLICT,
    REASON_RESOURCE_MISSING, /* an external network or volume, a secret's file */
    REASON_INVALID,          /* the engine refused what it was told */
    REASON_OOM,
    REASON_CRASH_LOOP,
    REASON_EXITED, /* ended, or with another code than 0, before it was good */
    REASON_UNHEALTHY,
    REASON_TIMEOUT,
    REASON_ENGINE_DOWN,
    REASON_WINDOW,
    REASON_PAUSED,
    REASON_BREAKER,
    REASON_COUNT
};

/* "pull-notfound"; never NULL. */
const char *reason_name(enum reason_code code);
/* What to do about it, a sentence; "" for REASON_NONE. */
const char *reason_advice(enum reason_code code);
/* True where only a new document, or a person's retry, can help. */
bool reason_is_permanent(enum reason_code code);
