#pragma once

/*
 * What all steps of one loading share, and how they speak of places: memory, variables, warnings,
 * the way down to a node.
 */

#include <cjson/cJSON.h>

#include "common/base/error.h"
#include "manager/ctl/compose/node.h"
#include "manager/ctl/compose/variables.h"

struct load {
    struct arena arena;
    struct variables variables; /* the environment, then what env files add */
    const char *working_dir;    /* absolute */
    const char *project;        /* its name */
    cJSON *warnings;
    struct err *e;
};

/* A node's way from the top: `services` > `web` > `ports` > [0]. NULL is the top. */
struct step {
    const struct step *up;
    const char *name; /* NULL: of a list, at `index` */
    size_t index;
};

#define STEP(up, node, index) (&(struct step){(up), (node)->key, (index)})

/* "services.*.ports.*": `*` for any name or index. */
bool step_matches(const struct step *step, const char *pattern);

/* "FILE:LINE:COLUMN: services.web.ports[0]: text". Always -EINVAL. load_fail_key has
 * the place of the key, not of its value. */
int load_fail(struct load *load, const struct node *at, const struct step *step, const char *fmt,
              ...) FORMAT(4, 5);
int load_fail_key(struct load *load, const struct node *at, const struct step *step,
                  const char *text);
static inline int load_no_memory(struct load *load)
{
    return FAIL(load->e, ENOMEM, "no memory");
}

/* The same sentence twice is said once. */
MUST_CHECK int load_warn(struct load *load, const char *fmt, ...) FORMAT(2, 3);

/* `path` below working_dir unless it is absolute, "~" being HOME, without "." and "..". NULL
 * without memory. */
const char *load_absolute_path(struct load *load, const char *path);
/* Go's path.Clean. */
const char *load_clean_path(struct load *load, const char *path);
