#pragma once

/*
 * What the broker's three PEM files hold at this moment, and whether Mosquitto could use it.
 *
 * They are judged by their content: a mounted Secret is exchanged by renaming a link above the
 * files, others are written over in place, and either may be seen half done.
 */

#include "common/base/error.h"
#include "common/mqtt/validity.h"

struct certificate_files {
    const char *authority;
    const char *certificate; /* "": no TLS, and nothing to look at */
    const char *key;
};

#define CERTIFICATES_DIGEST_SIZE 32

struct certificates {
    unsigned char authority[CERTIFICATES_DIGEST_SIZE]; /* SHA-256 of the file */
    unsigned char own[CERTIFICATES_DIGEST_SIZE];       /* of the certificate's and the key's */
    struct validity validity;
};

/* Reads the files. < 0 with a sentence that names the file at fault: it cannot be read, is no PEM
 * to its end, or the key is not the certificate's. */
MUST_CHECK int certificates_read(const struct certificate_files *files,
                                 struct certificates *ret_certificates, struct err *e);
