#include "common/http/problem.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

#define TEXT_MAX    512
#define PROBLEM_MAX ((size_t)16 * 1024)

/* What a client sent may be anything; what we send is UTF-8, and is cut between characters. */
static void copy_text(char *text, const char *from)
{
    size_t len = strnlen(from, TEXT_MAX - 1), bad;

    memcpy(text, from, len);
    text[len] = '\0';
    while (!str_is_utf8(text, len, &bad)) {
        if (len - bad < 4 && from[len] != '\0')
            len = bad; /* a character that was cut */
        else
            text[bad] = '?';
        text[len] = '\0';
    }
}

static void append_member(struct buf *body, const char *name, const char *value)
{
    char text[TEXT_MAX];

    copy_text(text, value);
    buf_appendf(body, ",\"%s\":", name);
    buf_append_json(body, text);
}

void http_problem(struct http_request *request, const struct problem *problem, const char *fmt, ...)
{
    struct buf body AUTO(buf_deinit) = BUF_INIT(PROBLEM_MAX);
    struct http_header headers[5] = {{NULL, NULL}};
    char detail[TEXT_MAX];
    size_t n = 0;
    va_list args;

    va_start(args, fmt);
    vsnprintf(detail, sizeof(detail), fmt, args);
    va_end(args);
    buf_appendf(&body, "{\"type\":\"urn:bellbuoy:problem:%s\"", problem->code);
    append_member(&body, "title", problem->title);
    buf_appendf(&body, ",\"status\":%u", problem->status);
    append_member(&body, "detail", detail);
    if (problem->parameter)
        append_member(&body, "parameter", problem->parameter);
    buf_append_char(&body, '}');

    headers[n++] = (struct http_header){"Cache-Control", "no-store"};
    if (problem->allow)
        headers[n++] = (struct http_header){"Allow", problem->allow};
    if (problem->authenticate)
        headers[n++] = (struct http_header){"WWW-Authenticate", problem->authenticate};
    if (problem->retry_after_s)
        headers[n++] = (struct http_header){"Retry-After", problem->retry_after_s};
    http_respond(request, problem->status, "application/problem+json", body.data, body.len,
                 headers);
}
