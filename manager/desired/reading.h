#pragma once

/* A document being read: where in it we are, and how what is wrong with it is told. Nothing outside
 * manager/desired needs it. */

#include <cjson/cJSON.h>

#include "common/base/json.h"
#include "manager/desired/document.h"

struct reading {
    const struct safety *safety; /* NULL: what a node allows is not looked at */
    struct rejection *rejection;
};

/* The way down to a value. */
struct place {
    const struct place *parent; /* NULL: of the document itself */
    const char *name;           /* NULL: an array's item */
    size_t index;
};

/* Fill the rejection; return -EINVAL. The message is "POINTER " and then `fmt`. */
int reading_fail(const struct reading *r, enum reason_code code, const struct place *at,
                 const char *fmt, ...) FORMAT(4, 5);
/* "POINTER must be WANTED, it is VALUE". */
int reading_fail_value(const struct reading *r, const struct place *at, const cJSON *value,
                       const char *wanted);
/* Fills the rejection; returns -ENOMEM. */
int reading_fail_memory(const struct reading *r);

/* 0 where the node allows `word`, else it is told with `what`: "privileged". */
MUST_CHECK int reading_require(const struct reading *r, const struct place *at, const char *word);
/* The same for a bind mount of `source`. */
MUST_CHECK int reading_require_bind(const struct reading *r, const struct place *at,
                                    const char *source);
