#pragma once

/*
 * Works on the text of JSON rather than on its tree, so that what a producer wrote stays: numbers
 * keep their digits, strings their escapes. Text must have passed json_parse().
 */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>

/* Copies without the white space around values, which makes it one line: a string of JSON holds no
 * raw line ends. `out` has room for `len` bytes. Returns how many were written. */
size_t json_compact(char *out, const char *text, size_t len);

struct json_span {
    size_t at;
    size_t len; /* 0: none; no value of JSON is empty */
};

/*
 * Drops in place the members of a compact object that `is_dropped` names. `object` is the tree of
 * the same text: names may be escaped in the text, in the tree they are not. *ret_value becomes the
 * place of member `wanted` in the result. Returns the new length.
 */
size_t json_drop_members(char *text, const cJSON *object, bool (*is_dropped)(const char *name),
                         const char *wanted, struct json_span *ret_value);
