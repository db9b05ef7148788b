#include "common/base/str.h"

#include <errno.h>
#include <string.h>

#define NEAREST_MAX_LEN 64

bool str_equal(const char *a, const char *b)
{
    return a == NULL || b == NULL ? a == b : strcmp(a, b) == 0;
}

bool str_starts_with(const char *s, const char *prefix)
{
    return strncmp(s, prefix, strlen(prefix)) == 0;
}

bool str_copy_n(char *dst, size_t size, const char *src, size_t len)
{
    if (len >= size) {
        if (size > 0) {
            dst[0] = '\0';
        }
        return false;
    }
    if (len > 0) {
        memcpy(dst, src, len);
    }
    dst[len] = '\0';
    return true;
}

bool str_copy(char *dst, size_t size, const char *src)
{
    return str_copy_n(dst, size, src, strlen(src));
}

int str_parse_int(const char *s, int64_t min, int64_t max, int64_t *ret_value)
{
    bool negative = s[0] == '-' && min < 0;
    const char *digits = s + (negative ? 1 : 0);
    if (*digits == '\0') {
        return -EINVAL;
    }
    /* Summed below zero, where there is room for INT64_MIN. */
    int64_t value = 0;
    bool overflow = false;
    for (const char *p = digits; *p != '\0'; p++) {
        if (*p < '0' || *p > '9') {
            return -EINVAL;
        }
        overflow = overflow || __builtin_mul_overflow(value, 10, &value) ||
                   __builtin_sub_overflow(value, *p - '0', &value);
    }
    if (overflow || (!negative && __builtin_sub_overflow(0, value, &value)) || value < min ||
        value > max) {
        return -ERANGE;
    }
    *ret_value = value;
    return 0;
}

static bool is_continuation(unsigned char c)
{
    return (c & 0xc0) == 0x80;
}

size_t str_utf8_length(const char *s, size_t len)
{
    const unsigned char *u = (const unsigned char *)s;
    if (len == 0) {
        return 0;
    }
    if (u[0] < 0x80) {
        return 1;
    }
    if (u[0] >= 0xc2 && u[0] <= 0xdf) {
        return len >= 2 && is_continuation(u[1]) ? 2 : 0;
    }
    if (u[0] >= 0xe0 && u[0] <= 0xef) {
        bool well_formed = len >= 3 && is_continuation(u[1]) && is_continuation(u[2]) &&
                           (u[0] != 0xe0 || u[1] >= 0xa0) && /* overlong */
                           (u[0] != 0xed || u[1] <= 0x9f);   /* surrogates */
        return well_formed ? 3 : 0;
    }
    if (u[0] >= 0xf0 && u[0] <= 0xf4) {
        bool well_formed = len >= 4 && is_continuation(u[1]) && is_continuation(u[2]) &&
                           is_continuation(u[3]) && (u[0] != 0xf0 || u[1] >= 0x90) &&
                           (u[0] != 0xf4 || u[1] <= 0x8f); /* above U+10FFFF */
        return well_formed ? 4 : 0;
    }
    return 0;
}

bool str_is_utf8(const char *s, size_t len, size_t *ret_bad)
{
    for (size_t i = 0; i < len;) {
        uint64_t word;
        if (len - i >= sizeof word) {
            memcpy(&word, s + i, sizeof word);
            if ((word & UINT64_C(0x8080808080808080)) == 0) {
                i += sizeof word;
                continue;
            }
        }
        size_t length = str_utf8_length(s + i, len - i);
        if (length == 0) {
            if (ret_bad != NULL) {
                *ret_bad = i;
            }
            return false;
        }
        i += length;
    }
    return true;
}

bool str_equal_secret(const char *a, size_t a_len, const char *b, size_t b_len)
{
    if (a_len != b_len) {
        return false;
    }
    volatile unsigned char difference = 0; /* volatile: no early end is optimised in */
    for (size_t i = 0; i < a_len; i++) {
        difference = (unsigned char)(difference | (unsigned char)(a[i] ^ b[i]));
    }
    return difference == 0;
}

static size_t min3(size_t a, size_t b, size_t c)
{
    size_t least = a < b ? a : b;
    return least < c ? least : c;
}

/* Insert, delete, replace and swap of neighbours each count 1 (optimal string alignment). */
static size_t edit_distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    size_t rows[3][NEAREST_MAX_LEN + 1] = {{0}};
    for (size_t j = 0; j <= b_len; j++) {
        rows[0][j] = j;
    }
    for (size_t i = 1; i <= a_len; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3];
        const size_t *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t j = 1; j <= b_len; j++) {
            size_t replaced = above[j - 1] + (a[i - 1] != b[j - 1] ? 1 : 0);
            row[j] = min3(above[j] + 1, row[j - 1] + 1, replaced);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && two_above[j - 2] + 1 < row[j]) {
                row[j] = two_above[j - 2] + 1;
            }
        }
    }
    return rows[a_len % 3][b_len];
}

const char *str_nearest(const char *s, const char *const *candidates, size_t count)
{
    size_t len = strlen(s);
    size_t limit = len / 3 < 3 ? len / 3 : 3;
    const char *nearest = NULL;
    if (len > NEAREST_MAX_LEN) {
        return NULL;
    }
    size_t best = limit + 1;
    for (size_t i = 0; i < count; i++) {
        size_t candidate_len = strlen(candidates[i]);
        if (candidate_len > NEAREST_MAX_LEN) {
            continue;
        }
        size_t distance = edit_distance(s, len, candidates[i], candidate_len);
        if (distance < best) {
            best = distance;
            nearest = candidates[i];
        }
    }
    return nearest;
}
