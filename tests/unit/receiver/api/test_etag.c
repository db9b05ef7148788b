#include "receiver/api/etag.h"

#include <stddef.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_if_none_match(void **state)
{
    static const struct {
        const char *header;
        bool matches;
    } cases[] = {
        {NULL, false},
        {"", false},
        {"*", true},
        {"\"abc\"", true},
        {"W/\"abc\"", true},
        {"\"x\", \"abc\"", true},
        {"\"x\",W/\"y\",\"abc\"", true},
        {"\"a,\\\"\",\"abc\"", false}, /* no escapes in a tag: what follows is broken */
        {"\"a,b\", \"abc\"", true},
        {"\"abcd\"", false},
        {"\"ab\"", false},
        {"abc", false},
        {"\"abc", false},
        {"\"\"", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (etag_matches(cases[i].header, "\"abc\"") != cases[i].matches)
            fail_msg("wrong for '%s'", cases[i].header);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_if_none_match)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
