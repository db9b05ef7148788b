#include "common/base/buf.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define FIRST_CAPACITY 128

void buf_deinit(struct buf *b)
{
    free(b->data);
    *b = BUF_INIT(b->max);
}

void buf_reset(struct buf *b)
{
    b->len = 0;
    b->failed = false;
    if (b->data != NULL) {
        b->data[0] = '\0';
    }
}

bool buf_failed(const struct buf *b)
{
    return b->failed;
}

/* Room for `extra` bytes and the NUL. */
static bool reserve(struct buf *b, size_t extra)
{
    if (b->failed || extra > b->max - b->len || b->max == SIZE_MAX) {
        b->failed = true;
        return false;
    }
    size_t needed = b->len + extra + 1;
    if (needed <= b->capacity) {
        return true;
    }
    size_t capacity = b->capacity > SIZE_MAX / 2 ? SIZE_MAX : b->capacity * 2;
    capacity = capacity < FIRST_CAPACITY ? FIRST_CAPACITY : capacity;
    capacity = capacity > b->max + 1 ? b->max + 1 : capacity;
    capacity = capacity < needed ? needed : capacity;
    char *data = realloc(b->data, capacity);
    if (data == NULL) {
        b->failed = true;
        return false;
    }
    b->data = data;
    b->capacity = capacity;
    return true;
}

void buf_append(struct buf *b, const void *bytes, size_t len)
{
    if (!reserve(b, len)) {
        return;
    }
    if (len > 0) {
        memcpy(b->data + b->len, bytes, len);
    }
    b->len += len;
    b->data[b->len] = '\0';
}

void buf_append_str(struct buf *b, const char *s)
{
    buf_append(b, s, strlen(s));
}

void buf_append_char(struct buf *b, char c)
{
    buf_append(b, &c, 1);
}

void buf_appendf(struct buf *b, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    va_list again;
    va_copy(again, args);
    size_t room = b->capacity - b->len;
    int wanted = vsnprintf(room > 0 ? b->data + b->len : NULL, room, fmt, args);
    va_end(args);
    if (wanted < 0) {
        b->failed = true;
    } else if (reserve(b, (size_t)wanted)) {
        if ((size_t)wanted >= room) {
            vsnprintf(b->data + b->len, (size_t)wanted + 1, fmt, again);
        }
        b->len += (size_t)wanted;
    }
    va_end(again);
    if (b->failed && b->data != NULL) {
        b->data[b->len] = '\0';
    }
}

static void append_escape(struct buf *b, unsigned char c)
{
    static const char short_forms[] = {
        ['\b'] = 'b', ['\t'] = 't', ['\n'] = 'n', ['\f'] = 'f', ['\r'] = 'r',
    };
    if (c == '"' || c == '\\') {
        buf_append(b, (const char[]){'\\', (char)c}, 2);
    } else if (c < sizeof short_forms && short_forms[c] != 0) {
        buf_append(b, (const char[]){'\\', short_forms[c]}, 2);
    } else {
        static const char hex[] = "0123456789abcdef";
        buf_append(b, (const char[]){'\\', 'u', '0', '0', hex[c >> 4], hex[c & 15]}, 6);
    }
}

void buf_append_json_n(struct buf *b, const char *s, size_t len)
{
    if (s == NULL) {
        buf_append_str(b, "null");
        return;
    }
    size_t before = b->len;
    buf_append_char(b, '"');
    size_t plain = 0; /* where the run of bytes that need no escape starts */
    for (size_t i = 0; i < len; i++) {
        unsigned char c = (unsigned char)s[i];
        if (c < ' ' || c == '"' || c == '\\') {
            buf_append(b, s + plain, i - plain);
            append_escape(b, c);
            plain = i + 1;
        }
    }
    buf_append(b, s + plain, len - plain);
    buf_append_char(b, '"');
    if (b->failed && b->data != NULL) {
        b->len = before;
        b->data[before] = '\0';
    }
}

void buf_append_json(struct buf *b, const char *s)
{
    buf_append_json_n(b, s, s == NULL ? 0 : strlen(s));
}

char *buf_take(struct buf *b, size_t *ret_len)
{
    char *data = b->data;
    if (ret_len != NULL) {
        *ret_len = b->len;
    }
    *b = BUF_INIT(b->max);
    return data;
}
