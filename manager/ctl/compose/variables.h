#pragma once

/* Names with values: the environment, an env file, a service's environment. */

#include <stdbool.h>

#include "common/base/arena.h"
#include "common/base/cleanup.h"

struct variable;

struct variables {
    struct variable *first; /* NULL: empty */
};

struct variable {
    struct variable *next;
    const char *name, *value;
};

const char *variables_get(const struct variables *variables, const char *name); /* NULL: not set */
/* Replaces; copies both. 0 or -ENOMEM. */
MUST_CHECK int variables_set(struct variables *variables, struct arena *arena, const char *name,
                             const char *value);

/* Where a variable is looked for: the first that has it wins. */
#define LOOKUP_MAX 3
struct lookup {
    const struct variables *scopes[LOOKUP_MAX]; /* NULL: none */
};
const char *lookup_find(const struct lookup *lookup, const char *name);
