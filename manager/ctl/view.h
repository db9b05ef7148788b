#pragma once

/* Members of reports and answers as they are shown: what is missing, or of another type, is empty.
 * A NULL object has no members. */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

const cJSON *view_member(const cJSON *object, const char *name); /* NULL: none */
const cJSON *view_object(const cJSON *object, const char *name); /* NULL: none, or no object */
const cJSON *view_array(const cJSON *object, const char *name);  /* NULL: none, or no array */
const char *view_string(const cJSON *object, const char *name);  /* "" */
int64_t view_int(const cJSON *object, const char *name);         /* 0 */
bool view_bool(const cJSON *object, const char *name);           /* false */
