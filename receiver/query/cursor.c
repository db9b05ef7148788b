#include "receiver/query/cursor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

#define EPOCH_DIGITS 8

void cursor_format(struct cursor cursor, char text[static CURSOR_TEXT_SIZE])
{
    (void)snprintf(text, CURSOR_TEXT_SIZE, "%08" PRIx32 "-%" PRIu64, cursor.epoch, cursor.seq);
}

/* Lower case only: one place has one spelling. */
static int epoch_parse(const char *text, uint32_t *ret_epoch)
{
    uint32_t epoch = 0;
    for (int i = 0; i < EPOCH_DIGITS; i++) {
        char c = text[i];
        if (c >= '0' && c <= '9') {
            epoch = epoch << 4 | (uint32_t)(c - '0');
        } else if (c >= 'a' && c <= 'f') {
            epoch = epoch << 4 | (uint32_t)(c - 'a' + 10);
        } else {
            return -EINVAL;
        }
    }
    *ret_epoch = epoch;
    return 0;
}

int cursor_parse(const char *text, struct cursor *ret_cursor)
{
    uint32_t epoch;
    if (epoch_parse(text, &epoch) < 0 || text[EPOCH_DIGITS] != '-') {
        return -EINVAL;
    }
    const char *digits = text + EPOCH_DIGITS + 1;
    bool leading_zero = digits[0] == '0' && digits[1] != '\0';
    int64_t seq;
    if (leading_zero || str_parse_int(digits, 0, INT64_MAX, &seq) < 0) {
        return -EINVAL;
    }
    *ret_cursor = (struct cursor){.epoch = epoch, .seq = (uint64_t)seq};
    return 0;
}
