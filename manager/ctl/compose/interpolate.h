#pragma once

/*
 * Variables in a text, by Compose's rules: $NAME, ${NAME}, ${NAME:-default}, ${NAME-default},
 * ${NAME:?message}, ${NAME?message}, ${NAME:+instead}, ${NAME+instead}, nested in each other; $$ is
 * one $. A $ before anything else stays as it is.
 */

#include "manager/ctl/compose/load.h"

#define INTERPOLATE_MAX_BYTES (1 << 20)
#define INTERPOLATE_MAX_DEPTH 32

/* The text in the arena, `text` itself where it has no $. A variable that is not set is "", with a
 * warning. 0, -EINVAL with a message without a place, -ENOMEM. */
MUST_CHECK int interpolate(struct load *load, const struct lookup *lookup, const char *text,
                           const char **ret_text);

/* All strings below `node`, values not keys, with the variables of `load`. Errors have a place. */
MUST_CHECK int interpolate_node(struct load *load, struct node *node, const struct step *step);
