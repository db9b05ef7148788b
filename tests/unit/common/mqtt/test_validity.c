#include "common/mqtt/validity.h"

#include <math.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_only_in_their_time(void **state)
{
    static const struct {
        int64_t now_s;
        const char *reason; /* NULL: valid */
    } cases[] = {
        {999, "is not valid before 1970-01-01T00:16:40Z"},
        {1000, NULL},
        {1999, NULL},
        {2000, "the certificate has expired at 1970-01-01T00:33:20Z"},
    };
    const struct validity c = {.own_begin_s = 1000, .own_end_s = 2000, .authority_end_s = 2000};
    const struct validity old = {.own_begin_s = 1000, .own_end_s = 2000, .authority_end_s = 1500};
    struct err e = {0};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int r = validity_check(&c, cases[i].now_s, &e);
        assert_int_equal(r < 0, cases[i].reason != NULL);
        if (cases[i].reason)
            assert_non_null(strstr(e.msg, cases[i].reason));
    }
    assert_true(validity_check(&old, 1500, &e) < 0);
    assert_non_null(strstr(e.msg, "the authority's certificate has expired"));
}

static void test_none_is_always_valid(void **state)
{
    const struct validity none = {0};

    (void)state;
    assert_int_equal(validity_check(&none, INT64_MAX, NULL), 0);
    assert_true(isnan(validity_metric(none.own_end_s)));
    assert_true(validity_metric(2000) > 1999);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_only_in_their_time),
        cmocka_unit_test(test_none_is_always_valid),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
