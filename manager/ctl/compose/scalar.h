#pragma once

/* The shapes of single values and of lists and mappings of such. */

#include "manager/ctl/compose/shape.h"

#define KIND_NUMBER (NODE_INT | NODE_FLOAT)
#define KIND_SCALAR (NODE_NULL | NODE_BOOL | KIND_NUMBER | NODE_STRING)

extern const struct shape SHAPE_STRING;
extern const struct shape SHAPE_BOOL;     /* left out if it is false */
extern const struct shape SHAPE_BOOL_SET; /* stays if it is false */
extern const struct shape SHAPE_INT;      /* left out if it is 0 */
extern const struct shape SHAPE_INT_SET;
extern const struct shape SHAPE_CPUS; /* a float32 */
extern const struct shape SHAPE_BYTES;
extern const struct shape SHAPE_DURATION; /* left out if it is "0s" */
extern const struct shape SHAPE_DURATION_SET;

extern const struct shape SHAPE_STRINGS;        /* a list of different strings */
extern const struct shape SHAPE_STRING_OR_LIST; /* one string becomes a list */
extern const struct shape SHAPE_WORDS;          /* strings and numbers, which become strings */
extern const struct shape SHAPE_COMMAND;
extern const struct shape SHAPE_OPTIONS; /* a mapping whose values become strings */

/* NAME=VALUE lists or mappings, which become mappings. */
extern const struct shape SHAPE_ENVIRONMENT; /* a name without a value has null */
extern const struct shape SHAPE_LABELS;      /* has "" */
extern const struct shape SHAPE_HOSTS;       /* becomes a sorted list of "host=address" */

/* Text of a boolean as Compose takes it: "yes", "on" with a warning. */
MUST_CHECK int scalar_to_bool(struct load *load, struct node *node, const struct step *step);
MUST_CHECK int scalar_to_int(struct load *load, struct node *node, const struct step *step);
/* A string becomes a list of one. */
MUST_CHECK int scalar_to_list(struct load *load, struct node *node, const struct step *step);
MUST_CHECK int scalar_to_string(struct load *load, struct node *node, const struct step *step);

/* Of services, networks and so on: a mapping's keys. */
MUST_CHECK int scalar_check_names(struct load *load, struct node *map, const struct step *step);
