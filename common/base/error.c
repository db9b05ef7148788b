#include "common/base/error.h"

#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

/* Makes the text one line, and ends it before a character that the cut went through. */
static void tidy(char *text, bool cut)
{
    size_t bad = 0;
    if (cut && !str_is_utf8(text, strlen(text), &bad) && strlen(text) - bad < 4) {
        text[bad] = '\0';
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
