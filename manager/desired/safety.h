#pragma once

/*
 * What a document may ask of the node. Whoever may publish one is otherwise root on it: privileged,
 * host namespaces, devices, added capabilities, security options and bind mounts are refused unless
 * --allow or --allow-bind names them.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/base/error.h"

struct safety {
    const char *const *allow; /* NULL-terminated: "privileged", "host-network", "cap:NET_ADMIN" */
    const char *const *allow_bind; /* NULL-terminated folders, absolute and normal */
    const char *secrets_dir;       /* where secrets' and configs' files are; NULL: none */
};

/* The words that --allow knows, NULL-terminated; "cap:NAME" and "device:PATH" stand for themselves.
 */
extern const char *const safety_words[];

/* Checks the lists themselves: -EINVAL with the wrong item. */
MUST_CHECK int safety_check(const struct safety *safety, struct err *e);
bool safety_allows(const struct safety *safety, const char *word);
/* True for a folder of --allow-bind or what lies in one; `source` is made normal first, ".." never
 * leads out. Symbolic links are not followed: those are the node's owner's. */
bool safety_allows_bind(const struct safety *safety, const char *source);
