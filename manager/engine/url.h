#pragma once

#include "common/base/buf.h"

/* Percent-encodes all but the unreserved characters (RFC 3986 section 2.3): for a name in a path
 * and for a value in a query. */
void url_append(struct buf *b, const char *text);
/* The same but for '/', ':' and '@': for an image's name as a part of a path. */
void url_append_path(struct buf *b, const char *text);
