#include "manager/ctl/compose/dotenv.h"

#include <errno.h>

#include "tests/unit/manager/ctl/compose/load_fixture.h"

typedef int parse_fn(struct load *load, const char *file, const char *text,
                     const struct lookup *scopes, struct variables *out);

static int run(struct fixture *f, parse_fn *parse, const char *text, struct variables *out)
{
    struct lookup scopes = {{&f->load.variables}};
    return parse(&f->load, ".env", text, &scopes, out);
}

static void test_values(void **state)
{
    static const struct {
        const char *text, *value; /* of A */
    } cases[] = {
        {"A=1", "1"},
        {"A=1\nA=2\n", "2"},
        {"  export A=1", "1"},
        {"A: 1", "1"},
        {"A =  two words  \n", "two words"},
        {"A=x # comment", "x"},
        {"A=x#y", "x#y"},
        {"A=#y", "#y"},
        {"A=\nB=1", ""},
        {"A=1\r\nB=2\r\n", "1"},
        {"\xef\xbb\xbf"
         "A=1",
         "1"},
        {"A='$SET \\n'", "$SET \\n"},
        {"A='it\\'s'", "it's"},
        {"A=\"$SET\\t\\\"x\\\"\"", "value\t\"x\""},
        {"A=\"\\$SET \\\\ \\x\"", "$SET \\ \\x"},
        {"A=\"one\ntwo\" # c\nB=1", "one\ntwo"},
        {"A=\"\\0101\\0999\\07\"", "A\\0999\\07"},
        {"A=\"\\0351\"", "\u00e9"},
        {"A=$SET-${EMPTY:-d}-$$", "value-d-$"},
        {"B=b\nA=$B", "b"},
        {"A=\"\"", ""},
        {"HOME\nA=1", "1"},
        {"# A=1\n\nA=2", "2"},
        {"NOT_SET\n", NULL},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct variables out = {NULL};
        fixture_init(&f);
        if (run(&f, dotenv_parse, cases[i].text, &out) != 0) {
            fail_msg("%s: %s", cases[i].text, f.e.msg);
        }
        require_text(cases[i].text, variables_get(&out, "A"), cases[i].value);
    }
}

static void test_a_name_alone_comes_from_the_environment(void **state)
{
    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    struct variables out = {NULL};
    (void)state;
    fixture_init(&f);
    assert_int_equal(run(&f, dotenv_parse, "SET\nNOT_SET\nHOME", &out), 0);
    require_text("SET", variables_get(&out, "SET"), "value");
    require_text("HOME", variables_get(&out, "HOME"), "/home/user");
    assert_null(variables_get(&out, "NOT_SET"));
}

static void test_wrong_lines(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"A=1\n\n!B=2", ".env:3: \"!B\" is no name"},
        {"A B=1", ".env:1: \"A B\" is no name"},
        {"=1", ".env:1: a line must be NAME=VALUE"},
        {"A='1\n\n", ".env:1: the value of A begins with ' and does not end"},
        {"A=\"\n\n\"\nB=\"", ".env:4: the value of B begins with \" and does not end"},
        {"A=${", ".env:1: A: "},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct variables out = {NULL};
        fixture_init(&f);
        int result = run(&f, dotenv_parse, cases[i].text, &out);
        if (result != -EINVAL || strstr(f.e.msg, cases[i].message) != f.e.msg) {
            fail_msg("%s: %d, %s", cases[i].text, result, f.e.msg);
        }
    }
}

static void test_raw(void **state)
{
    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    struct variables out = {NULL};
    (void)state;
    fixture_init(&f);
    assert_int_equal(run(&f, dotenv_parse_raw, "# c\n  A=\"$SET\" # x\r\nSET\n\nB=", &out), 0);
    require_text("A", variables_get(&out, "A"), "\"$SET\" # x");
    require_text("SET", variables_get(&out, "SET"), "value");
    require_text("B", variables_get(&out, "B"), "");
    assert_int_equal(run(&f, dotenv_parse_raw, "A=1\nA B=1\n", &out), -EINVAL);
    require_text("message", f.e.msg,
                 ".env:2: a line must be NAME=VALUE, without a blank in the name");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values),
        cmocka_unit_test(test_a_name_alone_comes_from_the_environment),
        cmocka_unit_test(test_wrong_lines),
        cmocka_unit_test(test_raw),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
