#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "manager/ctl/yaml.h"

static const struct {
    const char *json, *yaml;
} cases[] = {
    {"{}", "{}\n"},
    {"[]", "[]\n"},
    {"null", "null\n"},
    {"true", "true\n"},
    {"1.5", "1.5\n"},
    {"9007199254740991", "9007199254740991\n"},
    {"\"plain\"", "plain\n"},
    {"{\"a\": 1, \"b\": {\"c\": []}}", "a: 1\nb:\n  c: []\n"},
    {"[1, [2, 3], {\"a\": 1, \"b\": 2}]", "- 1\n- - 2\n  - 3\n- a: 1\n  b: 2\n"},
    {"{\"a\": [{\"b\": {\"c\": 1}}]}", "a:\n  - b:\n      c: 1\n"},
    /* what another reader would take for something else */
    {"\"\"", "\"\"\n"},
    {"\"yes\"", "\"yes\"\n"},
    {"\"Null\"", "\"Null\"\n"},
    {"\"12\"", "\"12\"\n"},
    {"\"1e3\"", "\"1e3\"\n"},
    {"\"a: b\"", "\"a: b\"\n"},
    {"\"a #b\"", "\"a #b\"\n"},
    {"\"- a\"", "\"- a\"\n"},
    {"\" a\"", "\" a\"\n"},
    {"\"a \"", "\"a \"\n"},
    {"\"a\\nb\"", "\"a\\nb\"\n"},
    {"\"~\"", "\"~\"\n"},
    {"\"*a\"", "\"*a\"\n"},
    {"{\"on\": \"a/b-c.d_e\"}", "\"on\": a/b-c.d_e\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
        cJSON *json AUTO(cJSON_Delete) = NULL;
        assert_int_equal(json_parse(cases[i].json, strlen(cases[i].json), 8, &json, NULL), 0);
        yaml_append(&out, json);
        assert_string_equal(out.data, cases[i].yaml);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_cases)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
