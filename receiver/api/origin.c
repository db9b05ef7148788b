#include "receiver/api/origin.h"

#include <string.h>
#include <strings.h>

/* Bytes of an authority without the scheme's default port. */
static size_t authority_length(const char *authority, const char *default_port)
{
    size_t len = strlen(authority);
    size_t port_len = strlen(default_port);
    if (len > port_len && strcmp(authority + len - port_len, default_port) == 0)
        len -= port_len;
    return len;
}

static bool is_same_host(const char *origin, const char *host)
{
    static const struct {
        const char *scheme, *default_port;
    } schemes[] = {{"http://", ":80"}, {"https://", ":443"}};
    for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
        size_t scheme_len = strlen(schemes[i].scheme);
        if (strncasecmp(origin, schemes[i].scheme, scheme_len) != 0)
            continue;
        const char *authority = origin + scheme_len;
        size_t len = authority_length(authority, schemes[i].default_port);
        return len == authority_length(host, schemes[i].default_port) &&
               strncasecmp(authority, host, len) == 0;
    }
    return false; /* "null" is the origin of a sandboxed page or a file */
}

bool origin_is_own(const char *origin, const char *host, const char *fetch_site)
{
    if (fetch_site != NULL && strcmp(fetch_site, "same-origin") != 0 &&
        strcmp(fetch_site, "none") != 0)
        return false;
    return origin == NULL || (host != NULL && is_same_host(origin, host));
}
