#include "manager/reconcile/clean_text.h"

#include <string.h>

#include "common/base/str.h"

void clean_text(char *out, size_t size, const char *text, size_t len)
{
    size_t used = 0;

    for (size_t i = 0; i < len;) {
        size_t n = str_utf8_length(text + i, len - i);
        bool plain = n > 1 || (n == 1 && ((unsigned char)text[i] >= ' ' || text[i] == '\n'));

        if (used + (n ? n : 1) >= size)
            break;
        if (plain)
            memcpy(out + used, text + i, n);
        else
            out[used] = '?';
        used += plain ? n : 1;
        i += n ? n : 1;
    }
    out[used] = '\0';
}
