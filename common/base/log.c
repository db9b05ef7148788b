#include "common/base/log.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/str.h"

/* A longer value is cut: a topic may have 65,535 bytes. */
#define VALUE_MAX 512

/* One line; a write(2) of at most PIPE_BUF bytes is atomic on a pipe too. No heap: running out of
 * memory must still be logged. */
struct line {
    char text[PIPE_BUF];
    size_t len;
    bool full;
};

static const char *const level_names[] = {
    [LOG_ERROR] = "error", [LOG_WARNING] = "warning", [LOG_INFO] = "info", [LOG_DEBUG] = "debug"};
static const char *const level_colors[] = {[LOG_ERROR] = "\x1b[31m",
                                           [LOG_WARNING] = "\x1b[33m",
                                           [LOG_INFO] = "\x1b[32m",
                                           [LOG_DEBUG] = "\x1b[90m"};

/* Written by log_setup() before other threads start, read by all. */
static struct {
    enum log_level level;
    enum log_format format;
    bool colored;
} setup = {LOG_INFO, LOG_LOGFMT, false};

void log_setup(enum log_level level, enum log_format format)
{
    const char *no_color = getenv("NO_COLOR"); /* https://no-color.org */
    setup.level = level;
    setup.format = format;
    setup.colored = format == LOG_LOGFMT && isatty(STDERR_FILENO) == 1 &&
                    (no_color == NULL || no_color[0] == '\0');
}

bool log_enabled(enum log_level level)
{
    return level <= setup.level;
}

static void append(struct line *line, const char *bytes, size_t len)
{
    /* The last byte is kept for the newline, the one before for JSON's brace. */
    if (len > sizeof line->text - 2 - line->len) {
        line->full = true;
        return;
    }
    memcpy(line->text + line->len, bytes, len);
    line->len += len;
}

static void append_str(struct line *line, const char *s)
{
    append(line, s, strlen(s));
}

static void append_int(struct line *line, int64_t value)
{
    char text[24];
    int len = snprintf(text, sizeof text, "%lld", (long long)value);
    append(line, text, (size_t)len);
}

/* The C1 controls (U+0080 to U+009F) command a terminal as ESC does. */
static bool is_control(const char *s, size_t length)
{
    unsigned char first = (unsigned char)s[0];
    return length == 1 ? first < ' ' || first == 0x7f
                       : length == 2 && first == 0xc2 && (unsigned char)s[1] < 0xa0;
}

static void append_control(struct line *line, const char *s, size_t length)
{
    char text[8];
    switch (s[0]) {
    case '\n':
        append_str(line, "\\n");
        return;
    case '\r':
        append_str(line, "\\r");
        return;
    case '\t':
        append_str(line, "\\t");
        return;
    default:
        snprintf(text, sizeof text, "\\u%04x", (unsigned)(unsigned char)s[length - 1]);
        append_str(line, text);
    }
}

/* A JSON string with its quotes; logfmt quotes in the same way. What is not UTF-8 becomes U+FFFD.
 */
static void append_quoted(struct line *line, const char *s)
{
    size_t left = strlen(s);
    size_t kept = left > VALUE_MAX ? VALUE_MAX : left;
    bool cut = kept < left;
    append(line, "\"", 1);
    while (kept > 0) {
        size_t length = str_utf8_length(s, left);
        if (length > kept) {
            break;
        }
        if (length == 0) {
            append_str(line, "\\ufffd");
            length = 1;
        } else if (is_control(s, length)) {
            append_control(line, s, length);
        } else {
            append(line, "\\", *s == '"' || *s == '\\' ? 1 : 0);
            append(line, s, length);
        }
        s += length;
        left -= length;
        kept -= length;
    }
    append_str(line, cut ? "…\"" : "\"");
}

/* As go-logfmt decides: blanks, controls, '=', '"' and what is not UTF-8 need quotes, and so does a
 * string that would read as no value. */
static bool needs_quotes(const char *s)
{
    size_t len = strlen(s);
    if (len > VALUE_MAX || len == 0 || strcmp(s, "null") == 0 || !str_is_utf8(s, len, NULL)) {
        return true;
    }
    for (size_t length; *s != '\0'; s += length) {
        length = str_utf8_length(s, len);
        if (*s == ' ' || *s == '=' || *s == '"' || is_control(s, length)) {
            return true;
        }
    }
    return false;
}

static void append_value(struct line *line, const struct log_field *field)
{
    if (field->kind == LOG_FIELD_INT) {
        append_int(line, field->num);
    } else if (field->kind == LOG_FIELD_BOOL) {
        append_str(line, field->num != 0 ? "true" : "false");
    } else if (setup.format == LOG_JSON || needs_quotes(field->str)) {
        append_quoted(line, field->str);
    } else {
        append_str(line, field->str);
    }
}

static void append_field(struct line *line, const struct log_field *field)
{
    if (field->kind == LOG_FIELD_STR && field->str == NULL) {
        return;
    }
    size_t before = line->len;
    append_str(line, setup.format == LOG_JSON ? ",\"" : " ");
    append_str(line, field->key);
    append_str(line, setup.format == LOG_JSON ? "\":" : "=");
    append_value(line, field);
    if (line->full) {
        line->len = before; /* a whole field or none; a shorter one may still fit */
        line->full = false;
    }
}

static void append_head(struct line *line, enum log_level level)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format_us(clock_wall_us(), time);
    bool json = setup.format == LOG_JSON;
    append_str(line, json ? "{\"time\":\"" : "time=");
    append_str(line, time);
    append_str(line, json ? "\",\"level\":\"" : " level=");
    append_str(line, setup.colored ? level_colors[level] : "");
    append_str(line, level_names[level]);
    append_str(line, setup.colored ? "\x1b[0m" : "");
    append_str(line, json ? "\"" : "");
}

static void write_line(const struct line *line)
{
    for (size_t done = 0; done < line->len;) {
        ssize_t written = write(STDERR_FILENO, line->text + done, line->len - done);
        if (written < 0 && errno != EINTR) {
            return; /* there is nowhere left to say so */
        }
        done += written > 0 ? (size_t)written : 0;
    }
}

void log_write(enum log_level level, const char *component, const char *msg,
               const struct log_field *fields)
{
    if (!log_enabled(level)) {
        return;
    }
    int saved_errno = errno;
    struct line line;
    line.len = 0;
    line.full = false;
    append_head(&line, level);
    append_field(&line, &LOG_STR("component", component));
    append_str(&line, setup.format == LOG_JSON ? ",\"msg\":" : " msg=");
    append_quoted(&line, msg);
    for (const struct log_field *field = fields; field->kind != LOG_FIELD_END; field++) {
        append_field(&line, field);
    }
    if (setup.format == LOG_JSON) {
        line.text[line.len++] = '}';
    }
    line.text[line.len++] = '\n';
    write_line(&line);
    errno = saved_errno;
}

bool log_limit_pass(struct log_limit *limit, int64_t now_ms, int64_t period_ms,
                    uint64_t *ret_suppressed)
{
    if (limit->last_ms != 0 && now_ms - limit->last_ms < period_ms) {
        limit->suppressed++;
        return false;
    }
    *ret_suppressed = limit->suppressed;
    limit->suppressed = 0;
    limit->last_ms = now_ms;
    return true;
}
