#pragma once

/* The strict reader of RFC 8259 that stands before cJSON, which takes more than JSON (raw control
 * characters, "01", "1.", lone surrogates, what is not UTF-8). Nothing outside json.c needs it. */

#include <stddef.h>

#include "common/base/error.h"

/* 0, or -EINVAL with the byte offset and the cause in `e`. */
MUST_CHECK int json_scan(const char *text, size_t len, unsigned max_depth, struct err *e);
