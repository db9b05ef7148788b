#include "common/http/address.h"

#include <string.h>

#include "common/base/str.h"

int address_parse(const char *text, struct address *ret_address, struct err *e)
{
    const char *colon = strrchr(text, ':');
    const char *host = text;
    size_t host_len = colon ? (size_t)(colon - text) : 0;
    struct address address;
    int64_t port;

    if (colon && text[0] == '[' && text[host_len - 1] == ']' && host_len > 1) {
        host++;
        host_len -= 2;
    } else if (colon && memchr(text, ':', host_len)) {
        return FAIL(e, EINVAL, "\"%s\": an IPv6 address stands in brackets, as in [::1]:9090",
                    text);
    }
    if (host_len == 0 || !str_copy_n(address.host, sizeof address.host, host, host_len))
        return FAIL(e, EINVAL, "\"%s\" is no address and port such as 127.0.0.1:9090", text);
    if (str_parse_int(colon + 1, 0, UINT16_MAX, &port) < 0)
        return FAIL(e, EINVAL, "\"%s\" is no port from 0 to 65535", colon + 1);
    address.port = (uint16_t)port;
    *ret_address = address;
    return 0;
}
