#pragma once

/*
 * A name look-up off the loop: getaddrinfo() may block for many seconds and cannot be stopped, so
 * it runs in a thread that shares nothing with the caller but the look-up's own memory. Whoever
 * lets go last frees it: a look-up that is given up ends by itself.
 */

#include <stddef.h>

#include "common/base/error.h"

#define RESOLVER_ADDRESSES    8
#define RESOLVER_ADDRESS_SIZE 64 /* numeric, an IPv6 address with its zone too */

struct resolver;

struct resolver_result {
    char addresses[RESOLVER_ADDRESSES][RESOLVER_ADDRESS_SIZE]; /* in the order to try them in */
    size_t count;
};

MUST_CHECK int resolver_new(const char *host, struct resolver **ret_resolver, struct err *e);
void resolver_free(struct resolver *resolver);

/* Readable once the look-up has ended. */
int resolver_fd(const struct resolver *resolver);

/* 0 with at least one address; -EAGAIN while it runs; -ENOENT with the reason in `e`. */
MUST_CHECK int resolver_result(struct resolver *resolver, struct resolver_result *ret_result,
                               struct err *e);
