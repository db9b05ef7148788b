#pragma once

/* How values and places are shown in messages; shared by json.c, json_get.c and the options. */

#include <cjson/cJSON.h>

#include "common/base/buf.h"

/* A member's name as a step of a JSON pointer: '~' as "~0", '/' as "~1" (RFC 6901 section 3). */
void json_append_pointer_name(struct buf *b, const char *name);

/* A value as in "it is \"high\"": long strings cut, containers as "an object" or "an array". */
void json_append_shown(struct buf *b, const cJSON *value);

/* A string in quotes, escaped, and cut with "..." after 40 bytes. */
void json_append_shown_string(struct buf *b, const char *s);
