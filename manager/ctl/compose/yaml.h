#pragma once

/*
 * A YAML file as nodes, by libyaml. Anchors, aliases and `<<` are resolved, plain scalars read as
 * Compose's go-yaml reads them (YAML 1.2, but with 0444 octal, 1_000 a number and no 22:22).
 *
 * Refused: duplicate and non-string keys, local tags, times (Compose would print them in Go's own
 * way), more than YAML_MAX_DEPTH levels, NODE_MAX_COUNT values (a bomb of aliases), NODE_MAX_KEYS.
 */

#include "manager/ctl/compose/load.h"

#define YAML_MAX_DEPTH 64

/* The documents of `text` as a list. `file` is named in messages. 0, -EINVAL or -ENOMEM. */
MUST_CHECK int yaml_parse(struct load *load, const char *file, const char *text, size_t len,
                          struct node **ret_documents);

/* A plain scalar's value: null, a boolean, a number, else a string. NULL without memory. */
struct node *yaml_plain(struct arena *arena, struct place at, const char *text);
bool yaml_is_time(const char *text); /* 2001-12-14, 2001-12-14 21:59:43 and the like */
