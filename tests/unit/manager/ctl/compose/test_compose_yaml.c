#include "manager/ctl/compose/yaml.h"

#include <errno.h>

#include "manager/ctl/compose/shape.h"
#include "tests/unit/manager/ctl/compose/load_fixture.h"

static int run(struct fixture *f, const char *text, struct node **ret_documents)
{
    return yaml_parse(&f->load, "file", text, strlen(text), ret_documents);
}

static void test_plain_scalars(void **state)
{
    static const struct {
        const char *text;
        enum node_kind kind;
        const char *printed;
    } cases[] = {
        {"", NODE_NULL, ""},
        {"~", NODE_NULL, ""},
        {"Null", NODE_NULL, ""},
        {"nUll", NODE_STRING, "nUll"},
        {"true", NODE_BOOL, "true"},
        {"FALSE", NODE_BOOL, "false"},
        {"tRue", NODE_STRING, "tRue"},
        {"yes", NODE_STRING, "yes"},
        {"on", NODE_STRING, "on"},
        {"0", NODE_INT, "0"},
        {"12", NODE_INT, "12"},
        {"-12", NODE_INT, "-12"},
        {"+12", NODE_INT, "12"},
        {"0444", NODE_INT, "292"},
        {"0o444", NODE_INT, "292"},
        {"0x1F", NODE_INT, "31"},
        {"-0b11", NODE_INT, "-3"},
        {"1_000", NODE_INT, "1000"},
        {"089", NODE_FLOAT, "89"},
        {"-0", NODE_FLOAT, "-0"},
        {"1.50", NODE_FLOAT, "1.5"},
        {".5", NODE_FLOAT, "0.5"},
        {"1.", NODE_FLOAT, "1"},
        {"1e3", NODE_FLOAT, "1000"},
        {"9223372036854775807", NODE_INT, "9223372036854775807"},
        {"-9223372036854775808", NODE_INT, "-9223372036854775808"},
        {"22:22", NODE_STRING, "22:22"},
        {"1.2.3", NODE_STRING, "1.2.3"},
        {"0x", NODE_STRING, "0x"},
        {"0b2", NODE_STRING, "0b2"},
        {"-", NODE_STRING, "-"},
        {".", NODE_STRING, "."},
        {"1e", NODE_STRING, "1e"},
        {"5m", NODE_STRING, "5m"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        fixture_init(&f);
        const struct node *node =
            yaml_plain(&f.load.arena, (struct place){"file", 1, 1}, cases[i].text);
        assert_non_null(node);
        if (node->kind != cases[i].kind) {
            fail_msg("%s is %s", cases[i].text, node_kind_name(node));
        }
        require_text(cases[i].text, node_print(&f.load.arena, node), cases[i].printed);
    }
}

static void test_times(void **state)
{
    static const char *const times[] = {"2026-11-20", "2026-1-2", "2026-11-20T10:00:00Z",
                                        "2026-11-20 10:00:00"};
    static const char *const others[] = {"2026",         "2026-11",     "2026-11-",
                                         "20-11-2026",   "2026-11-20x", "2026-111-20",
                                         "2026-11-20 x", "1234-5678-9"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(times); i++) {
        assert_true(yaml_is_time(times[i]));
    }
    for (size_t i = 0; i < ARRAY_SIZE(others); i++) {
        assert_false(yaml_is_time(others[i]));
    }
}

static void test_documents(void **state)
{
    static const struct {
        const char *text, *json;
    } cases[] = {
        {"", "[]"},
        {"# nothing\n", "[]"},
        {"a: 1\n---\nb: 2\n", "[{\"a\":1},{\"b\":2}]"},
        {"a: &x [1]\nb: *x\n", "[{\"a\":[1],\"b\":[1]}]"},
        {"a: &x {k: 1, l: 2}\nb: {<<: *x, l: 3}\n",
         "[{\"a\":{\"k\":1,\"l\":2},\"b\":{\"l\":3,\"k\":1}}]"},
        {"- &x {k: 1}\n- &y {k: 2, l: 2}\n- {<<: [*x, *y]}\n",
         "[[{\"k\":1},{\"k\":2,\"l\":2},{\"k\":1,\"l\":2}]]"},
        {"a: {<<: {b: {<<: {c: 1}}}}\n", "[{\"a\":{\"b\":{\"c\":1}}}]"},
        {"a: {\"<<\": 1}\n", "[{\"a\":{\"<<\":1}}]"},
        {"a: !!str 1\nb: !!int \"2\"\nc: ! x\n", "[{\"a\":\"1\",\"b\":2,\"c\":\"x\"}]"},
        {"a: '1'\nb: \"~\"\nc: |\n  x\n", "[{\"a\":\"1\",\"b\":\"~\",\"c\":\"x\\n\"}]"},
        {"a: &x 1\n---\n- 2\n", "[{\"a\":1},[2]]"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct node *documents = NULL;
        fixture_init(&f);
        if (run(&f, cases[i].text, &documents) != 0) {
            fail_msg("%s: %s", cases[i].text, f.e.msg);
        }
        cJSON *json = shape_to_json(documents, NULL);
        char *text = cJSON_PrintUnformatted(json);
        require_text(cases[i].text, text, cases[i].json);
        cJSON_free(text);
        cJSON_Delete(json);
    }
}

static void test_wrong_documents(void **state)
{
    static const struct {
        const char *text, *message;
    } cases[] = {
        {"a: 1\nb: 2\na: 3\n", "file:3:1: the key \"a\" stands here twice, first in line 1"},
        {"a: &x 1\n---\nb: *x\n", "file:3:4: *x: there is no &x before this"},
        {"a: &x [*x]\n", "file:1:8: *x: there is no &x before this"},
        {"1: a\n", "file:1:1: a key must be a string, this is a number: put it into quotes"},
        {"~: a\n", "file:1:1: a key must be a string, this is nothing: put it into quotes"},
        {"a: !x 1\n", "file:1:4: the tag !x is not supported here"},
        {"a: !!binary aGk=\n", "file:1:4: the tag binary is not supported here"},
        {"a: !reset []\n", "file:1:4: the tag !reset is not supported"},
        {"a: {<<: [1]}\n", "file:1:10: `<<` merges mappings, this is a number"},
        {"a: \"\\0\"\n", "file:1:4: a string must not have a NUL character in it"},
        {"a: [1\n", "file:2:1: this is no YAML: while parsing a flow sequence, "},
        {"a: 2026-11-20\n", "file:1:4: 2026-11-20 is a time in YAML: put it into quotes"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
        struct node *documents = NULL;
        fixture_init(&f);
        int result = run(&f, cases[i].text, &documents);
        if (result != -EINVAL || strstr(f.e.msg, cases[i].message) != f.e.msg) {
            fail_msg("%s: %d, %s", cases[i].text, result, f.e.msg);
        }
    }
}

static void test_aliases_cannot_make_it_deep(void **state)
{
    static const char TEXT[] = "a: &a [[[[[[[[[[[[[[[[[[[[]]]]]]]]]]]]]]]]]]]]\n"
                               "b: &b [[[[[[[[[[[[[[[[[[[[*a]]]]]]]]]]]]]]]]]]]]\n"
                               "c: &c [[[[[[[[[[[[[[[[[[[[*b]]]]]]]]]]]]]]]]]]]]\n"
                               "d: &d [[[[[[[[[[[[[[[[[[[[*c]]]]]]]]]]]]]]]]]]]]\n";
    struct fixture f __attribute__((cleanup(fixture_deinit_cleanup)));
    struct node *documents = NULL;
    (void)state;
    fixture_init(&f);
    assert_int_equal(run(&f, TEXT, &documents), -EINVAL);
    assert_string_equal(f.e.msg, "file:4:27: nested deeper than 64 levels");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain_scalars),
        cmocka_unit_test(test_times),
        cmocka_unit_test(test_documents),
        cmocka_unit_test(test_wrong_documents),
        cmocka_unit_test(test_aliases_cannot_make_it_deep),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
