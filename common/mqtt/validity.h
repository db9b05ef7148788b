#pragma once

/* From when to when the certificates of one side of a connection are valid (RFC 5280, section
 * 4.1.2.5): its own, and those of its authorities. */

#include <stdint.h>

#include "common/base/error.h"
#include "common/metrics/metrics.h"

struct x509_st;    /* OpenSSL's X509 */
struct ssl_ctx_st; /* and SSL_CTX */

/* Seconds since 1970; 0: there is none. */
struct validity {
    int64_t own_begin_s, own_end_s;
    int64_t authority_end_s; /* of several the latest */
};

/* The name and help of the metric for each, with the labels certificate="own" and "ca". */
#define VALIDITY_METRIC      "bellbuoy_tls_certificate_expiry_timestamp_seconds"
#define VALIDITY_METRIC_OWN  "certificate=\"own\""
#define VALIDITY_METRIC_CA   "certificate=\"ca\""
#define VALIDITY_METRIC_HELP "When the certificate in use expires; of several authorities the last."
double validity_metric(int64_t end_s); /* NaN for none */
/* Both; `validity` is borrowed, and read at each exposition. */
void validity_metrics(struct metrics *metrics, const struct validity *validity);

void validity_add_own(struct validity *validity, const struct x509_st *certificate);
void validity_add_authority(struct validity *validity, const struct x509_st *certificate);
/* Of what a context was given; the system's authorities do not count. */
void validity_read(const struct ssl_ctx_st *context, struct validity *ret_validity);

/* -EINVAL with a sentence where one has expired at that time, or is not valid yet. */
MUST_CHECK int validity_check(const struct validity *validity, int64_t now_s, struct err *e);
