#include "common/base/error.h"

#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

/* Where a character starts that the text's end cuts through; else the end. */
static size_t whole_length(const char *text)
{
    size_t len = strlen(text);
    size_t start = len;
    while (start > 0 && len - start < 3 && ((unsigned char)text[start - 1] & 0xc0) == 0x80) {
        start--;
    }
    bool lead = start > 0 && (unsigned char)text[start - 1] >= 0xc0;
    return lead && str_utf8_length(text + start - 1, len - start + 1) == 0 ? start - 1 : len;
}

/* Makes the text one line, and ends it before a character that the cut went through. */
static void tidy(char *text, bool cut)
{
    if (cut) {
        text[whole_length(text)] = '\0';
    }
    for (char *p = text; *p != '\0'; p++) {
        if ((unsigned char)*p < ' ' || *p == 0x7f) {
            *p = '?';
        }
    }
}

int err_set(struct err *e, int code, const char *fmt, ...)
{
    if (e == NULL) {
        return -code;
    }
    char text[sizeof e->msg]; /* an argument may be e->msg itself */
    va_list args;
    va_start(args, fmt);
    int wanted = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    tidy(text, wanted >= (int)sizeof text);
    e->code = code;
    memcpy(e->msg, text, sizeof text);
    return -code;
}

void err_context(struct err *e, const char *fmt, ...)
{
    if (e == NULL) {
        return;
    }
    char text[sizeof e->msg];
    va_list args;
    va_start(args, fmt);
    int prefix = vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    bool cut = prefix >= (int)sizeof text;
    if (!cut && prefix >= 0) {
        size_t left = sizeof text - (size_t)prefix;
        cut = snprintf(text + prefix, left, ": %s", e->msg) >= (int)left;
    }
    tidy(text, cut);
    memcpy(e->msg, text, sizeof text);
}
