#include "receiver/api/json_values.h"

#include "common/base/clock.h"

void json_append_time(struct buf *out, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (time_us != 0)
        clock_format_us(time_us, text);
    buf_append_json(out, time_us != 0 ? text : NULL);
}

void json_append_cursor(struct buf *out, struct cursor cursor)
{
    char text[CURSOR_TEXT_SIZE];
    cursor_format(cursor, text);
    buf_append_json(out, text);
}

void json_append_base64(struct buf *out, const void *bytes, size_t size)
{
    static const char alphabet[] =
        "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    const unsigned char *in = bytes;
    buf_append_char(out, '"');
    for (size_t i = 0; i < size; i += 3) {
        size_t left = size - i;
        unsigned group = (unsigned)in[i] << 16;
        group |= left > 1 ? (unsigned)in[i + 1] << 8 : 0;
        group |= left > 2 ? (unsigned)in[i + 2] : 0;
        const char digits[4] = {
            alphabet[group >> 18],
            alphabet[group >> 12 & 63],
            left > 1 ? alphabet[group >> 6 & 63] : '=',
            left > 2 ? alphabet[group & 63] : '=',
        };
        buf_append(out, digits, sizeof(digits));
    }
    buf_append_char(out, '"');
}
