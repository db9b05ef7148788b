#include "manager/engine/pull_failure.h"

#include <math.h>
#include <string.h>

#include "common/base/cleanup.h"

#define RETRY_AFTER_MAX_MS 86400000.0

/* The first that is in it. "denied" is said of a repository that is not there, too, where the
 * registry does not tell strangers: then credentials are what is wanted first. */
static const struct {
    const char *words;
    enum reason_code code;
} failures[] = {
    {"no space left on device", REASON_DISK},
    {"disk quota exceeded", REASON_DISK},
    {"no matching manifest for", REASON_ARCH},
    {"does not match the specified platform", REASON_ARCH},
    {"does not provide the specified platform", REASON_ARCH},
    {"toomanyrequests", REASON_PULL_RATELIMIT},
    {"too many requests", REASON_PULL_RATELIMIT},
    {"received unexpected http status: 429", REASON_PULL_RATELIMIT},
    {"no basic auth credentials", REASON_PULL_AUTH},
    {"permission denied", REASON_PULL_NETWORK}, /* of the engine's own files */
    {"denied", REASON_PULL_AUTH},
    {"unauthorized", REASON_PULL_AUTH},
    {"authentication required", REASON_PULL_AUTH},
    {"insufficient_scope", REASON_PULL_AUTH},
    {"401 unauthorized", REASON_PULL_AUTH},
    {"403 forbidden", REASON_PULL_AUTH},
    {"http 403", REASON_PULL_AUTH},
    {"manifest unknown", REASON_PULL_NOTFOUND},
    {"name unknown", REASON_PULL_NOTFOUND},
    {"not found", REASON_PULL_NOTFOUND},
    {"invalid reference format", REASON_INVALID},
};

enum reason_code pull_failure_code(const char *message)
{
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        if (strcasestr(message, failures[i].words))
            return failures[i].code;
    }
    return REASON_PULL_NETWORK;
}

/* Seconds, or Go's durations of one unit. */
static double unit_ms(const char *unit)
{
    if (strncmp(unit, "ms", 2) == 0)
        return 1;
    if (unit[0] == 'm')
        return 60000;
    if (unit[0] == 'h')
        return 3600000;
    if (strncmp(unit, "ns", 2) == 0 || strncmp(unit, "us", 2) == 0 ||
        strncmp(unit, "\xc2\xb5s", 3) == 0)
        return 0.001;
    return 1000;
}

int64_t pull_failure_retry_after_ms(const char *message)
{
    static const char words[] = "retry-after:";
    const char *at = strcasestr(message, words);
    char *end;

    if (!at)
        return 0;
    at += strlen(words);
    double value = strtod(at, &end);
    if (end == at || !isfinite(value) || value <= 0)
        return 0;
    double wait_ms = ceil(value * unit_ms(end));
    return (int64_t)(wait_ms < RETRY_AFTER_MAX_MS ? wait_ms : RETRY_AFTER_MAX_MS);
}
