#pragma once

#include "common/base/buf.h"

/* Percent-encodes all but the unreserved characters (RFC 3986 section 2.3): for a name in a path
 * and for a value in a query. */
void url_append(struct buf *b, const char *text);
