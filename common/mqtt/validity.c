#include "common/mqtt/validity.h"

#include <time.h>

/* 0, which is long past, for a time that cannot be read. */
static int64_t seconds(const ASN1_TIME *time)
{
    struct tm tm;

    return ASN1_TIME_to_tm(time, &tm) == 1 ? (int64_t)timegm(&tm) : 0;
}

int64_t validity_begin_s(const X509 *certificate)
{
    return seconds(X509_get0_notBefore(certificate));
}

int64_t validity_end_s(const X509 *certificate)
{
    return seconds(X509_get0_notAfter(certificate));
}
