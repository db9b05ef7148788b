#include "manager/engine/url.h"

#include <string.h>

#define UNRESERVED "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"

static void append(struct buf *b, const char *text, const char *plain)
{
    for (; *text; text++) {
        if (strchr(plain, *text))
            buf_append_char(b, *text);
        else
            buf_appendf(b, "%%%02X", (unsigned)(unsigned char)*text);
    }
}

void url_append(struct buf *b, const char *text)
{
    append(b, text, UNRESERVED);
}

void url_append_path(struct buf *b, const char *text)
{
    append(b, text, UNRESERVED "/:@");
}
