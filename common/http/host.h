#pragma once

/* Whose requests are served: the names in Host and Origin (RFC 9110, sections 7.2 and 4.3). */

#include <stdbool.h>

/*
 * True if the value of a Host header (NULL: absent, which is false) names localhost, a loopback
 * address or one of `allowed` (NULL-terminated, may be NULL; "*" allows every name), whatever its
 * port. It is what keeps a page elsewhere from reading here by a DNS name of its own that it points
 * to this machine (DNS rebinding).
 */
bool host_is_allowed(const char *host, const char *const *allowed);

/* True if `origin`, the value of an Origin header, has the same host and port as `host`. */
bool host_is_origin(const char *host, const char *origin);
