#pragma once

/*
 * Query parameters of the resources that do not speak the query grammar. Each is known by name and
 * may be given once; anything else is answered with a 400 that names it.
 */

#include <stdint.h>

#include "common/base/error.h"
#include "common/http/server.h"

struct param {
    const char *name;
    /* Sets the parameter in `target`; -EINVAL with a sentence that names value and range. `value`
     * is never empty. */
    int (*set)(void *target, const char *value, struct err *e);
};

/* False when the request was answered with a problem. */
MUST_CHECK bool params_parse(struct http_request *request, const struct param *params, size_t count,
                             void *target);
/* For resources without parameters. */
MUST_CHECK bool params_none(struct http_request *request);

/* A decimal integer of [min, max]. */
MUST_CHECK int param_parse_int(const char *name, const char *value, int64_t min, int64_t max,
                               int64_t *ret_value, struct err *e);
