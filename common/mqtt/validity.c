#include "common/mqtt/validity.h"

#include <math.h>
#include <openssl/ssl.h>
#include <openssl/x509.h>
#include <time.h>

#include "common/base/clock.h"

/* 1, which is long past, for a time that cannot be read. */
static int64_t seconds(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 1;
}

double validity_metric(int64_t end_s)
{
    return end_s == 0 ? NAN : (double)end_s;
}

static double own_expiry(void *context)
{
    const struct validity *validity = context;
    return validity_metric(validity->own_end_s);
}

static double authority_expiry(void *context)
{
    const struct validity *validity = context;
    return validity_metric(validity->authority_end_s);
}

void validity_metrics(struct metrics *metrics, const struct validity *validity)
{
    void *context = (void *)(uintptr_t)validity;

    metrics_callback(metrics, VALIDITY_METRIC, VALIDITY_METRIC_OWN, VALIDITY_METRIC_HELP,
                     own_expiry, context);
    metrics_callback(metrics, VALIDITY_METRIC, VALIDITY_METRIC_CA, VALIDITY_METRIC_HELP,
                     authority_expiry, context);
}

void validity_add_own(struct validity *validity, const X509 *certificate)
{
    validity->own_begin_s = seconds(X509_get0_notBefore(certificate));
    validity->own_end_s = seconds(X509_get0_notAfter(certificate));
}

void validity_add_authority(struct validity *validity, const X509 *certificate)
{
    int64_t end_s = seconds(X509_get0_notAfter(certificate));

    if (end_s > validity->authority_end_s)
        validity->authority_end_s = end_s;
}

void validity_read(const SSL_CTX *context, struct validity *ret_validity)
{
    const X509 *own = SSL_CTX_get0_certificate(context);
    const STACK_OF(X509_OBJECT) *authorities =
        X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
    struct validity validity = {0};

    if (own)
        validity_add_own(&validity, own);
    for (int i = 0; i < sk_X509_OBJECT_num(authorities); i++) {
        const X509 *one = X509_OBJECT_get0_X509(sk_X509_OBJECT_value(authorities, i));
        if (one)
            validity_add_authority(&validity, one);
    }
    *ret_validity = validity;
}

static int fail_time(const char *what, int64_t time_s, struct err *e)
{
    char text[CLOCK_TEXT_SIZE];

    clock_format_us(time_s * 1000000, text);
    return FAIL(e, EINVAL, "%s %.19sZ", what, text);
}

int validity_check(const struct validity *validity, int64_t now_s, struct err *e)
{
    if (now_s < validity->own_begin_s)
        return fail_time("the certificate is not valid before", validity->own_begin_s, e);
    if (validity->own_end_s > 0 && now_s >= validity->own_end_s)
        return fail_time("the certificate has expired at", validity->own_end_s, e);
    if (validity->authority_end_s > 0 && now_s >= validity->authority_end_s)
        return fail_time("the authority's certificate has expired at", validity->authority_end_s,
                         e);
    return 0;
}
