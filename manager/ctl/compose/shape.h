#pragma once

/*
 * What may stand at a key, and what becomes of it. A model goes through its shapes three times:
 * after each file, to be checked and brought from short to long syntax; once at the end, when
 * values get the form that Compose prints; and to become JSON.
 */

#include "manager/ctl/compose/load.h"

struct shape;

typedef int shape_step(struct load *load, struct node *node, const struct step *step);

/* A key of a mapping. The table ends with a NULL name. */
struct field {
    const char *name;
    const struct shape *shape; /* NULL: refused */
    const char *refused;       /* why, and what to do */
};

enum shape_flag {
    SHAPE_KEEP_EMPTY = 1 << 0, /* goes into the JSON also when it is false, 0, "", [] */
    SHAPE_KEEP_NULL = 1 << 1,
    SHAPE_UNIQUE = 1 << 2,     /* a list without repetition */
    SHAPE_EXTENSIONS = 1 << 3, /* x-* go into the JSON */
};

struct shape {
    const char *what;           /* "a list of strings" */
    unsigned kinds;             /* enum node_kind that may stand */
    unsigned flags;             /* enum shape_flag */
    const struct field *fields; /* of a mapping; NULL: any */
    const struct shape *item;   /* of a list, and of a mapping without fields; NULL: any */
    shape_step *lengthen;       /* short to long; before what is in it is looked at */
    shape_step *finish;         /* after what is in it */
};

MUST_CHECK int shape_check(struct load *load, struct node *node, const struct step *step,
                           const struct shape *shape);
MUST_CHECK int shape_finish(struct load *load, struct node *node, const struct step *step,
                            const struct shape *shape);
/* NULL without memory. */
cJSON *shape_to_json(const struct node *node, const struct shape *shape);
