#include <errno.h>

#include "tests/unit/manager/ctl/compose/load_fixture.h"

static void test_clean_path(void **state)
{
    static const struct {
        const char *path, *clean;
    } cases[] = {
        {"", "."},         {".", "."},          {"/", "/"},           {"//", "/"},
        {"/a/b", "/a/b"},  {"/a/b/", "/a/b"},   {"/a//b", "/a/b"},    {"/a/./b", "/a/b"},
        {"/a/../b", "/b"}, {"/..", "/"},        {"/../a", "/a"},      {"a/..", "."},
        {"..", ".."},      {"../..", "../.."},  {"a/../..", ".."},    {"../a/..", ".."},
        {"./a", "a"},      {"a/b/../c", "a/c"}, {"/a/../../b", "/b"}, {"...", "..."},
        {"a..", "a.."},    {"a../..", "."},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        fixture_init(&f);
        require_text(cases[i].path, load_clean_path(&f.load, cases[i].path), cases[i].clean);
    }
}

static void test_absolute_path(void **state)
{
    static const struct {
        const char *path, *absolute;
    } cases[] = {
        {".", "/work"},         {"./a", "/work/a"},  {"../a", "/a"},
        {"/a/../b", "/a/../b"}, {"~", "/home/user"}, {"~/a/", "/home/user/a"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        fixture_init(&f);
        require_text(cases[i].path, load_absolute_path(&f.load, cases[i].path), cases[i].absolute);
    }
}

static void test_steps(void **state)
{
    const struct step services = {NULL, "services", 0};
    const struct step web = {&services, "web", 0};
    const struct step ports = {&web, "ports", 0};
    const struct step second = {&ports, NULL, 1};
    (void)state;
    assert_true(step_matches(&ports, "services.*.ports"));
    assert_true(step_matches(&second, "services.*.ports.*"));
    assert_false(step_matches(&second, "services.*.ports"));
    assert_false(step_matches(&ports, "services.*.port"));
    assert_false(step_matches(&ports, "*.ports"));
    assert_false(step_matches(&ports, "x.services.*.ports"));
    assert_false(step_matches(&second, "services.*.ports.one"));
    assert_true(step_matches(NULL, ""));
    assert_false(step_matches(NULL, "services"));

    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    fixture_init(&f);
    assert_int_equal(load_fail(&f.load, fixture_string(&f, "x"), &second, "bad %d", 7), -EINVAL);
    assert_string_equal(f.e.msg, "file:1:2: services.web.ports[1]: bad 7");
}

static void test_a_warning_is_said_once(void **state)
{
    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    (void)state;
    fixture_init(&f);
    assert_int_equal(load_warn(&f.load, "x is %d", 1), 0);
    assert_int_equal(load_warn(&f.load, "x is %d", 1), 0);
    assert_int_equal(load_warn(&f.load, "x is %d", 2), 0);
    assert_int_equal(cJSON_GetArraySize(f.load.warnings), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_clean_path),
        cmocka_unit_test(test_absolute_path),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_a_warning_is_said_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
