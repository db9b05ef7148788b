#include "receiver/api/etag.h"

#include <string.h>

/* Bytes of the tag that begins here, quotes included; 0 if it is not closed. A tag may have commas
 * within. */
static size_t tag_length(const char *text)
{
    if (*text != '"')
        return 0;
    const char *end = strchr(text + 1, '"');
    return end == NULL ? 0 : (size_t)(end - text) + 1;
}

bool etag_matches(const char *header, const char *etag)
{
    if (header == NULL)
        return false;
    if (strcmp(header, "*") == 0)
        return true;
    size_t etag_len = strlen(etag);
    while (*header != '\0') {
        header += strspn(header, " \t,");
        if (strncmp(header, "W/", 2) == 0)
            header += 2;
        size_t len = tag_length(header);
        if (len == 0)
            return false;
        if (len == etag_len && memcmp(header, etag, len) == 0)
            return true;
        header += len;
    }
    return false;
}
