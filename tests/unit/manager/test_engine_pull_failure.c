#include "manager/engine/pull_failure.h"

#include "common/base/cleanup.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* As engines 20.10 and 28.5 were seen to say it. */
static const struct {
    const char *message;
    enum reason_code code;
    int64_t retry_after_ms;
} failures[] = {
    {"manifest for 127.0.0.1:5000/a:nope not found: manifest unknown: manifest unknown",
     REASON_PULL_NOTFOUND, 0},
    {"Head \"http://127.0.0.1:5000/v2/a/manifests/1\": no basic auth credentials", REASON_PULL_AUTH,
     0},
    {"unauthorized: authentication required", REASON_PULL_AUTH, 0},
    {"pull access denied for a, repository does not exist or may require 'docker login': denied: "
     "requested access to the resource is denied",
     REASON_PULL_AUTH, 0},
    {"denied", REASON_PULL_AUTH, 0},
    {"open /var/lib/docker/tmp/x: permission denied", REASON_PULL_NETWORK, 0},
    {"error parsing HTTP 403 response body: unexpected end of JSON input: \"\"", REASON_PULL_AUTH,
     0},
    {"Get \"http://127.0.0.1:5000/v2/\": dial tcp 127.0.0.1:5000: connect: connection refused",
     REASON_PULL_NETWORK, 0},
    {"Get \"https://reg.invalid/v2/\": dial tcp: lookup reg.invalid on 10.0.0.1:53: no such host",
     REASON_PULL_NETWORK, 0},
    {"received unexpected HTTP status: 503 Service Unavailable", REASON_PULL_NETWORK, 0},
    {"toomanyrequests: You have reached your pull rate limit.", REASON_PULL_RATELIMIT, 0},
    {"toomanyrequests: retry-after: 1.5s, allowed: 44000/minute", REASON_PULL_RATELIMIT, 1500},
    {"toomanyrequests: retry-after: 252.117\xc2\xb5s, allowed: 4/minute", REASON_PULL_RATELIMIT, 1},
    {"toomanyrequests: Retry-After: 2m", REASON_PULL_RATELIMIT, 120000},
    {"toomanyrequests: retry-after: 30", REASON_PULL_RATELIMIT, 30000},
    {"toomanyrequests: retry-after: 1e300h", REASON_PULL_RATELIMIT, 86400000},
    {"toomanyrequests: retry-after: soon", REASON_PULL_RATELIMIT, 0},
    {"toomanyrequests: retry-after: -5", REASON_PULL_RATELIMIT, 0},
    {"failed to register layer: write /x: no space left on device", REASON_DISK, 0},
    {"no matching manifest for linux/arm64/v8 in the manifest list entries", REASON_ARCH, 0},
    {"WARNING: image with reference a:1 was found but its platform (linux/amd64) does not match "
     "the "
     "specified platform (linux/arm64)",
     REASON_ARCH, 0},
    {"invalid reference format", REASON_INVALID, 0},
    {"", REASON_PULL_NETWORK, 0},
};

static void tells_why(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(failures); i++) {
        print_message("%s\n", failures[i].message);
        assert_int_equal(pull_failure_code(failures[i].message), failures[i].code);
        assert_int_equal(pull_failure_retry_after_ms(failures[i].message),
                         failures[i].retry_after_ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(tells_why)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
