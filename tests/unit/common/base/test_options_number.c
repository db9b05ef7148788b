/* Durations and sizes. */

#include <errno.h>
#include <stddef.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/options.h"

static void test_units(void **state)
{
    static const struct {
        int (*parse)(const char *text, int64_t *ret_value);
        const char *text;
        int result;
        int64_t value;
    } cases[] = {
        {option_parse_duration_ms, "0", 0, 0},
        {option_parse_duration_ms, "0s", 0, 0},
        {option_parse_duration_ms, "500ms", 0, 500},
        {option_parse_duration_ms, "90s", 0, 90000},
        {option_parse_duration_ms, "15m", 0, 900000},
        {option_parse_duration_ms, "12h", 0, 43200000},
        {option_parse_duration_ms, "30d", 0, INT64_C(2592000000)},
        {option_parse_duration_ms, "106751991167d", 0, INT64_C(9223372036828800000)},
        {option_parse_duration_ms, "106751991168d", -ERANGE, 0},
        {option_parse_duration_ms, "99999999999999999999999999s", -ERANGE, 0},
        {option_parse_duration_ms, "5", -EINVAL, 0},
        {option_parse_duration_ms, "s", -EINVAL, 0},
        {option_parse_duration_ms, "", -EINVAL, 0},
        {option_parse_duration_ms, "-5s", -EINVAL, 0},
        {option_parse_duration_ms, "1.5s", -EINVAL, 0},
        {option_parse_duration_ms, "5 s", -EINVAL, 0},
        {option_parse_duration_ms, "5S", -EINVAL, 0},
        {option_parse_duration_ms, "1h30m", -EINVAL, 0},
        {option_parse_size_bytes, "0", 0, 0},
        {option_parse_size_bytes, "4096", 0, 4096},
        {option_parse_size_bytes, "4096B", 0, 4096},
        {option_parse_size_bytes, "1kB", 0, 1000},
        {option_parse_size_bytes, "1KB", 0, 1000},
        {option_parse_size_bytes, "256KiB", 0, 262144},
        {option_parse_size_bytes, "5MB", 0, 5000000},
        {option_parse_size_bytes, "5MiB", 0, 5242880},
        {option_parse_size_bytes, "1GB", 0, 1000000000},
        {option_parse_size_bytes, "1GiB", 0, 1073741824},
        {option_parse_size_bytes, "2TB", 0, INT64_C(2000000000000)},
        {option_parse_size_bytes, "1TiB", 0, INT64_C(1099511627776)},
        {option_parse_size_bytes, "9223372036854775807", 0, INT64_MAX},
        {option_parse_size_bytes, "9223372036854775808", -ERANGE, 0},
        {option_parse_size_bytes, "8388608TiB", -ERANGE, 0},
        {option_parse_size_bytes, "1G", -EINVAL, 0},
        {option_parse_size_bytes, "GB", -EINVAL, 0},
        {option_parse_size_bytes, "", -EINVAL, 0},
        {option_parse_size_bytes, "-1", -EINVAL, 0},
        {option_parse_size_bytes, "1.5GB", -EINVAL, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = -77;
        int r = cases[i].parse(cases[i].text, &value);
        if (r != cases[i].result || value != (r == 0 ? cases[i].value : -77)) {
            fail_msg("\"%s\": %d, %lld", cases[i].text, r, (long long)value);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_units),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
