#include "manager/ctl/compose/dotenv.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "manager/ctl/compose/interpolate.h"

#define BLANKS        " \t\r\v\f"
#define NAME_MAX_SIZE 1024

struct parser {
    struct load *load;
    const char *file;
    const char *at;
    size_t line;
    const struct lookup *scopes; /* of NAME alone */
    struct lookup all;           /* of variables in values */
    struct variables *out;
};

static int fail_line(struct parser *p, const char *fmt, ...) FORMAT(2, 3);
static int fail_line(struct parser *p, const char *fmt, ...)
{
    char text[sizeof p->load->e->msg];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    return FAIL(p->load->e, EINVAL, "%s:%zu: %s", p->file, p->line, text);
}

static void skip_to(struct parser *p, const char *to)
{
    for (; p->at < to; p->at++) {
        p->line += *p->at == '\n' ? 1 : 0;
    }
}

/* Past blank lines and comments. */
static void skip_between(struct parser *p)
{
    for (;;) {
        skip_to(p, p->at + strspn(p->at, BLANKS "\n"));
        if (*p->at != '#') {
            return;
        }
        p->at += strcspn(p->at, "\n");
    }
}

static bool is_name_byte(char c)
{
    return isalnum((unsigned char)c) || (unsigned char)c >= 0x80 || strchr("_.-[]", c) != NULL;
}

static int parse_name(struct parser *p, char name[static NAME_MAX_SIZE], bool *ret_alone)
{
    if (str_starts_with(p->at, "export") && strspn(p->at + 6, BLANKS) > 0) {
        p->at += 6 + strspn(p->at + 6, BLANKS);
    }
    size_t len = strcspn(p->at, "=:\n");
    size_t name_len = len;
    while (name_len > 0 && strchr(BLANKS, p->at[name_len - 1]) != NULL) {
        name_len--;
    }
    if (name_len == 0 || !str_copy_n(name, NAME_MAX_SIZE, p->at, name_len)) {
        return fail_line(p, "a line must be NAME=VALUE, with a name of at most %d bytes",
                         NAME_MAX_SIZE - 1);
    }
    for (const char *c = name; *c != '\0'; c++) {
        if (!is_name_byte(*c)) {
            return fail_line(p, "\"%.60s\" is no name of a variable: a line must be NAME=VALUE",
                             name);
        }
    }
    *ret_alone = p->at[len] != '=' && p->at[len] != ':';
    p->at += len + (*ret_alone ? 0 : 1);
    return 0;
}

static int set(struct parser *p, const char *name, const char *value)
{
    return variables_set(p->out, &p->load->arena, name, value) < 0 ? load_no_memory(p->load) : 0;
}

/* Variables in `value`, then takes it for `name`. */
static int set_expanded(struct parser *p, const char *name, const char *value)
{
    struct err why = {0};
    struct err *e = p->load->e;
    p->load->e = &why;
    int result = interpolate(p->load, &p->all, value, &value);
    p->load->e = e;
    if (result < 0) {
        return result == -EINVAL ? fail_line(p, "%s: %s", name, why.msg) : load_no_memory(p->load);
    }
    return set(p, name, value);
}

static int parse_unquoted(struct parser *p, const char *name)
{
    size_t len = strcspn(p->at, "\n");
    size_t value_len = len;
    const char *comment = memmem(p->at, len, " #", 2);
    if (comment != NULL) {
        value_len = (size_t)(comment - p->at);
    }
    while (value_len > 0 && strchr(BLANKS, p->at[value_len - 1]) != NULL) {
        value_len--;
    }
    const char *value = arena_copy(&p->load->arena, p->at, value_len);
    int result = value == NULL ? load_no_memory(p->load) : set_expanded(p, name, value);
    p->at += len;
    return result;
}

/* \0 and three octal digits: a character. */
static size_t append_octal(struct buf *out, const char *digits)
{
    unsigned code = 0;
    for (size_t i = 0; i < 3; i++) {
        if (digits[i] < '0' || digits[i] > '7') {
            return 0;
        }
        code = code * 8 + (unsigned)(digits[i] - '0');
    }
    if (code == 0 || code > 255) {
        return 0;
    }
    if (code >= 0x80) {
        buf_append_char(out, (char)(0xc0 | code >> 6));
    }
    buf_append_char(out, (char)(code >= 0x80 ? 0x80 | (code & 0x3f) : code));
    return 3;
}

/* What a backslash and the text behind it mean; the bytes of that text that were used. */
static size_t append_escape(struct buf *out, const char *text)
{
    static const char LETTERS[] = "abfnrtv\\";
    static const char MEANINGS[] = "\a\b\f\n\r\t\v\\";
    const char *letter = *text == '\0' ? NULL : strchr(LETTERS, *text);
    if (letter != NULL) {
        buf_append_char(out, MEANINGS[letter - LETTERS]);
        return 1;
    }
    if (*text == '$') {
        buf_append_str(out, "$$");
        return 1;
    }
    size_t octal = *text == '0' ? append_octal(out, text + 1) : 0;
    if (octal > 0) {
        return 1 + octal;
    }
    buf_append_char(out, '\\');
    return 0;
}

/* In double quotes: escapes first, then variables. `raw` has its \" replaced already. */
static int set_escaped(struct parser *p, const char *name, const char *raw)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(INTERPOLATE_MAX_BYTES);
    for (const char *c = raw; *c != '\0';) {
        if (*c == '\\') {
            c += 1 + append_escape(&out, c + 1);
        } else {
            buf_append_char(&out, *c++);
        }
    }
    if (buf_failed(&out)) {
        return load_no_memory(p->load);
    }
    return set_expanded(p, name, out.data == NULL ? "" : out.data);
}

static int parse_quoted(struct parser *p, const char *name)
{
    AUTO(buf_deinit) struct buf raw = BUF_INIT(INTERPOLATE_MAX_BYTES);
    char quote = *p->at;
    const char *c = p->at + 1;
    while (*c != quote && *c != '\0') {
        if (c[0] == '\\' && c[1] != '\0') {
            if (c[1] != quote) {
                buf_append_char(&raw, c[0]);
            }
            c++;
        }
        buf_append_char(&raw, *c++);
    }
    if (*c == '\0') {
        return fail_line(p, "the value of %s begins with %c and does not end with one", name,
                         quote);
    }
    if (buf_failed(&raw)) {
        return load_no_memory(p->load);
    }
    const char *value = raw.data == NULL ? "" : raw.data;
    int result = quote == '"' ? set_escaped(p, name, value) : set(p, name, value);
    skip_to(p, c + 1);
    return result;
}

static int parse_statement(struct parser *p)
{
    char name[NAME_MAX_SIZE];
    bool alone = false;
    int result = parse_name(p, name, &alone);
    if (result < 0) {
        return result;
    }
    if (alone) {
        const char *value = lookup_find(p->scopes, name);
        return value == NULL ? 0 : set(p, name, value);
    }
    p->at += strspn(p->at, BLANKS);
    return *p->at == '"' || *p->at == '\'' ? parse_quoted(p, name) : parse_unquoted(p, name);
}

static const char *without_mark(const char *text)
{
    return str_starts_with(text, "\xef\xbb\xbf") ? text + 3 : text;
}

int dotenv_parse(struct load *load, const char *file, const char *text, const struct lookup *scopes,
                 struct variables *out)
{
    struct parser p = {load, file, without_mark(text), 1, scopes, *scopes, out};
    p.all.scopes[LOOKUP_MAX - 1] = out;
    int result = 0;
    for (skip_between(&p); *p.at != '\0' && result == 0; skip_between(&p)) {
        result = parse_statement(&p);
    }
    return result;
}

static int parse_raw_line(struct parser *p, char *line)
{
    char *equals = strchr(line, '=');
    size_t name_len = equals == NULL ? strlen(line) : (size_t)(equals - line);
    if (name_len == 0 || strcspn(line, BLANKS) < name_len) {
        return fail_line(p, "a line must be NAME=VALUE, without a blank in the name");
    }
    if (equals == NULL) {
        const char *value = lookup_find(p->scopes, line);
        return value == NULL ? 0 : set(p, line, value);
    }
    *equals = '\0';
    return set(p, line, equals + 1);
}

int dotenv_parse_raw(struct load *load, const char *file, const char *text,
                     const struct lookup *scopes, struct variables *out)
{
    struct parser p = {load, file, without_mark(text), 1, scopes, *scopes, out};
    int result = 0;
    while (*p.at != '\0' && result == 0) {
        size_t len = strcspn(p.at, "\n");
        size_t blank = strspn(p.at, BLANKS);
        size_t end = len > 0 && p.at[len - 1] == '\r' ? len - 1 : len;
        if (blank < end && p.at[blank] != '#') {
            char *line = arena_copy(&load->arena, p.at + blank, end - blank);
            result = line == NULL ? load_no_memory(load) : parse_raw_line(&p, line);
        }
        skip_to(&p, p.at + len + (p.at[len] == '\n' ? 1 : 0));
    }
    return result;
}
