#pragma once

/* A `kubectl port-forward` to the broker in a cluster, for as long as one call of buoyctl lasts. */

#include <stdint.h>

#include "common/base/error.h"

struct forward;

struct forward_settings {
    const char *service;      /* NAMESPACE/SERVICE */
    const char *kube_context; /* NULL: kubectl's current one */
    uint16_t port;            /* of the service */
    int64_t timeout_ms;
};

/* Returns once it forwards. -EINVAL for a wrong name; -ENOENT, -ETIMEDOUT and others with what
 * kubectl says. */
MUST_CHECK int forward_open(const struct forward_settings *settings, struct forward **ret_forward,
                            struct err *e);
/* Ends kubectl. Accepts NULL. */
void forward_free(struct forward *forward);
DEFINE_CLEANUP(struct forward *, forward_free);

/* On the loopback address. */
uint16_t forward_port(const struct forward *forward);
