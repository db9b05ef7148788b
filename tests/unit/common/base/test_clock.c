#include "common/base/clock.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#define YEAR_0    (INT64_C(-62167219200) * 1000000)
#define YEAR_9999 (INT64_C(253402300799) * 1000000 + 999999)

static void test_format(void **state)
{
    static const struct {
        int64_t time_us;
        const char *text;
    } cases[] = {
        {0, "1970-01-01T00:00:00.000000Z"},
        {1, "1970-01-01T00:00:00.000001Z"},
        {-1, "1969-12-31T23:59:59.999999Z"},
        {INT64_C(951782400000000), "2000-02-29T00:00:00.000000Z"},
        {INT64_C(951868799999999), "2000-02-29T23:59:59.999999Z"},
        {INT64_C(1709251199000000), "2024-02-29T23:59:59.000000Z"},
        {INT64_C(1709251200000000), "2024-03-01T00:00:00.000000Z"},
        {INT64_C(4107542399000000), "2100-02-28T23:59:59.000000Z"},
        {INT64_C(4107542400000000), "2100-03-01T00:00:00.000000Z"},
        {INT64_C(1795210681123456), "2026-11-20T21:38:01.123456Z"},
        {YEAR_0, "0000-01-01T00:00:00.000000Z"},
        {YEAR_0 - 1, "0000-01-01T00:00:00.000000Z"},
        {INT64_MIN, "0000-01-01T00:00:00.000000Z"},
        {YEAR_9999, "9999-12-31T23:59:59.999999Z"},
        {INT64_MAX, "9999-12-31T23:59:59.999999Z"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[CLOCK_TEXT_SIZE];
        clock_format_us(cases[i].time_us, text);
        assert_string_equal(text, cases[i].text);
    }
}

static void test_parse(void **state)
{
    static const struct {
        const char *text;
        int64_t time_us;
    } cases[] = {
        {"1970-01-01T00:00:00Z", 0},
        {"1970-01-01t00:00:00z", 0},
        {"1970-01-01T00:00:00.1Z", 100000},
        {"1970-01-01T00:00:00.123456789Z", 123456},
        {"1970-01-01T01:00:00+01:00", 0},
        {"1969-12-31T18:30:00-05:30", 0},
        {"1970-01-01T00:00:00-00:00", 0},
        {"2024-02-29T23:59:59Z", INT64_C(1709251199000000)},
        {"2000-02-29T00:00:00Z", INT64_C(951782400000000)},
        {"2026-11-20T21:38:01.123456Z", INT64_C(1795210681123456)},
        {"0000-01-01T00:00:00Z", YEAR_0},
        {"9999-12-31T23:59:59.999999Z", YEAR_9999},
        {"2016-12-31T23:59:60Z", INT64_C(1483228800000000)},
        {"2016-12-31T23:59:60.9Z", INT64_C(1483228800000000)},
        {"2017-01-01T00:59:60+01:00", INT64_C(1483228800000000)},
        {"1960-12-31T23:59:60Z", INT64_C(-283996800000000)},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t time_us = -77;
        int r = clock_parse_us(cases[i].text, strlen(cases[i].text), &time_us);
        if (r != 0 || time_us != cases[i].time_us) {
            fail_msg("%s: %d, %lld", cases[i].text, r, (long long)time_us);
        }
    }
}

static void test_parse_refuses(void **state)
{
    static const char *const cases[] = {
        "",
        "1970",
        "1970-01-01",
        "1970-01-01T00:00:00",   /* no offset */
        "1970-01-01 00:00:00Z",  /* section 5.6 has T */
        "1970-01-01T00:00Z",     /* no seconds */
        "1970-01-01T00:00:00.Z", /* no digit */
        "1970-01-01T00:00:00.1234567890Z",
        "1970-01-01T00:00:00,5Z",
        "1970-01-01T00:00:00Zx",
        "1970-01-01T00:00:00+0100",
        "1970-01-01T00:00:00+24:00",
        "1970-01-01T00:00:00+01:60",
        "1970-01-01T24:00:00Z",
        "1970-01-01T00:60:00Z",
        "1970-01-01T00:00:61Z",
        "1970-01-01T12:30:60Z", /* no leap second in the middle of a day */
        "2016-12-31T23:59:60+01:00",
        "1970-00-01T00:00:00Z",
        "1970-13-01T00:00:00Z",
        "1970-01-00T00:00:00Z",
        "1970-01-32T00:00:00Z",
        "1970-04-31T00:00:00Z",
        "2023-02-29T00:00:00Z",
        "2100-02-29T00:00:00Z",
        "+970-01-01T00:00:00Z",
        " 1970-01-01T00:00:00Z",
        "19700101T000000Z",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t time_us = -77;
        int r = clock_parse_us(cases[i], strlen(cases[i]), &time_us);
        if (r != -EINVAL || time_us != -77) {
            fail_msg("\"%s\": %d, %lld", cases[i], r, (long long)time_us);
        }
    }
}

static void test_parse_stays_within_its_length(void **state)
{
    static const char text[] = "1970-01-01T00:00:01.5+00:00";
    int64_t time_us;
    (void)state;
    for (size_t len = 1; len < sizeof text; len++) {
        AUTO(free) char *exact = malloc(len); /* reading beyond it is seen by the sanitizer */
        assert_non_null(exact);
        memcpy(exact, text, len);
        int r = clock_parse_us(exact, len, &time_us);
        assert_int_equal(r, len == sizeof text - 1 ? 0 : -EINVAL);
    }
    assert_int_equal(clock_parse_us("1970-01-01T00:00:01Zjunk", 20, &time_us), 0);
}

static void test_round_trip_over_all_years(void **state)
{
    /* A step of 11 days and some, coprime to days, visits all months and leap years. */
    const int64_t step_us = INT64_C(1000003) * 1000000 + 7;
    (void)state;
    for (int64_t time_us = YEAR_0; time_us <= YEAR_9999; time_us += step_us) {
        char text[CLOCK_TEXT_SIZE];
        int64_t again = 0;
        clock_format_us(time_us, text);
        assert_int_equal(clock_parse_us(text, strlen(text), &again), 0);
        assert_true(again == time_us);
    }
}

static void test_clocks_run(void **state)
{
    (void)state;
    int64_t before_us = clock_monotonic_us();
    int64_t ms = clock_monotonic_ms();
    int64_t after_us = clock_monotonic_us();
    assert_true(before_us / 1000 <= ms && ms <= after_us / 1000);
    assert_true(clock_wall_us() > INT64_C(1700000000000000));
    assert_true(clock_system.wall_us(clock_system.context) >= INT64_C(1700000000000000));
    assert_true(clock_system.monotonic_ms(clock_system.context) >= ms);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_parse_refuses),
        cmocka_unit_test(test_parse_stays_within_its_length),
        cmocka_unit_test(test_round_trip_over_all_years),
        cmocka_unit_test(test_clocks_run),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
