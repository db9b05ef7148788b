#include "common/base/str.h"

#include <errno.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_equality(void **state)
{
    (void)state;
    assert_true(str_equal("a", "a"));
    assert_false(str_equal("a", "b"));
    assert_false(str_equal("a", NULL));
    assert_false(str_equal(NULL, ""));
    assert_true(str_equal(NULL, NULL));
    assert_true(str_starts_with("--port", "--"));
    assert_true(str_starts_with("x", ""));
    assert_false(str_starts_with("-", "--"));
    assert_true(str_equal_secret("abc", 3, "abc", 3));
    assert_false(str_equal_secret("abc", 3, "abd", 3));
    assert_false(str_equal_secret("bbc", 3, "abc", 3));
    assert_false(str_equal_secret("abc", 3, "abcd", 4));
    assert_true(str_equal_secret("", 0, "", 0));
}

static void test_copy_fits_with_its_nul_or_not_at_all(void **state)
{
    char dst[4] = "xxx";
    (void)state;
    assert_true(str_copy(dst, sizeof dst, "abc"));
    assert_string_equal(dst, "abc");
    assert_false(str_copy(dst, sizeof dst, "abcd"));
    assert_string_equal(dst, "");
    assert_true(str_copy_n(dst, sizeof dst, "abcdef", 2));
    assert_string_equal(dst, "ab");
    assert_false(str_copy_n(dst, sizeof dst, "abcdef", 4));
    assert_true(str_copy_n(dst, sizeof dst, NULL, 0));
    assert_false(str_copy(dst, 0, ""));
}

static void test_parse_int(void **state)
{
    static const struct {
        const char *text;
        int64_t min, max;
        int result;
        int64_t value;
    } cases[] = {
        {"0", 0, 10, 0, 0},
        {"10", 0, 10, 0, 10},
        {"007", 0, 10, 0, 7},
        {"11", 0, 10, -ERANGE, 0},
        {"4", 5, 10, -ERANGE, 0},
        {"-1", 0, 10, -EINVAL, 0},
        {"-1", -1, 10, 0, -1},
        {"-2", -1, 10, -ERANGE, 0},
        {"-0", -1, 10, 0, 0},
        {"", 0, 10, -EINVAL, 0},
        {"-", -5, 10, -EINVAL, 0},
        {"+1", 0, 10, -EINVAL, 0},
        {" 1", 0, 10, -EINVAL, 0},
        {"1 ", 0, 10, -EINVAL, 0},
        {"1a", 0, 10, -EINVAL, 0},
        {"0x1", 0, 10, -EINVAL, 0},
        {"99999999999999999999x", 0, 10, -EINVAL, 0},
        {"9223372036854775807", 0, INT64_MAX, 0, INT64_MAX},
        {"9223372036854775808", 0, INT64_MAX, -ERANGE, 0},
        {"9223372036854775808", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"-9223372036854775808", INT64_MIN, INT64_MAX, 0, INT64_MIN},
        {"-9223372036854775809", INT64_MIN, INT64_MAX, -ERANGE, 0},
        {"99999999999999999999", 0, INT64_MAX, -ERANGE, 0},
        /* 10^70 is 0 modulo 2^64. */
        {"10000000000000000000000000000000000000000000000000000000000000000000000", 0, INT64_MAX,
         -ERANGE, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = -77;
        int r = str_parse_int(cases[i].text, cases[i].min, cases[i].max, &value);
        if (r != cases[i].result || value != (r == 0 ? cases[i].value : -77)) {
            fail_msg("\"%s\": %d, %lld", cases[i].text, r, (long long)value);
        }
    }
}

/* `bad` is where the first ill-formed byte is, -1 for well-formed text. */
static void test_utf8(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        int bad;
    } cases[] = {
        {"", 0, -1},
        {"plain ascii of more than eight bytes", 36, -1},
        {"a\0b", 3, -1},
        {"\xc2\x80\xdf\xbf", 4, -1},
        {"\xe0\xa0\x80\xed\x9f\xbf\xee\x80\x80\xef\xbf\xbf", 12, -1},
        {"\xf0\x90\x80\x80\xf4\x8f\xbf\xbf", 8, -1},
        {"12345678\x80", 9, 8}, /* continuation alone, behind a whole word */
        {"1234567\x80", 8, 7},
        {"ab\xc0\xaf", 4, 2},       /* overlong, two bytes */
        {"\xc1\xbf", 2, 0},         /* overlong, two bytes */
        {"\xe0\x9f\xbf", 3, 0},     /* overlong, three bytes */
        {"\xf0\x8f\xbf\xbf", 4, 0}, /* overlong, four bytes */
        {"\xed\xa0\x80", 3, 0},     /* surrogate */
        {"\xed\xbf\xbf", 3, 0},     /* surrogate */
        {"\xf4\x90\x80\x80", 4, 0}, /* above U+10FFFF */
        {"\xf5\x80\x80\x80", 4, 0}, /* no lead byte */
        {"\xff", 1, 0},             /* no lead byte */
        {"a\xc3", 2, 1},            /* cut */
        {"a\xe2\x82", 3, 1},        /* cut */
        {"a\xf0\x9f\x94", 4, 1},    /* cut */
        {"\xc3(", 2, 0},            /* no continuation */
        {"\xe2(\x82", 3, 0},        /* no continuation */
        {"\xe2\x82(", 3, 0},        /* no continuation */
        {"\xf0\x9f\x94(", 4, 0},    /* no continuation */
        {"\xf0\x9f(\x94", 4, 0},    /* no continuation */
        {"\xc3\xa9 then \xe9 later", 14, 8},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t bad = 999;
        bool well_formed = str_is_utf8(cases[i].text, cases[i].len, &bad);
        int found = well_formed ? -1 : (int)bad;
        if (found != cases[i].bad) {
            fail_msg("case %zu: %d instead of %d", i, found, cases[i].bad);
        }
        assert_int_equal(str_is_utf8(cases[i].text, cases[i].len, NULL), well_formed);
    }
}

static void test_utf8_length(void **state)
{
    (void)state;
    assert_int_equal(str_utf8_length("", 0), 0);
    assert_int_equal(str_utf8_length("a", 1), 1);
    assert_int_equal(str_utf8_length("\xc3\xa9x", 3), 2);
    assert_int_equal(str_utf8_length("\xe2\x82\xac", 3), 3);
    assert_int_equal(str_utf8_length("\xf0\x9f\x94\x94", 4), 4);
    assert_int_equal(str_utf8_length("\xf0\x9f\x94\x94", 3), 0);
}

static void test_nearest(void **state)
{
    static const char *const candidates[] = {
        "port",
        "broker-url",
        "rate",
        "retention-age",
        "retention-size",
        /* longer than the table of distances has columns for */
        "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx",
    };
    static const struct {
        const char *text;
        const char *nearest;
    } cases[] = {
        {"prot", "port"},            /* swapped */
        {"ports", "port"},           /* one more */
        {"por", "port"},             /* one less */
        {"pont", "port"},            /* another */
        {"brokerurl", "broker-url"}, /* one less */
        {"borkerurl", "broker-url"}, /* two */
        {"retention_sizes", "retention-size"},
        {"retntionag", "retention-age"}, /* three */
        {"xx", NULL},                    /* too short for any mistake */
        {"poxx", NULL},                  /* two, of four */
        {"entirely-else", NULL},
        {"", NULL},
        {"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const char *nearest = str_nearest(cases[i].text, candidates, ARRAY_SIZE(candidates));
        if (!str_equal(nearest, cases[i].nearest)) {
            fail_msg("\"%s\": %s", cases[i].text, nearest != NULL ? nearest : "none");
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equality),
        cmocka_unit_test(test_copy_fits_with_its_nul_or_not_at_all),
        cmocka_unit_test(test_parse_int),
        cmocka_unit_test(test_utf8),
        cmocka_unit_test(test_utf8_length),
        cmocka_unit_test(test_nearest),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
