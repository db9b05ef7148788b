#include "manager/engine/log_lines.h"

#include <string.h>

#define STREAM_STDERR 2

void log_lines_init(struct log_lines *lines, bool has_frames,
                    void (*line)(void *context, const char *line, size_t len, bool is_error),
                    void *context)
{
    *lines = (struct log_lines){
        .has_frames = has_frames,
        .out = BUF_INIT(LOG_LINE_MAX),
        .err = BUF_INIT(LOG_LINE_MAX),
        .line = line,
        .context = context,
    };
}

void log_lines_deinit(struct log_lines *lines)
{
    buf_deinit(&lines->out);
    buf_deinit(&lines->err);
}

void log_lines_stop(struct log_lines *lines)
{
    lines->stopped = true;
}

static void tell(struct log_lines *lines, struct buf *line, bool is_error)
{
    size_t len = line->len;

    /* A terminal ends its lines by \r\n. */
    if (len > 0 && line->data[len - 1] == '\r')
        len--;
    if (!lines->stopped)
        lines->line(lines->context, line->data ? line->data : "", len, is_error);
    buf_reset(line);
}

static void take_piece(struct log_lines *lines, const char *bytes, size_t size, bool is_error)
{
    struct buf *line = is_error ? &lines->err : &lines->out;

    while (size > 0 && !lines->stopped) {
        const char *end = memchr(bytes, '\n', size);
        size_t len = end ? (size_t)(end - bytes) : size;
        size_t room = LOG_LINE_MAX - line->len;
        if (len > room) {
            buf_append(line, bytes, room);
            tell(lines, line, is_error);
            bytes += room;
            size -= room;
            continue;
        }
        buf_append(line, bytes, len);
        if (!end)
            return;
        tell(lines, line, is_error);
        bytes = end + 1;
        size -= len + 1;
    }
}

/* Returns the bytes used. */
static size_t take_header(struct log_lines *lines, const char *bytes, size_t size)
{
    size_t used = sizeof(lines->header) - lines->header_len;

    used = used < size ? used : size;
    memcpy(lines->header + lines->header_len, bytes, used);
    lines->header_len += used;
    if (lines->header_len < sizeof(lines->header))
        return used;
    const unsigned char *h = lines->header;
    lines->left = (size_t)h[4] << 24 | (size_t)h[5] << 16 | (size_t)h[6] << 8 | h[7];
    lines->is_error = h[0] == STREAM_STDERR;
    if (lines->left == 0)
        lines->header_len = 0;
    return used;
}

static size_t take_framed(struct log_lines *lines, const char *bytes, size_t size)
{
    size_t used = lines->left < size ? lines->left : size;

    take_piece(lines, bytes, used, lines->is_error);
    lines->left -= used;
    if (lines->left == 0)
        lines->header_len = 0;
    return used;
}

static bool is_header(const unsigned char header[static 8])
{
    return header[0] <= STREAM_STDERR && header[1] == 0 && header[2] == 0 && header[3] == 0;
}

int log_lines_feed(struct log_lines *lines, const char *bytes, size_t size, struct err *e)
{
    if (!lines->has_frames) {
        take_piece(lines, bytes, size, false);
        return 0;
    }
    while (size > 0 && !lines->stopped) {
        bool in_piece = lines->header_len == sizeof(lines->header);
        size_t used = in_piece ? take_framed(lines, bytes, size) : take_header(lines, bytes, size);
        if (!in_piece && lines->header_len == sizeof(lines->header) && !is_header(lines->header))
            return FAIL(e, EINVAL,
                        "the container's output comes without the frames that tell "
                        "stdout from stderr");
        bytes += used;
        size -= used;
    }
    return 0;
}

void log_lines_end(struct log_lines *lines)
{
    if (lines->out.len > 0)
        tell(lines, &lines->out, false);
    if (lines->err.len > 0)
        tell(lines, &lines->err, true);
}
