#include "manager/desired/quantity.h"

#include <errno.h>
#include <stdio.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

struct row {
    const char *text;
    int64_t value; /* or < 0: the error */
};

static void check(const struct row *rows, size_t count, int (*parse)(const char *, int64_t *))
{
    for (size_t i = 0; i < count; i++) {
        int64_t value = -77;
        int r = parse(rows[i].text, &value);

        if (rows[i].value >= 0 ? r != 0 || value != rows[i].value
                               : r != (int)rows[i].value || value != -77)
            fail_msg("\"%s\" gave %d and %lld", rows[i].text, r, (long long)value);
    }
}

static void test_durations(void **state)
{
    static const struct row rows[] = {
        {"0", 0},
        {"0s", 0},
        {"1ns", 1},
        {"1us", 1000},
        {"1\xc2\xb5s", 1000},
        {"300ms", 300000000},
        {"10s", 10000000000},
        {"1m30s", 90000000000},
        {"1h0m0s", 3600000000000},
        {"1.5h", 5400000000000},
        {"0.1s", 100000000},
        {".5s", 500000000},
        {"2d", 172800000000000},
        {"240h", DURATION_MAX_NS},
        {"", -EINVAL},
        {"10", -EINVAL},
        {"s", -EINVAL},
        {"-1s", -EINVAL},
        {"1 s", -EINVAL},
        {"1x", -EINVAL},
        {"1s ", -EINVAL},
        {"1..5s", -EINVAL},
        {".s", -EINVAL},
        {"1e3s", -EINVAL},
        {"1234567890123456s", -EINVAL},
        {"240h1ns", -ERANGE},
        {"99999999999h", -ERANGE},
    };

    (void)state;
    check(rows, sizeof rows / sizeof *rows, quantity_parse_duration);
}

static void test_sizes(void **state)
{
    static const struct row rows[] = {
        {"0", 0},
        {"134217728", 134217728},
        {"1b", 1},
        {"1k", 1024},
        {"1kb", 1024},
        {"1KiB", 1024},
        {"128M", 1 << 27},
        {"128mb", 1 << 27},
        {"1.5g", 1610612736},
        {"2T", 2LL << 40},
        {"512T", SIZE_MAX_BYTES},
        {"513T", -ERANGE},
        {"", -EINVAL},
        {"M", -EINVAL},
        {"-1", -EINVAL},
        {"1 M", -EINVAL},
        {"1MM", -EINVAL},
        {"1M1", -EINVAL},
        {"0x10", -EINVAL},
    };

    (void)state;
    check(rows, sizeof rows / sizeof *rows, quantity_parse_size);
}

static void test_cpus(void **state)
{
    static const struct row rows[] = {
        {"0.5", 500000000}, {"2", 2000000000}, {"0.1", 100000000}, {"0", 0},
        {"", -EINVAL},      {"half", -EINVAL}, {"0.5m", -EINVAL},  {"5000", -ERANGE},
    };

    (void)state;
    check(rows, sizeof rows / sizeof *rows, quantity_parse_cpus);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_durations),
        cmocka_unit_test(test_sizes),
        cmocka_unit_test(test_cpus),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
