#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"
#include "common/http/host.h"

static void test_hosts(void **state)
{
    static const char *const allowed[] = {"bellbuoy.example", NULL};
    static const struct {
        const char *host;
        bool ok;
    } cases[] = {
        {"localhost", true},
        {"LocalHost:5000", true},
        {"localhost.", true},
        {"localhost.:80", true},
        {"127.0.0.1", true},
        {"127.9.8.7:5000", true},
        {"[::1]", true},
        {"[::1]:5000", true},
        {"bellbuoy.example:80", true},
        {"BellBuoy.Example", true},
        {NULL, false},
        {"", false},
        {":5000", false},
        {"evil.example", false},
        {"localhost.evil.example", false},
        {"evil.example:localhost", false},
        {"127.0.0.1.evil.example", false},
        {"128.0.0.1", false},
        {"127.1", false},
        {"[::2]", false},
        {"[::1", false},
        {"[::1]evil", false},
        {"::1", false},
        {"xbellbuoy.example", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        if (host_is_allowed(cases[i].host, allowed) != cases[i].ok)
            fail_msg("%s", cases[i].host ? cases[i].host : "(absent)");
    }
    assert_true(host_is_allowed("evil.example", (const char *const[]){"*", NULL}));
    assert_false(host_is_allowed("bellbuoy.example", NULL));
}

static void test_origins(void **state)
{
    (void)state;
    assert_true(host_is_origin("localhost:5000", "http://localhost:5000"));
    assert_true(host_is_origin("bellbuoy.example", "https://BELLBUOY.example"));
    assert_false(host_is_origin("localhost:5000", "http://localhost:5001"));
    assert_false(host_is_origin("localhost:5000", "http://localhost"));
    assert_false(host_is_origin("localhost:5000", "null"));
    assert_false(host_is_origin("localhost:5000", ""));
    assert_false(host_is_origin("localhost:5000", "http://evil.example/://localhost:5000"));
    assert_false(host_is_origin(NULL, "http://localhost"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_hosts),
        cmocka_unit_test(test_origins),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
