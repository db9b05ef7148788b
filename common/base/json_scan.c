#include "common/base/json_scan.h"

#include <locale.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "common/base/str.h"

/* cJSON copies a number into 64 bytes and would read a longer one as two. */
#define NUMBER_MAX 63

struct scan {
    const unsigned char *text;
    size_t len;
    size_t pos;
    unsigned max_depth;
    const char *why; /* set by the first failure, which happened at `pos` */
};

/* What the limit is stands in the message, so it is told from the other reasons. */
static const char too_deep[] = "nesting deeper";

static bool fail(struct scan *s, const char *why)
{
    s->why = why;
    return false;
}

/* The byte at `pos`, or -1 at the end. */
static int peek(const struct scan *s)
{
    return s->pos < s->len ? s->text[s->pos] : -1;
}

static void skip_blanks(struct scan *s)
{
    while (s->pos < s->len && (s->text[s->pos] == ' ' || s->text[s->pos] == '\n' ||
                               s->text[s->pos] == '\r' || s->text[s->pos] == '\t')) {
        s->pos++;
    }
}

static bool skip_digits(struct scan *s)
{
    size_t before = s->pos;
    while (s->pos < s->len && s->text[s->pos] >= '0' && s->text[s->pos] <= '9') {
        s->pos++;
    }
    return s->pos > before || fail(s, "a digit is needed here");
}

static locale_t c_locale;

static void make_c_locale(void)
{
    c_locale = newlocale(LC_NUMERIC_MASK, "C", (locale_t)0);
}

static bool overflows(const unsigned char *digits, size_t len)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    char copy[NUMBER_MAX + 1];
    pthread_once(&once, make_c_locale);
    memcpy(copy, digits, len);
    copy[len] = '\0';
    /* Without memory for a locale nothing with an exponent can be trusted. */
    return c_locale == (locale_t)0 || isinf(strtod_l(copy, NULL, c_locale));
}

static bool scan_number(struct scan *s)
{
    size_t start = s->pos;
    bool exponent = false;
    s->pos += peek(s) == '-' ? 1 : 0;
    if (peek(s) == '0') {
        s->pos++;
    } else if (!skip_digits(s)) {
        return false;
    }
    if (peek(s) == '.') {
        s->pos++;
        if (!skip_digits(s)) {
            return false;
        }
    }
    if (peek(s) == 'e' || peek(s) == 'E') {
        exponent = true;
        s->pos++;
        s->pos += peek(s) == '+' || peek(s) == '-' ? 1 : 0;
        if (!skip_digits(s)) {
            return false;
        }
    }
    size_t len = s->pos - start;
    if (len > NUMBER_MAX) {
        s->pos = start;
        return fail(s, "a number of more than 63 characters");
    }
    if (exponent && overflows(s->text + start, len)) {
        s->pos = start;
        return fail(s, "a number beyond what a double holds");
    }
    return true;
}

/* The four digits behind \u; -1 if they are not there. */
static int read_hex4(const struct scan *s, size_t at)
{
    int value = 0;
    if (s->len < 4 || at > s->len - 4) {
        return -1;
    }
    for (size_t i = at; i < at + 4; i++) {
        unsigned char c = s->text[i];
        if (c >= '0' && c <= '9') {
            value = value * 16 + (c - '0');
        } else if ((c | 0x20) >= 'a' && (c | 0x20) <= 'f') {
            value = value * 16 + ((c | 0x20) - 'a' + 10);
        } else {
            return -1;
        }
    }
    return value;
}

/* `pos` is at the backslash of \uXXXX. */
static bool scan_unicode_escape(struct scan *s)
{
    int unit = read_hex4(s, s->pos + 2);
    if (unit < 0) {
        return fail(s, "\\u needs four hexadecimal digits");
    }
    if (unit == 0) {
        return fail(s, "\\u0000 is not accepted");
    }
    if (unit < 0xd800 || unit > 0xdfff) {
        s->pos += 6;
        return true;
    }
    bool escaped =
        s->len - s->pos >= 12 && s->text[s->pos + 6] == '\\' && s->text[s->pos + 7] == 'u';
    int low = escaped ? read_hex4(s, s->pos + 8) : -1;
    if (unit > 0xdbff || low < 0xdc00 || low > 0xdfff) {
        return fail(s, "half of a surrogate pair");
    }
    s->pos += 12;
    return true;
}

static bool scan_escape(struct scan *s)
{
    int c = s->pos + 1 < s->len ? s->text[s->pos + 1] : -1;
    if (c == 'u') {
        return scan_unicode_escape(s);
    }
    if (c <= 0 || strchr("\"\\/bfnrt", c) == NULL) {
        return fail(s, "an unknown escape in a string");
    }
    s->pos += 2;
    return true;
}

/* A string's ordinary characters: ASCII without quote, backslash and controls. */
static void skip_plain(struct scan *s)
{
    const unsigned char *text = s->text;
    size_t pos = s->pos;
    while (pos < s->len && text[pos] >= ' ' && text[pos] < 0x80 && text[pos] != '"' &&
           text[pos] != '\\') {
        pos++;
    }
    s->pos = pos;
}

static bool scan_string(struct scan *s)
{
    size_t start = s->pos++;
    for (;;) {
        skip_plain(s);
        int c = peek(s);
        if (c == '"') {
            s->pos++;
            return true;
        }
        if (c < 0) {
            s->pos = start;
            return fail(s, "a string without its end");
        }
        if (c < ' ') {
            return fail(s, c == 0 ? "a NUL byte" : "a raw control character in a string");
        }
        if (c == '\\') {
            if (!scan_escape(s)) {
                return false;
            }
            continue;
        }
        size_t length = str_utf8_length((const char *)s->text + s->pos, s->len - s->pos);
        if (length == 0) {
            return fail(s, "text that is not UTF-8");
        }
        s->pos += length;
    }
}

static bool scan_word(struct scan *s, const char *word)
{
    size_t len = strlen(word);
    if (s->len - s->pos < len || memcmp(s->text + s->pos, word, len) != 0) {
        return fail(s, "a value is needed here");
    }
    s->pos += len;
    return true;
}

static bool scan_value(struct scan *s, unsigned depth);

/* One `"name": value` of an object or one item of an array, with blanks around it. */
static bool scan_item(struct scan *s, bool named, unsigned depth)
{
    if (named) {
        if (peek(s) != '"') {
            return fail(s, "a name in quotes is needed here");
        }
        if (!scan_string(s)) {
            return false;
        }
        skip_blanks(s);
        if (peek(s) != ':') {
            return fail(s, "':' is needed after a name");
        }
        s->pos++;
        skip_blanks(s);
    }
    if (!scan_value(s, depth)) {
        return false;
    }
    skip_blanks(s);
    return true;
}

/* `depth` counts this container and those around it. */
static bool scan_container(struct scan *s, unsigned depth)
{
    bool object = peek(s) == '{';
    int close = object ? '}' : ']';
    if (depth > s->max_depth) {
        return fail(s, too_deep);
    }
    s->pos++;
    skip_blanks(s);
    if (peek(s) == close) {
        s->pos++;
        return true;
    }
    while (scan_item(s, object, depth)) {
        int c = peek(s);
        if (c != ',' && c != close) {
            return fail(s, object ? "',' or '}' is needed here" : "',' or ']' is needed here");
        }
        s->pos++;
        if (c == close) {
            return true;
        }
        skip_blanks(s);
    }
    return false;
}

static bool scan_value(struct scan *s, unsigned depth)
{
    switch (peek(s)) {
    case '{':
    case '[':
        return scan_container(s, depth + 1);
    case '"':
        return scan_string(s);
    case 't':
        return scan_word(s, "true");
    case 'f':
        return scan_word(s, "false");
    case 'n':
        return scan_word(s, "null");
    case -1:
        return fail(s, s->len == 0 ? "it is empty" : "it ends too early");
    case 0xef:
        return fail(s, s->pos == 0 && s->len >= 3 && memcmp(s->text, "\xef\xbb\xbf", 3) == 0
                           ? "a byte order mark"
                           : "a value is needed here");
    case '-':
    case '0' ... '9':
        return scan_number(s);
    default:
        return fail(s, "a value is needed here");
    }
}

/* A configuration file has lines to look at; a payload is one line. */
static int fail_at(const struct scan *s, struct err *e)
{
    if (s->why == too_deep) {
        return FAIL(e, EINVAL, "not JSON at byte %zu: %s than %u levels", s->pos, s->why,
                    s->max_depth);
    }
    size_t line = 1;
    size_t line_start = 0;
    for (size_t i = 0; i < s->pos; i++) {
        if (s->text[i] == '\n') {
            line++;
            line_start = i + 1;
        }
    }
    if (line == 1) {
        return FAIL(e, EINVAL, "not JSON at byte %zu: %s", s->pos, s->why);
    }
    return FAIL(e, EINVAL, "not JSON at byte %zu (line %zu, column %zu): %s", s->pos, line,
                s->pos - line_start + 1, s->why);
}

int json_scan(const char *text, size_t len, unsigned max_depth, struct err *e)
{
    struct scan s = {(const unsigned char *)text, len, 0, max_depth, NULL};
    skip_blanks(&s);
    if (!scan_value(&s, 0)) {
        return fail_at(&s, e);
    }
    skip_blanks(&s);
    if (s.pos < len) {
        fail(&s, "something after the value");
        return fail_at(&s, e);
    }
    return 0;
}
