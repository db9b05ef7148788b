#include "manager/engine/identity.h"

#include <string.h>

#include "manager/engine/engine.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define V(api, oldest)                                                                             \
    "{\"Version\":\"1.2\",\"ApiVersion\":" api ",\"MinAPIVersion\":" oldest ",\"Arch\":\"amd64\"}"

static const struct {
    const char *json;
    int minor;         /* 0: refused */
    const char *error; /* in it */
} cases[] = {
    {V("\"1.51\"", "\"1.24\""), 51, ""},
    {V("\"1.41\"", "\"1.12\""), 41, ""},
    {V("\"1.99\"", "\"1.44\""), ENGINE_API_NEWEST, ""},
    {V("\"1.40\"", "\"1.12\""), 0, "install Docker 20.10 or newer"},
    {V("\"1.60\"", "\"1.52\""), 0, "install a newer manager"},
    {V("\"2.0\"", "\"1.24\""), 0, "'2.0', not '1.N'"},
    {V("\"1.x\"", "\"1.24\""), 0, "'1.x', not '1.N'"},
    {V("5", "\"1.24\""), 0, "/ApiVersion"},
    {"{}", 0, "no Docker engine's"},
    {"[]", 0, "no Docker engine's"},
    {"<html>", 0, "no Docker engine's"},
    {"", 0, "no Docker engine's"},
};

static void negotiates(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct identity identity = {0};
        struct err e = {0};
        print_message("%s\n", cases[i].json);
        int r = identity_parse_version(cases[i].json, strlen(cases[i].json), &identity, &e);
        assert_int_equal(r, cases[i].minor ? 0 : -EINVAL);
        assert_int_equal(identity.api_minor, cases[i].minor);
        assert_non_null(strstr(e.msg, cases[i].error));
    }
}

static void takes_the_data_root(void **state)
{
    static const char info[] = "{\"DockerRootDir\":\"/var/lib/docker\",\"Containers\":3}";
    struct identity identity = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(identity_parse_info(info, strlen(info), &identity, &e), 0);
    assert_string_equal(identity.data_root, "/var/lib/docker");
    assert_int_equal(identity_parse_info("{}", 2, &identity, &e), 0);
    assert_string_equal(identity.data_root, "");
    assert_int_equal(identity_parse_info("no", 2, &identity, &e), -EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(negotiates),
        cmocka_unit_test(takes_the_data_root),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
