#include "common/base/error.h"

#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_set_returns_negative_code(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(err_set(&e, ENOENT, "no %s here", "file"), -ENOENT);
    assert_int_equal(e.code, ENOENT);
    assert_string_equal(e.msg, "no file here");
    assert_int_equal(err_set(NULL, EIO, "unheard"), -EIO);
    assert_int_equal(FAIL(&e, EBUSY, "busy"), -EBUSY);
    assert_string_equal(e.msg, "busy");
}

static void test_message_may_be_built_from_itself(void **state)
{
    struct err e;
    (void)state;
    err_set(&e, EIO, "inner");
    err_set(&e, EIO, "outer: %s", e.msg);
    assert_string_equal(e.msg, "outer: inner");
    err_context(&e, "step %d", 2);
    assert_string_equal(e.msg, "step 2: outer: inner");
    assert_int_equal(e.code, EIO);
    err_context(NULL, "unheard");
}

static void test_message_is_one_line(void **state)
{
    struct err e;
    (void)state;
    err_set(&e, EINVAL, "a%sb", "\n\x1b[31m\x7f\t");
    assert_string_equal(e.msg, "a??[31m??b");
}

static void test_long_message_is_cut_between_characters(void **state)
{
    struct err e;
    char longer[2 * sizeof e.msg];
    (void)state;
    memset(longer, 'x', sizeof longer);
    longer[sizeof longer - 1] = '\0';
    err_set(&e, EINVAL, "%s", longer);
    assert_int_equal(strlen(e.msg), sizeof e.msg - 1);

    for (size_t shift = 0; shift < 3; shift++) {
        memset(longer, 'x', shift);
        for (size_t i = shift; i + 3 < sizeof longer; i += 3) {
            memcpy(longer + i, "\xe2\x82\xac", 3);
        }
        err_set(&e, EINVAL, "%s", longer);
        size_t len = strlen(e.msg);
        assert_true(len > sizeof e.msg - 5);
        assert_int_equal((len - shift) % 3, 0);
    }
    err_set(&e, EINVAL, "inner");
    err_context(&e, "%s", longer);
    assert_int_equal((strlen(e.msg) - 2) % 3, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_set_returns_negative_code),
        cmocka_unit_test(test_message_may_be_built_from_itself),
        cmocka_unit_test(test_message_is_one_line),
        cmocka_unit_test(test_long_message_is_cut_between_characters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
