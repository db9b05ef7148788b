#pragma once

/* Values of the API's answers, appended as JSON. */

#include <stdint.h>

#include "common/base/buf.h"
#include "receiver/query/cursor.h"

/* RFC 3339 with microseconds; `null` for 0. */
void json_append_time(struct buf *out, int64_t time_us);
void json_append_cursor(struct buf *out, struct cursor cursor);
/* Standard alphabet with padding (RFC 4648, section 4), in quotes. */
void json_append_base64(struct buf *out, const void *bytes, size_t size);
