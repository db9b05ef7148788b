#pragma once

/* `host:port` of a listening socket, numeric: "127.0.0.1:9090", "[::1]:9090", "0.0.0.0:0". */

#include <stdint.h>

#include "common/base/error.h"

#define ADDRESS_HOST_SIZE 64

struct address {
    char host[ADDRESS_HOST_SIZE]; /* without brackets */
    uint16_t port;
};

/* -EINVAL with a sentence. Whether the host is a numeric address shows when it is bound. */
MUST_CHECK int address_parse(const char *text, struct address *ret_address, struct err *e);
