#include "receiver/stream/frame.h"

#include <inttypes.h>
#include <string.h>

static void append_id(struct buf *out, struct cursor cursor)
{
    char text[CURSOR_TEXT_SIZE];

    cursor_format(cursor, text);
    buf_append_str(out, "id: ");
    buf_append_str(out, text);
    buf_append_char(out, '\n');
}

/* Where the first line ends: at CRLF, LF or CR, or with the text. */
static size_t line_len(const char *text, size_t len)
{
    size_t n = 0;

    while (n < len && text[n] != '\n' && text[n] != '\r')
        n++;
    return n;
}

bool frame_is_one_line(const char *json, size_t len)
{
    return !memchr(json, '\n', len) && !memchr(json, '\r', len);
}

static void append_lines(struct buf *out, const char *text, size_t len)
{
    for (;;) {
        size_t n = line_len(text, len);

        buf_append_str(out, "data: ");
        buf_append(out, text, n);
        buf_append_char(out, '\n');
        if (n == len)
            return;
        n += text[n] == '\r' && n + 1 < len && text[n + 1] == '\n' ? 2 : 1;
        text += n;
        len -= n;
    }
}

void frame_append_event(struct buf *out, struct cursor cursor, const char *json, size_t len)
{
    append_id(out, cursor);
    append_lines(out, json, len);
    buf_append_char(out, '\n');
}

void frame_append_position(struct buf *out, struct cursor cursor)
{
    append_id(out, cursor);
    buf_append_char(out, '\n');
}

void frame_append_gap(struct buf *out, struct cursor from, struct cursor to, const char *reason)
{
    char from_text[CURSOR_TEXT_SIZE], to_text[CURSOR_TEXT_SIZE];

    cursor_format(from, from_text);
    cursor_format(to, to_text);
    buf_append_str(out, "event: gap\n");
    append_id(out, to);
    buf_appendf(out, "data: {\"from\":\"%s\",\"to\":\"%s\",\"reason\":\"%s\"}\n\n", from_text,
                to_text, reason);
}

void frame_append_retry(struct buf *out, int64_t retry_ms)
{
    buf_appendf(out, "retry: %" PRId64 "\n\n", retry_ms);
}

void frame_append_heartbeat(struct buf *out)
{
    buf_append_str(out, ": heartbeat\n\n");
}
