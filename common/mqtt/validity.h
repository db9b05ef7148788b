#pragma once

/* From when to when certificates are valid (RFC 5280, section 4.1.2.5), in seconds since 1970. */

#include <openssl/x509.h>
#include <stdint.h>

int64_t validity_begin_s(const X509 *certificate);
int64_t validity_end_s(const X509 *certificate);
