#include "common/http/address.h"

#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>

#include <cmocka.h>

static void test_taken(void **state)
{
    static const struct {
        const char *text, *host;
        uint16_t port;
    } cases[] = {
        {"127.0.0.1:9090", "127.0.0.1", 9090}, {"0.0.0.0:0", "0.0.0.0", 0},
        {"[::1]:9090", "::1", 9090},           {"[::]:65535", "::", 65535},
        {"localhost:80", "localhost", 80},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address address;
        struct err e = {0};

        assert_int_equal(address_parse(cases[i].text, &address, &e), 0);
        assert_string_equal(address.host, cases[i].host);
        assert_int_equal(address.port, cases[i].port);
    }
}

static void test_refused(void **state)
{
    static const struct {
        const char *text, *named;
    } cases[] = {
        {"", "127.0.0.1:9090"},
        {"127.0.0.1", "127.0.0.1:9090"},
        {":9090", "127.0.0.1:9090"},
        {"[]:9090", "127.0.0.1:9090"},
        {"::1:9090", "brackets"},
        {"[::1:9090", "brackets"},
        {"127.0.0.1:", "port"},
        {"127.0.0.1:x", "port"},
        {"127.0.0.1:-1", "port"},
        {"127.0.0.1:65536", "port"},
        {"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa:80", "127.0.0.1:9090"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct address address = {"untouched", 1};
        struct err e = {0};

        if (address_parse(cases[i].text, &address, &e) != -EINVAL)
            fail_msg("%s was taken", cases[i].text);
        if (!strstr(e.msg, cases[i].named))
            fail_msg("%s: %s", cases[i].text, e.msg);
        assert_string_equal(address.host, "untouched");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
