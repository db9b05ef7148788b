#pragma once

/* Small, bounded helpers for strings from outside. All work on lengths, none on locale. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

bool str_equal(const char *a, const char *b); /* NULL equals only NULL */
bool str_starts_with(const char *s, const char *prefix);
/* Copies with its NUL if it fits `size`; false, and "" in `dst`, if it does not. */
MUST_CHECK bool str_copy(char *dst, size_t size, const char *src);
MUST_CHECK bool str_copy_n(char *dst, size_t size, const char *src, size_t len);

/* Whole string as a decimal integer in [min, max]; no sign for min >= 0, no blanks. 0, -EINVAL or
 * -ERANGE. */
MUST_CHECK int str_parse_int(const char *s, int64_t min, int64_t max, int64_t *ret_value);

/* True if the bytes are well-formed UTF-8 (Unicode 15, table 3-7), NUL bytes included. `*ret_bad`
 * may be NULL; else the offset of the first bad byte. */
bool str_is_utf8(const char *s, size_t len, size_t *ret_bad);

/* Bytes of the well-formed UTF-8 sequence that `s` starts with, 1 to 4; 0 if it starts with none.
 */
size_t str_utf8_length(const char *s, size_t len);

/* Compares in time that depends on the lengths only: for secrets. */
bool str_equal_secret(const char *a, size_t a_len, const char *b, size_t b_len);

/* "did you mean": the candidate of the smallest edit distance (Damerau-Levenshtein, at most 3 and
 * at most a third of the length), or NULL. */
const char *str_nearest(const char *s, const char *const *candidates, size_t count);
