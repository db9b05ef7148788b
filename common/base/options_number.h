#pragma once

/* The values of OPTION_INTEGER, OPTION_DURATION and OPTION_SIZE: numbers with units and bounds.
 * Nothing outside options*.c needs it. */

#include <cjson/cJSON.h>

#include "common/base/buf.h"
#include "common/base/options.h"

bool option_is_number(const struct option *option);
bool option_number_has_bounds(const struct option *option);

/* 0; -EINVAL: no such number; -ERANGE: out of the option's range. */
MUST_CHECK int option_number_parse(const struct option *option, const char *text,
                                   int64_t *ret_number);
/* As above; `json` is a number, in milliseconds or bytes where the option has a unit. */
MUST_CHECK int option_number_from_json(const struct option *option, const cJSON *json,
                                       int64_t *ret_number);

/* In the largest unit that shows it exactly. */
void option_number_append(const struct option *option, int64_t number, struct buf *out);

/* "1s to 1h", "0 or more"; false, and nothing appended, where the option has no bounds. */
bool option_number_append_range(const struct option *option, struct buf *out);
