#include "receiver/api/origin.h"

#include <stddef.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_origins(void **state)
{
    static const struct {
        const char *origin, *host, *fetch_site;
        bool own;
    } cases[] = {
        {NULL, "localhost:5000", NULL, true}, /* curl */
        {NULL, NULL, NULL, true},
        {"http://localhost:5000", "localhost:5000", "same-origin", true},
        {"http://LOCALHOST:5000", "localhost:5000", NULL, true},
        {"https://buoy.example", "buoy.example", NULL, true}, /* behind an Ingress */
        {"https://buoy.example:443", "buoy.example", NULL, true},
        {"http://buoy.example", "buoy.example:80", NULL, true},
        {"http://[::1]:5000", "[::1]:5000", NULL, true},
        {"http://[::1]", "[::1]:80", NULL, true},
        {NULL, "localhost:5000", "none", true},
        {"http://evil.example", "localhost:5000", NULL, false},
        {"http://localhost:5001", "localhost:5000", NULL, false},
        {"http://localhost", "localhost:5000", NULL, false},
        {"http://localhost:5000.evil.example", "localhost:5000", NULL, false},
        {"http://localhost:5000/", "localhost:5000", NULL, false},
        {"http://evil.example@localhost:5000", "localhost:5000", NULL, false},
        {"https://buoy.example:80", "buoy.example", NULL, false},
        {"null", "localhost:5000", NULL, false},
        {"", "localhost:5000", NULL, false},
        {"http://", "localhost:5000", NULL, false},
        {"file://localhost:5000", "localhost:5000", NULL, false},
        {"http://localhost:5000", NULL, NULL, false},
        {NULL, "localhost:5000", "cross-site", false},
        {"http://localhost:5000", "localhost:5000", "same-site", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (origin_is_own(cases[i].origin, cases[i].host, cases[i].fetch_site) != cases[i].own)
            fail_msg("wrong for '%s' at '%s'", cases[i].origin, cases[i].host);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_origins)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
