#include "manager/ctl/compose/number.h"

#include <errno.h>

#include "tests/unit/manager/ctl/compose/load_fixture.h"

static void test_format(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {1, "1"},
        {1.5, "1.5"},
        {-2.25, "-2.25"},
        {0.1, "0.1"},
        {100000, "100000"},
        {999999.5, "999999.5"},
        {1000000, "1e+06"},
        {1234567, "1.234567e+06"},
        {1e20, "1e+20"},
        {1e300, "1e+300"},
        {0.0001, "0.0001"},
        {0.00012345, "0.00012345"},
        {0.00001, "1e-05"},
        {1.0 / 3, "0.3333333333333333"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char text[NUMBER_TEXT_SIZE];
        number_format(cases[i].value, text);
        require_text(cases[i].text, text, cases[i].text);
    }
}

static void test_through_float32(void **state)
{
    (void)state;
    assert_float_equal(number_through_float32(0.1), 0.1, 0);
    assert_float_equal(number_through_float32(1.25), 1.25, 0);
    assert_float_equal(number_through_float32(0.333333333333), 0.33333334, 0);
}

static void test_parse(void **state)
{
    double value = 7;
    (void)state;
    assert_int_equal(number_parse("1.5e3", &value), 0);
    assert_float_equal(value, 1500, 0);
    assert_int_equal(number_parse(".5", &value), 0);
    assert_int_equal(number_parse("", &value), -EINVAL);
    assert_int_equal(number_parse("1 ", &value), -EINVAL);
    assert_int_equal(number_parse("0x10", &value), -EINVAL);
    assert_int_equal(number_parse("inf", &value), -EINVAL);
    assert_int_equal(number_parse("1e999", &value), -EINVAL);
    assert_float_equal(value, 0.5, 0);
}

static void test_duration(void **state)
{
    static const struct {
        const char *text;
        int result;
        const char *printed;
    } cases[] = {
        {"0", 0, "0s"},
        {"0s", 0, "0s"},
        {"90s", 0, "1m30s"},
        {"1m30s", 0, "1m30s"},
        {"1h", 0, "1h0m0s"},
        {"1d", 0, "24h0m0s"},
        {"2w", 0, "336h0m0s"},
        {"1.5m", 0, "1m30s"},
        {".5h", 0, "30m0s"},
        {"1.s", 0, "1s"},
        {"1500ms", 0, "1.5s"},
        {"1500us", 0, "1.5ms"},
        {"1500\u00b5s", 0, "1.5ms"},
        {"1ns", 0, "1ns"},
        {"1001ns", 0, "1.001\u00b5s"},
        {"1h1ns", 0, "1h0m0.000000001s"},
        {"-5s", 0, "-5s"},
        {"+5s", 0, "5s"},
        {"", -EINVAL, NULL},
        {"-", -EINVAL, NULL},
        {"5", -EINVAL, NULL},
        {"s", -EINVAL, NULL},
        {".s", -EINVAL, NULL},
        {"1x", -EINVAL, NULL},
        {"1s 2s", -EINVAL, NULL},
        {"1m30", -EINVAL, NULL},
        {"9223372037s", -ERANGE, NULL},
        {"9223372036s9223372036s", -ERANGE, NULL},
        {"99999999999999999999999s", -ERANGE, NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t ns = 0;
        char text[NUMBER_TEXT_SIZE] = "";
        int result = duration_parse(cases[i].text, &ns);
        if (result != cases[i].result) {
            fail_msg("\"%s\": %d", cases[i].text, result);
        }
        if (result == 0) {
            duration_format(ns, text);
            require_text(cases[i].text, text, cases[i].printed);
        }
    }
}

static void test_longest_durations(void **state)
{
    char text[NUMBER_TEXT_SIZE];
    (void)state;
    duration_format(INT64_MAX, text);
    assert_string_equal(text, "2562047h47m16.854775807s");
    duration_format(INT64_MIN, text);
    assert_string_equal(text, "-2562047h47m16.854775808s");
}

static void test_size(void **state)
{
    static const struct {
        const char *text;
        int result;
        int64_t bytes;
    } cases[] = {
        {"0", 0, 0},
        {"1024", 0, 1024},
        {"-1", 0, -1},
        {"1k", 0, 1024},
        {"1K", 0, 1024},
        {"1kb", 0, 1024},
        {"1KiB", 0, 1024},
        {"1.5g", 0, 1610612736},
        {"1 gb", 0, 1073741824},
        {"10b", 0, 10},
        {"2p", 0, INT64_C(1) << 51},
        {"0.5kb", 0, 512},
        {"", -EINVAL, 0},
        {"k", -EINVAL, 0},
        {"1x", -EINVAL, 0},
        {"1bb", -EINVAL, 0},
        {"1bib", -EINVAL, 0},
        {"1kbi", -EINVAL, 0},
        {"1kibs", -EINVAL, 0},
        {"-1k", -EINVAL, 0},
        {"1  k", -EINVAL, 0},
        {"1e3k", 0, 1024000},
        {"9000p", -ERANGE, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t bytes = 0;
        int result = size_parse(cases[i].text, &bytes);
        if (result != cases[i].result || bytes != cases[i].bytes) {
            fail_msg("\"%s\": %d, %lld", cases[i].text, result, (long long)bytes);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_format),
        cmocka_unit_test(test_through_float32),
        cmocka_unit_test(test_parse),
        cmocka_unit_test(test_duration),
        cmocka_unit_test(test_longest_durations),
        cmocka_unit_test(test_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
