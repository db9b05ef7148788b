#include "broker/relay.h"

#include <string.h>

#include "common/base/cleanup.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_lines_of_mosquitto(void **state)
{
    static const struct {
        const char *line;
        enum log_level level;
        bool security;
    } cases[] = {
        {"mosquitto version 2.0.11 running", LOG_INFO, false},
        {"New connection from 10.0.0.7:41234 on port 8883.", LOG_INFO, false},
        {"New connection from 127.0.0.1:41234 on port 18830.", LOG_INFO, false},
        {"New connection from 127.0.0.1:41234 on port 1883.", LOG_DEBUG, false},
        {"New client connected from 127.0.0.1:4 as bellbuoy-health-71 (p2, c1, k5).", LOG_DEBUG,
         false},
        {"Client bellbuoy-health-71 disconnected.", LOG_DEBUG, false},
        {"Client bellbuoy-receiver disconnected.", LOG_INFO, false},
        {"Client <unknown> disconnected, not authorised.", LOG_WARNING, true},
        {"Warning: Mosquitto should not be run as root/administrator.", LOG_WARNING, false},
        {"Error: Unable to open config file.", LOG_ERROR, false},
        {"Error when reloading certificate 'a' or key 'b'.", LOG_ERROR, true},
        {"OpenSSL Error[0]: error:0A0000C7:SSL routines::peer did not return a certificate",
         LOG_WARNING, true},
        {"OpenSSL Error[0]: error:0A000126:SSL routines::unexpected eof while reading", LOG_INFO,
         false},
        {"", LOG_INFO, false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct relay_line parsed = relay_parse(cases[i].line, 1883);

        assert_string_equal(parsed.text, cases[i].line);
        if (parsed.level != cases[i].level || parsed.security != cases[i].security)
            fail_msg("'%s' became level %d, security %d", cases[i].line, parsed.level,
                     parsed.security);
    }
}

static void test_a_time_is_cut_off(void **state)
{
    (void)state;
    assert_string_equal(relay_parse("1795280736: Error: no", 1883).text, "Error: no");
    assert_int_equal(relay_parse("1795280736: Error: no", 1883).level, LOG_ERROR);
    assert_string_equal(relay_parse("1795280736 clients", 1883).text, "1795280736 clients");
    assert_string_equal(relay_parse(": colon", 1883).text, ": colon");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_of_mosquitto),
        cmocka_unit_test(test_a_time_is_cut_off),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
