#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "manager/ctl/change.h"

static const struct terminal plain = {.columns = 80, .rows = 24};

static const struct {
    const char *from, *to, *text;
} cases[] = {
    {"{}", "{}", ""},
    {"{\"services\": {\"a\": {\"image\": \"x\"}}}", "{\"services\": {\"a\": {\"image\": \"x\"}}}",
     ""},
    /* what names the publication is no difference; deeper down it is */
    {"{\"revision\": 1, \"id\": \"a\", \"issued\": \"b\"}", "{\"revision\": 2, \"id\": \"c\"}", ""},
    {"{\"services\": {\"id\": 1}}", "{\"services\": {\"id\": 2}}", "~ /services/id: 1 -> 2\n"},
    {"{\"a\": {\"b\": \"x\"}}", "{\"a\": {\"b\": \"y\"}}", "~ /a/b: \"x\" -> \"y\"\n"},
    {"{\"a\": {\"b\": 1}}", "{\"a\": {\"c\": 1}}", "- /a/b: 1\n+ /a/c: 1\n"},
    {"{\"a\": [1, 2]}", "{\"a\": [2, 1]}", "~ /a: [1,2] -> [2,1]\n"},
    {"{\"a\": 1}", "{\"a\": {\"b\": 2}}", "~ /a: 1 -> {\"b\":2}\n"},
    {"{\"x/y\": {\"~\": 1}}", "{\"x/y\": {\"~\": 2}}", "~ /x~1y/~0: 1 -> 2\n"},
    /* empty says as much as absent */
    {"{\"networks\": {}}", "{\"volumes\": {}, \"policy\": []}", ""},
    {"{\"a\": {\"b\": 1}}", "{}", "- /a: {\"b\":1}\n"},
};

static void test_cases(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
        cJSON *from AUTO(cJSON_Delete) = NULL;
        cJSON *to AUTO(cJSON_Delete) = NULL;
        assert_int_equal(json_parse(cases[i].from, strlen(cases[i].from), 8, &from, NULL), 0);
        assert_int_equal(json_parse(cases[i].to, strlen(cases[i].to), 8, &to, NULL), 0);
        cJSON *changes AUTO(cJSON_Delete) = change_list(from, to);
        assert_non_null(changes);
        change_append(&out, &plain, changes);
        assert_string_equal(out.data ? out.data : "", cases[i].text);
    }
}

static void test_against_nothing(void **state)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
    cJSON *to AUTO(cJSON_Delete) =
        cJSON_Parse("{\"revision\": 1, \"services\": {\"a\": {\"b\": 1}}}");
    cJSON *changes AUTO(cJSON_Delete) = change_list(NULL, to);
    (void)state;
    change_append(&out, &plain, changes);
    assert_string_equal(out.data, "+ /services: {\"a\":{\"b\":1}}\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_cases),
        cmocka_unit_test(test_against_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
