#pragma once

/*
 * JSON from outside, checked before cJSON sees it, and read by typed, case-sensitive getters whose
 * errors name the place by JSON pointer (RFC 6901).
 *
 * json_parse refuses what programs read in different ways or cannot hold: text that is not UTF-8, a
 * byte order mark, more nesting than `max_depth`, duplicate names in one object (RFC 8259 section
 * 4), \u0000 and raw NUL, lone surrogates, numbers that overflow a double, anything after the
 * value.
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/base/error.h"

#define JSON_MAX_DEPTH 64

DEFINE_CLEANUP(cJSON *, cJSON_Delete);

/* 0 and a tree that the caller frees with cJSON_Delete, or -EINVAL / -ENOMEM with the byte offset
 * or pointer in `e`. */
MUST_CHECK int json_parse(const char *text, size_t len, unsigned max_depth, cJSON **ret_json,
                          struct err *e);

/*
 * Typed getters: `object` is a JSON object at pointer `at` ("" for the root), used in messages
 * only. 0; > 0 (JSON_ABSENT) if the member is missing, in which case *ret is untouched; -EINVAL
 * with a message such as "/data/criticality must be an integer from 0 to 10, it is \"high\"".
 */
#define JSON_ABSENT 1
MUST_CHECK int json_get_string(const cJSON *object, const char *at, const char *name,
                               const char **ret_value, struct err *e);
MUST_CHECK int json_get_int(const cJSON *object, const char *at, const char *name, int64_t min,
                            int64_t max, int64_t *ret_value, struct err *e);
MUST_CHECK int json_get_number(const cJSON *object, const char *at, const char *name,
                               double *ret_value, struct err *e);
MUST_CHECK int json_get_bool(const cJSON *object, const char *at, const char *name, bool *ret_value,
                             struct err *e);
MUST_CHECK int json_get_object(const cJSON *object, const char *at, const char *name,
                               const cJSON **ret_value, struct err *e);
MUST_CHECK int json_get_array(const cJSON *object, const char *at, const char *name,
                              const cJSON **ret_value, struct err *e);
/* Case-sensitive; NULL if absent, or where `object` is NULL or no object. */
const cJSON *json_member(const cJSON *object, const char *name);

/* Fails on the first member whose name is not in `known` (NULL-terminated), naming it and the
 * nearest known one. */
MUST_CHECK int json_check_members(const cJSON *object, const char *at, const char *const *known,
                                  struct err *e);
