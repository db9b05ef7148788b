#pragma once

/*
 * The TLS side of one connection: an SSL_CTX made afresh from the files, so that a renewed
 * certificate is used at the next connection, and what went wrong, in words.
 *
 * libmosquitto gets the context as it is (MOSQ_OPT_SSL_CTX without its defaults): it would check
 * the certificate against the numeric address that it connects to, and ask for that by SNI.
 */

#include <openssl/ssl.h>
#include <stdbool.h>

#include "common/mqtt/settings.h"

struct tls;

/* TLS 1.2 or later; the broker's certificate must be valid for `host`, a name or an address.
 * -EINVAL naming the file at fault, -ENOMEM. */
MUST_CHECK int tls_new(const struct mqtt_options *options, const char *host, struct tls **ret_tls,
                       struct err *e);
/* After the connection that uses the context is gone. */
void tls_free(struct tls *tls);
DEFINE_CLEANUP(struct tls *, tls_free);

SSL_CTX *tls_context(const struct tls *tls); /* stays the tls's */

/* Keeps the first of OpenSSL's own complaints, for want of a better reason. */
void tls_note_error(struct tls *tls, const char *text);

/* True if TLS knows why the connection failed: the reason is in `e`, with code EACCES where a
 * certificate was refused, by us or by the broker. */
bool tls_failure(const struct tls *tls, struct err *e);
