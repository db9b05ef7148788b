#include "manager/engine/url.h"

#include <string.h>

void url_append(struct buf *b, const char *text)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
                                     "0123456789-._~";

    for (; *text; text++) {
        if (strchr(unreserved, *text))
            buf_append_char(b, *text);
        else
            buf_appendf(b, "%%%02X", (unsigned)(unsigned char)*text);
    }
}
