#pragma once

#include <stdbool.h>

/* True if `header`, the value of If-None-Match (NULL: absent), names `etag` (with its quotes) or is
 * "*": weak comparison, RFC 9110, 13.1.2. */
bool etag_matches(const char *header, const char *etag);
