#include "broker/config.h"

#include <stdlib.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Loads one flag with its value; none if `flag` is NULL. */
static int load(const char *flag, const char *value, struct broker_config *config,
                struct options **ret_options, struct err *e)
{
    char *argv[] = {strdup("broker"), flag ? strdup(flag) : NULL, flag ? strdup(value) : NULL};
    char *environment[] = {NULL};

    memset(config, 0, sizeof(*config));
    int r = config_load(flag ? 3 : 1, argv, environment, config, ret_options, e);
    for (size_t i = 0; i < ARRAY_SIZE(argv); i++)
        free(argv[i]);
    return r;
}

static void test_defaults(void **state)
{
    struct broker_config config;
    struct options *options AUTO(options_free) = NULL;

    (void)state;
    assert_int_equal(load(NULL, NULL, &config, &options, NULL), OPTIONS_RUN);
    assert_string_equal(config.mosquitto, "/usr/sbin/mosquitto");
    assert_string_equal(config.conf, "/etc/bellbuoy/broker/mosquitto.conf");
    assert_string_equal(config.files.authority, "/etc/bellbuoy/tls/ca.crt");
    assert_string_equal(config.files.certificate, "/etc/bellbuoy/tls/tls.crt");
    assert_string_equal(config.files.key, "/etc/bellbuoy/tls/tls.key");
    assert_string_equal(config.health_address.host, "127.0.0.1");
    assert_int_equal(config.health_address.port, 1883);
    assert_string_equal(config.admin.address, "127.0.0.1:9090");
}

static void test_wrong_values(void **state)
{
    static const char *const cases[][3] = {
        {"--health-url", "127.0.0.1:1883", "--health-url '127.0.0.1:1883' must be mqtt://"},
        {"--health-url", "mqtts://localhost", "--health-url 'mqtts://localhost' must be mqtt://"},
        {"--admin-address", "9090", "--admin-address '9090'"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct broker_config config;
        struct options *options = NULL;
        struct err e = {0};

        assert_true(load(cases[i][0], cases[i][1], &config, &options, &e) < 0);
        assert_null(options);
        if (!strstr(e.msg, cases[i][2]))
            fail_msg("%s %s: %s", cases[i][0], cases[i][1], e.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_wrong_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
