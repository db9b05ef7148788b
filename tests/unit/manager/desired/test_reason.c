#include "manager/desired/reason.h"

#include <stdint.h>
#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

/* Every code has a name of its own and tells, in a sentence, what to do. */
static void test_every_code(void **state)
{
    (void)state;
    for (int code = REASON_NONE + 1; code < REASON_COUNT; code++) {
        const char *name = reason_name((enum reason_code)code);
        const char *advice = reason_advice((enum reason_code)code);

        assert_non_null(name);
        assert_true(strspn(name, "abcdefghijklmnopqrstuvwxyz-") == strlen(name));
        assert_true(strlen(advice) > 10);
        assert_true(advice[0] >= 'A' && advice[0] <= 'Z');
        assert_true(advice[strlen(advice) - 1] == '.');
        for (int other = REASON_NONE; other < code; other++)
            assert_string_not_equal(name, reason_name((enum reason_code)other));
    }
    assert_string_equal(reason_advice(REASON_NONE), "");
    assert_string_equal(reason_name(REASON_PULL_NOTFOUND), "pull-notfound");
}

/* What helps itself is tried again: the engine comes back, the registry, the disk, the file. */
static void test_what_is_permanent(void **state)
{
    static const enum reason_code transient[] = {
        REASON_NONE,        REASON_PULL_NETWORK,  REASON_PULL_RATELIMIT,
        REASON_DISK,        REASON_PORT_CONFLICT, REASON_RESOURCE_MISSING,
        REASON_ENGINE_DOWN, REASON_WINDOW,        REASON_PAUSED,
    };

    (void)state;
    for (int code = 0; code < REASON_COUNT; code++) {
        bool expected = true;

        for (size_t i = 0; i < sizeof transient / sizeof *transient; i++)
            expected = expected && (int)transient[i] != code;
        assert_int_equal(reason_is_permanent((enum reason_code)code), expected);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_code),
        cmocka_unit_test(test_what_is_permanent),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
