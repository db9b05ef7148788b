#include "common/http/host.h"

#include <arpa/inet.h>
#include <string.h>
#include <strings.h>

#include "common/base/str.h"

#define HOST_MAX 255

/* Copies the host without port, brackets and a trailing dot. */
static bool copy_name(const char *host, char *name, size_t size)
{
    const char *end;
    size_t len;

    if (*host == '[') {
        host++;
        end = strchr(host, ']');
        if (!end || (end[1] != '\0' && end[1] != ':'))
            return false;
    } else {
        end = host + strcspn(host, ":");
        if (end > host && end[-1] == '.')
            end--;
    }
    len = (size_t)(end - host);
    return len > 0 && str_copy_n(name, size, host, len);
}

static bool is_loopback(const char *name)
{
    struct in_addr ipv4;
    struct in6_addr ipv6;

    if (strcasecmp(name, "localhost") == 0)
        return true;
    if (inet_pton(AF_INET, name, &ipv4) == 1)
        return ntohl(ipv4.s_addr) >> 24 == 127;
    return inet_pton(AF_INET6, name, &ipv6) == 1 && IN6_IS_ADDR_LOOPBACK(&ipv6);
}

bool host_is_allowed(const char *host, const char *const *allowed)
{
    char name[HOST_MAX + 1];

    if (!host || !copy_name(host, name, sizeof(name)))
        return false;
    if (is_loopback(name))
        return true;
    for (; allowed && *allowed; allowed++) {
        if (str_equal(*allowed, "*") || strcasecmp(*allowed, name) == 0)
            return true;
    }
    return false;
}

bool host_is_origin(const char *host, const char *origin)
{
    const char *authority = strstr(origin, "://");

    return host && authority && strcasecmp(authority + 3, host) == 0;
}
