#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"
#include "tests/unit/common/base/options_fixture.h"

static void test_defaults(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS, no_environment), OPTIONS_RUN);
    assert_string_equal(load.values.url, "mqtt://127.0.0.1:1883");
    assert_null(load.values.none);
    assert_int_equal(load.values.port, 5000);
    assert_int_equal(load.values.count, 0);
    assert_false(load.values.fast);
    assert_int_equal(load.values.age_ms, INT64_C(30) * 86400000);
    assert_int_equal(load.values.size_bytes, 1000000000);
    assert_int_equal(load.values.color, 1);
    assert_int_equal(load.values.hosts.count, 0);
    assert_null(load.values.hosts.items[0]);
    assert_int_equal(load.log.level, LOG_INFO);
    assert_int_equal(load.log.format, LOG_LOGFMT);
    options_free(load.options);
}

/* Every combination of the three sources that can have a value. */
static void test_precedence(void **state)
{
    (void)state;
    config_write("{\"port\": 3}");
    for (unsigned sources = 0; sources < 8; sources++) {
        const char *arguments[5] = {NULL};
        const char *environment[] = {"PORT=9", NULL, NULL};
        size_t count = 0;
        struct load load;
        if (sources & 1) {
            arguments[count++] = "--config";
            arguments[count++] = config_path;
        }
        if (sources & 2) {
            environment[1] = "BELLBUOY_PORT=2";
        }
        if (sources & 4) {
            arguments[count++] = "--port=1";
        }
        int64_t expected = sources & 4 ? 1 : sources & 2 ? 2 : sources & 1 ? 3 : 5000;
        assert_int_equal(load_with(&load, arguments, environment), OPTIONS_RUN);
        assert_int_equal(load.values.port, expected);
        options_free(load.options);
    }
}

static void test_flag_forms(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load,
                               ARGS("--port", "1", "--broker-url=a=b", "--none", "", "--fast",
                                    "--retention-size=256KiB", "--port", "2"),
                               no_environment),
                     OPTIONS_RUN);
    assert_int_equal(load.values.port, 2);
    assert_string_equal(load.values.url, "a=b");
    assert_string_equal(load.values.none, "");
    assert_true(load.values.fast);
    assert_int_equal(load.values.size_bytes, 262144);
    options_free(load.options);
}

static void test_booleans(void **state)
{
    static const struct {
        const char *flag;
        bool value;
    } cases[] = {
        {"--fast", true},   {"--no-fast", false}, {"--fast=true", true}, {"--fast=false", false},
        {"--fast=1", true}, {"--fast=0", false},  {"--fast=yes", true},  {"--fast=no", false},
    };
    static const char *const environment[] = {"BELLBUOY_FAST=yes", NULL};
    struct load load;
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(load_with(&load, ARGS(cases[i].flag), environment), OPTIONS_RUN);
        assert_int_equal(load.values.fast, cases[i].value);
        options_free(load.options);
    }
}

static void test_lists(void **state)
{
    static const char *const environment[] = {"BELLBUOY_ALLOW_HOST=a.example, b ,,  c d\n,", NULL};
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS, environment), OPTIONS_RUN);
    assert_int_equal(load.values.hosts.count, 3);
    assert_string_equal(load.values.hosts.items[0], "a.example");
    assert_string_equal(load.values.hosts.items[1], "b");
    assert_string_equal(load.values.hosts.items[2], "c d");
    assert_null(load.values.hosts.items[3]);
    options_free(load.options);

    assert_int_equal(load_with(&load, ARGS("--allow-host=x", "--allow-host", "y,z"), environment),
                     OPTIONS_RUN);
    assert_int_equal(load.values.hosts.count, 3);
    assert_string_equal(load.values.hosts.items[0], "x");
    assert_string_equal(load.values.hosts.items[2], "z");
    options_free(load.options);
}

static void test_config_values(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_config(&load, "{\"broker_url\": \"u\", \"port\": 7, \"fast\": true,\n"
                                        "\"retention_age\": 90000, \"retention_size\": \"4KiB\",\n"
                                        "\"color\": \"blue\", \"allow_host\": [\"a,b\", \"c\"],\n"
                                        "\"log_level\": \"debug\"}"),
                     OPTIONS_RUN);
    assert_string_equal(load.values.url, "u");
    assert_int_equal(load.values.port, 7);
    assert_true(load.values.fast);
    assert_int_equal(load.values.age_ms, 90000);
    assert_int_equal(load.values.size_bytes, 4096);
    assert_int_equal(load.values.color, 2);
    assert_int_equal(load.values.hosts.count, 2);
    assert_string_equal(load.values.hosts.items[0], "a,b");
    assert_int_equal(load.log.level, LOG_DEBUG);
    options_free(load.options);

    assert_int_equal(load_config(&load, "{\"retention_age\": \"2h\", \"retention_size\": 5000,\n"
                                        "\"allow_host\": \"a, b\"}"),
                     OPTIONS_RUN);
    assert_int_equal(load.values.age_ms, 7200000);
    assert_int_equal(load.values.size_bytes, 5000);
    assert_int_equal(load.values.hosts.count, 2);
    options_free(load.options);
}

static void test_config_by_environment(void **state)
{
    struct load load;
    AUTO(buf_deinit) struct buf variable = BUF_INIT(200);
    (void)state;
    config_write("{\"port\": 7}");
    buf_appendf(&variable, "BELLBUOY_CONFIG=%s", config_path);
    assert_int_equal(load_with(&load, NO_ARGS, ARGS(variable.data)), OPTIONS_RUN);
    assert_int_equal(load.values.port, 7);
    options_free(load.options);
}

static void test_unknown_variables_are_left_alone(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS,
                               ARGS("BELLBUOY_SERVICE_HOST=10.0.0.1", "BELLBUOY_VERSION=true",
                                    "BELLBUOY_HELP=1", "BELLBUOY_PORT_80_TCP=tcp://10.0.0.1:80")),
                     OPTIONS_RUN);
    options_free(load.options);
}

static void test_first_of_two_equal_variables_counts(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, NO_ARGS, ARGS("BELLBUOY_PORT=1", "BELLBUOY_PORT=2")),
                     OPTIONS_RUN);
    assert_int_equal(load.values.port, 1);
    options_free(load.options);
}

static void test_subcommands(void **state)
{
    struct load load;
    (void)state;
    assert_int_equal(load_with(&load, ARGS("healthcheck", "--port=7"), no_environment),
                     OPTIONS_HEALTHCHECK);
    assert_int_equal(load.values.port, 7);
    options_free(load.options);
    assert_int_equal(load_with(&load, ARGS("--port", "7", "healthcheck"), no_environment),
                     OPTIONS_HEALTHCHECK);
    options_free(load.options);
    assert_int_equal(load_with(&load, ARGS("version"), no_environment), OPTIONS_VERSION);
    options_free(load.options);
    /* Whatever else is wrong with the values. */
    assert_int_equal(load_with(&load, ARGS("--version", "--port=x"), no_environment),
                     OPTIONS_VERSION);
    options_free(load.options);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_precedence),
        cmocka_unit_test(test_flag_forms),
        cmocka_unit_test(test_booleans),
        cmocka_unit_test(test_lists),
        cmocka_unit_test(test_config_values),
        cmocka_unit_test(test_config_by_environment),
        cmocka_unit_test(test_unknown_variables_are_left_alone),
        cmocka_unit_test(test_first_of_two_equal_variables_counts),
        cmocka_unit_test(test_subcommands),
    };
    return cmocka_run_group_tests(tests, config_make, config_remove);
}
