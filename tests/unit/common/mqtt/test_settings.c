#include "common/mqtt/settings.h"

#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_urls(void **state)
{
    static const struct {
        const char *url, *host;
        uint16_t port;
        bool tls;
    } cases[] = {
        {"mqtt://127.0.0.1", "127.0.0.1", 1883, false},
        {"mqtt://127.0.0.1:1884/", "127.0.0.1", 1884, false},
        {"mqtts://broker.example.org", "broker.example.org", 8883, true},
        {"mqtts://broker:18883", "broker", 18883, true},
        {"MQTT://broker", "broker", 1883, false},
        {"mqtt://[::1]", "::1", 1883, false},
        {"mqtts://[fe80::1%eth0]:8884", "fe80::1%eth0", 8884, true},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mqtt_address address = {0};
        struct err e = {0};
        assert_int_equal(mqtt_url_parse(cases[i].url, &address, &e), 0);
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
        assert_int_equal(address.tls, cases[i].tls);
    }
}

static void test_wrong_urls(void **state)
{
    static const struct {
        const char *url, *message;
    } cases[] = {
        {"http://broker", "must begin with mqtt:// or mqtts://"},
        {"broker:1883", "must begin with mqtt:// or mqtts://"},
        {"", "must begin with mqtt:// or mqtts://"},
        {"mqtt://", "must name a host"},
        {"mqtt://:1883", "must name a host"},
        {"mqtt://a b", "must name a host"},
        {"mqtt://::1", "must name a host"},
        {"mqtt://[::1", "'[' without ']'"},
        {"mqtt://[::1]x", "between ']' and ':'"},
        {"mqtt://[broker]", "must name a host"},
        {"mqtt://broker:", "port from 1 to 65535"},
        {"mqtt://broker:0", "port from 1 to 65535"},
        {"mqtt://broker:65536", "port from 1 to 65535"},
        {"mqtt://broker:1883x", "port from 1 to 65535"},
        {"mqtt://broker/path", "must end after the port"},
        {"mqtt://broker?x=1", "must end after the port"},
        {"mqtt://user:secret@broker", "must not hold a user or password"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mqtt_address address = {.port = 7};
        struct err e = {0};
        assert_int_equal(mqtt_url_parse(cases[i].url, &address, &e), -EINVAL);
        if (!strstr(e.msg, cases[i].message) || !strstr(e.msg, "--broker-url"))
            fail_msg("%s: %s", cases[i].url, e.msg);
        assert_null(strstr(e.msg, "secret"));
        assert_int_equal(address.port, 7);
    }
}

static void test_long_host(void **state)
{
    char url[400] = "mqtt://";
    struct mqtt_address address;
    struct err e = {0};

    (void)state;
    memset(url + 7, 'a', 300);
    assert_int_equal(mqtt_url_parse(url, &address, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "255 characters"));
}

static void test_check(void **state)
{
    static const struct {
        struct mqtt_options options;
        const char *message; /* NULL: right */
    } cases[] = {
        {{.broker_url = "mqtt://b"}, NULL},
        {{.broker_url = "mqtts://b", .ca_file = "c", .cert_file = "d", .key_file = "e"}, NULL},
        {{.broker_url = "mqtts://b"}, NULL},
        {{.broker_url = "mqtt://b", .username = "u", .password_file = "f"}, NULL},
        {{.broker_url = "mqtt://b", .ca_file = "c"}, "did you mean mqtts://?"},
        {{.broker_url = "mqtt://b", .cert_file = "c", .key_file = "d"}, "--cert-file needs TLS"},
        {{.broker_url = "mqtts://b", .cert_file = "c"}, "--cert-file needs --key-file"},
        {{.broker_url = "mqtts://b", .key_file = "c"}, "--key-file needs --cert-file"},
        {{.broker_url = "mqtt://b", .password_file = "f"}, "--password-file needs --username"},
        {{.broker_url = "mqtt://b", .client_id = ""}, "--client-id must have 1 to"},
        {{.broker_url = "mqtt://b", .client_id = "\xff"}, "--client-id must be UTF-8"},
        {{.broker_url = "mqtt://b", .username = ""}, "--username must have 1 to"},
        {{.broker_url = "b"}, "--broker-url"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct mqtt_address address;
        struct err e = {0};
        int r = mqtt_options_check(&cases[i].options, &address, &e);
        if ((r == 0) != (cases[i].message == NULL))
            fail_msg("case %zu: %d %s", i, r, e.msg);
        if (cases[i].message && !strstr(e.msg, cases[i].message))
            fail_msg("case %zu: %s", i, e.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_urls),
        cmocka_unit_test(test_wrong_urls),
        cmocka_unit_test(test_long_host),
        cmocka_unit_test(test_check),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
