#include "manager/reconcile/ghosts.h"

#include <stdio.h>

#include "common/base/str.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_what_stands_in(void **state)
{
    static const struct {
        const char *name;
        bool stands_in;
    } cases[] = {
        {"p-web-1.2", true},      {"p-web-1.12", true},       {"p-web-1", false},
        {"p-web-1.", false},      {"p-web-1.2a", false},      {"p-web-11", false},
        {"p-web-1.2.3", false},   {"p-web-10.2", false},      {"p-web-1.new-2", false},
        {"p-web-1.old-2", false}, {"p-web-1.ghost-2", false}, {"p-web-2.2", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(ghosts_stands_in(cases[i].name, "p-web-1"), cases[i].stands_in);
}

static void test_what_is_buried(void **state)
{
    static const struct {
        const char *name;
        bool buried;
    } cases[] = {
        {"p-web-1.ghost-7", true},  {"p-web-1.ghost-7.2", true}, {"p-web-1.old-6.ghost-7", true},
        {"p-web-1.ghost-8", false}, {"p-web-1.ghost-77", false}, {"p-web-1.ghost-7x", false},
        {"p-web-1.old-7", false},   {"ghost-7", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
        assert_int_equal(ghosts_is_buried(cases[i].name, 7), cases[i].buried);
}

static void test_what_is_known(void **state)
{
    struct ghosts ghosts = {0};
    char name[16];

    (void)state;
    assert_false(ghosts_have(NULL, "a"));
    assert_true(ghosts_add(&ghosts, "a"));
    assert_false(ghosts_add(&ghosts, "a"));
    assert_true(ghosts_have(&ghosts, "a"));
    for (int i = 1; i < GHOSTS_MAX; i++) {
        (void)snprintf(name, sizeof(name), "b%d", i);
        assert_true(ghosts_add(&ghosts, name));
    }
    assert_false(ghosts_add(&ghosts, "one too many"));
    ghosts_forget(&ghosts);
    assert_false(ghosts_have(&ghosts, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_stands_in),
        cmocka_unit_test(test_what_is_buried),
        cmocka_unit_test(test_what_is_known),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
