#include <errno.h>
#include <string.h>

#include "receiver/query/cursor.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_round_trip(void **state)
{
    static const struct {
        struct cursor cursor;
        const char *text;
    } rows[] = {
        {{0x5f3a9c01, 1204}, "5f3a9c01-1204"},
        {{0, 0}, "00000000-0"},
        {{0xffffffff, INT64_MAX}, "ffffffff-9223372036854775807"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        char text[CURSOR_TEXT_SIZE];
        struct cursor cursor = {1, 1};
        cursor_format(rows[i].cursor, text);
        assert_string_equal(text, rows[i].text);
        assert_int_equal(cursor_parse(rows[i].text, &cursor), 0);
        assert_true(cursor.epoch == rows[i].cursor.epoch);
        assert_true(cursor.seq == rows[i].cursor.seq);
    }
}

static void test_what_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "5f3a9c01",
        "5f3a9c01-",
        "5f3a9c0-1",
        "5f3a9c011-1",
        "5F3A9C01-1",
        "5f3a9c01-01",
        "5f3a9c01--1",
        "5f3a9c01-+1",
        "5f3a9c01- 1",
        "5f3a9c01-1 ",
        " 5f3a9c01-1",
        "5f3a9c01-1x",
        "5f3a9c01-9223372036854775808",
        "5f3a9c01-99999999999999999999999",
        "0x5f3a9c-1",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
        struct cursor cursor = {7, 7};
        assert_int_equal(cursor_parse(bad[i], &cursor), -EINVAL);
        assert_true(cursor.epoch == 7 && cursor.seq == 7);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_what_is_none),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
