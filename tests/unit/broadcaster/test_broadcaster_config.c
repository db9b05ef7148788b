#include "broadcaster/config.h"

#include <string.h>
#include <unistd.h>

#include "broadcaster/player.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Loads `flags`, NULL-terminated. */
static int load(struct broadcaster_config *config, struct options **ret_options, struct err *e,
                const char *const *flags)
{
    static char program[] = "broadcaster";
    char *argv[16] = {program};
    char *environment[] = {NULL};
    int argc = 1;

    memset(config, 0, sizeof(*config));
    for (; flags[argc - 1]; argc++)
        argv[argc] = strdup(flags[argc - 1]);
    int r = config_load(argc, argv, environment, config, ret_options, e);
    for (int i = 1; i < argc; i++)
        free(argv[i]);
    return r;
}

#define LOAD(config, options, e, ...) load(config, options, e, (const char *[]){__VA_ARGS__, NULL})

static void test_defaults(void **state)
{
    struct broadcaster_config config;
    struct options *options = NULL;
    struct err e = {0};
    char host[256];

    (void)state;
    assert_int_equal(LOAD(&config, &options, &e, NULL), OPTIONS_RUN);
    assert_ptr_equal(config.profile, &profile_hello);
    gethostname(host, sizeof(host));
    assert_string_equal(config.source, host);
    assert_int_equal(config.sources, 1);
    assert_int_equal(config.rate, 0);
    assert_int_equal(config.outbox_messages, 100000);
    assert_int_equal(config.republish_window_ms, 5000);
    assert_string_equal(config.admin.address, "127.0.0.1:9090");
    assert_string_equal(config.mqtt_address.host, "127.0.0.1");
    options_free(options);
}

static void test_client_id(void **state)
{
    struct broadcaster_config config;
    struct options *options = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(LOAD(&config, &options, &e, "--source", "host.example"), OPTIONS_RUN);
    assert_string_equal(config.mqtt.client_id, "bellbuoy-broadcaster-host_example");
    options_free(options);
    assert_int_equal(LOAD(&config, &options, &e, "--client-id", "mine"), OPTIONS_RUN);
    assert_string_equal(config.mqtt.client_id, "mine");
    options_free(options);
}

static void test_wrong_values(void **state)
{
    static const char *const cases[][3] = {
        {"--source", "a b", "--source 'a b' must have"},
        {"--source", "", "--source '' must have"},
        {"--source", "a/b", "--source 'a/b' must have"},
        {"--sources", "0", "--sources"},
        {"--profile", "bell", "--profile"},
        {"--admin-address", "9090", "--admin-address '9090'"},
        {"--broker-url", "http://x", "--broker-url"},
        {"--ca-file", "ca.pem", "mqtts://"},
        {"--period-ms", "0", "--period-ms"},
        {"--outbox-messages", "0", "--outbox-messages"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct broadcaster_config config;
        struct options *options = NULL;
        struct err e = {0};
        assert_true(LOAD(&config, &options, &e, cases[i][0], cases[i][1]) < 0);
        if (!strstr(e.msg, cases[i][2]))
            fail_msg("%s %s: %s", cases[i][0], cases[i][1], e.msg);
        assert_null(options);
    }
}

static void test_gaps(void **state)
{
    struct broadcaster_config config = {.profile = &profile_hello, .sources = 4};
    struct player_gaps gaps = player_gaps(&config);

    (void)state;
    assert_int_equal(gaps.min_us, 1000000);
    assert_int_equal(gaps.max_us, 10000000);
    assert_int_equal(gaps.step_us, 1000);

    /* Two messages a second of four sources: 2 s from one to the next, on average. */
    config.rate = 2;
    gaps = player_gaps(&config);
    assert_in_range((gaps.min_us + gaps.max_us) / 2, 1999990, 2000010);
    assert_in_range(gaps.max_us / gaps.min_us, 9, 10);

    config.profile = &profile_event;
    config.times.period_ms = 200;
    gaps = player_gaps(&config);
    assert_int_equal(gaps.min_us, 2000000);
    assert_int_equal(gaps.max_us, 2000000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_client_id),
        cmocka_unit_test(test_wrong_values),
        cmocka_unit_test(test_gaps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
