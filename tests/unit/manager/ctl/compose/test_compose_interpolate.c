#include "manager/ctl/compose/interpolate.h"

#include <errno.h>

#include "tests/unit/manager/ctl/compose/load_fixture.h"

static int run(struct fixture *f, const char *text, const char **ret_text)
{
    struct lookup lookup = {{&f->load.variables}};
    return interpolate(&f->load, &lookup, text, ret_text);
}

static void test_texts(void **state)
{
    static const struct {
        const char *text, *result;
        size_t warnings;
    } cases[] = {
        {"plain", "plain", 0},
        {"$SET", "value", 0},
        {"${SET}", "value", 0},
        {"a$SET-b", "avalue-b", 0},
        {"$SETX", "", 1},
        {"${UNSET}$UNSET", "", 1},
        {"${UNSET}${OTHER}", "", 2},
        {"$$SET", "$SET", 0},
        {"$$$$", "$$", 0},
        {"$", "$", 0},
        {"5$ $1 $.", "5$ $1 $.", 0},
        {"${SET:-d}${UNSET:-d}${EMPTY:-d}", "valuedd", 0},
        {"${SET-d}${UNSET-d}[${EMPTY-d}]", "valued[]", 0},
        {"${SET:+i}[${UNSET:+i}${EMPTY:+i}]", "i[]", 0},
        {"${SET+i}[${UNSET+i}]${EMPTY+i}", "i[]i", 0},
        {"${SET:?e}${EMPTY?e}", "value", 0},
        {"${UNSET:-${OTHER:-$SET}}", "value", 0},
        {"${UNSET:-{\"a\": {}}}", "{\"a\": {}}", 0},
        {"${UNSET:-a:-b?c}", "a:-b?c", 0},
        {"${UNSET:-}", "", 0},
        {"${UNSET:-$$}", "$", 0},
        {"{$SET}", "{value}", 0},
        {"${UNSET:-two\nlines}", "two\nlines", 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        const char *text = NULL;
        fixture_init(&f);
        if (run(&f, cases[i].text, &text) != 0) {
            fail_msg("%s: %s", cases[i].text, f.e.msg);
        }
        require_text(cases[i].text, text, cases[i].result);
        assert_int_equal(cJSON_GetArraySize(f.load.warnings), cases[i].warnings);
    }
}

static void test_wrong_texts(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"${SET", "has a ${ without its }"},
        {"${}", "${} is no variable"},
        {"${1A}", "${1A} is no variable"},
        {"${SET:}", "${SET:} is no variable"},
        {"${SET:d}", "${SET:d} is no variable"},
        {"${SET!d}", "${SET!d} is no variable"},
        {"${ SET}", "is no variable"},
        {"${UNSET:?say $SET}", "the variable UNSET must be set and not empty: say value"},
        {"${EMPTY:?}", "the variable EMPTY must be set and not empty"},
        {"${UNSET?}", "the variable UNSET must be set"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        const char *text = NULL;
        fixture_init(&f);
        int result = run(&f, cases[i].text, &text);
        if (result != -EINVAL || strstr(f.e.msg, cases[i].message) == NULL) {
            fail_msg("%s: %d, %s", cases[i].text, result, f.e.msg);
        }
    }
}

static void test_depth_is_bounded(void **state)
{
    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    const char *text = NULL;
    char deep[1024] = "";
    (void)state;
    fixture_init(&f);
    for (size_t i = 0; i < 100; i++) {
        memcpy(deep + 6 * i, "${A:-x", 6);
        deep[600 + i] = '}';
    }
    assert_int_equal(run(&f, deep, &text), -EINVAL);
    assert_non_null(strstr(f.e.msg, "deeper than 32 levels"));
}

static void test_length_is_bounded(void **state)
{
    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    const char *text = NULL;
    (void)state;
    fixture_init(&f);
    char *large = arena_alloc(&f.load.arena, 60001);
    char *uses = arena_alloc(&f.load.arena, 2 * 20 + 1);
    assert_non_null(large);
    assert_non_null(uses);
    memset(large, 'x', 60000);
    for (size_t i = 0; i < 20; i++) {
        memcpy(uses + 2 * i, "$L", 2);
    }
    assert_int_equal(variables_set(&f.load.variables, &f.load.arena, "L", large), 0);
    uses[2 * 3] = '\0';
    assert_int_equal(run(&f, uses, &text), 0);
    assert_int_equal(strlen(text), 180000);
    uses[2 * 3] = '$';
    assert_int_equal(run(&f, uses, &text), -EINVAL);
    assert_non_null(strstr(f.e.msg, "longer than 1048576 bytes"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_texts),
        cmocka_unit_test(test_wrong_texts),
        cmocka_unit_test(test_depth_is_bounded),
        cmocka_unit_test(test_length_is_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
