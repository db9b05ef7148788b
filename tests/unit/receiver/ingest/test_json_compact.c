#include "receiver/ingest/json_compact.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_compact(void **state)
{
    static const struct {
        const char *text, *compact;
    } cases[] = {
        {"{}", "{}"},
        {" \t\r\n{ \"a\" :\r\n 1 , \"b\":[ 1 ,\t2 ] } \n", "{\"a\":1,\"b\":[1,2]}"},
        {"\" a \\\" b \"", "\" a \\\" b \""},
        {"[\"\\\\\" , \" ]\"]", "[\"\\\\\",\" ]\"]"},
        {"[1.50E+02 , 12345678901234567890]", "[1.50E+02,12345678901234567890]"},
        {"\"\xc3\xa4 \xe2\x80\xa8 b\"", "\"\xc3\xa4 \xe2\x80\xa8 b\""},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        char out[128];
        size_t len = json_compact(out, cases[i].text, strlen(cases[i].text));

        out[len] = '\0';
        assert_string_equal(out, cases[i].compact);
    }
}

static bool is_x(const char *name)
{
    return name[0] == 'x';
}

static void test_drop_members(void **state)
{
    static const struct {
        const char *text, *left, *data;
    } cases[] = {
        {"{}", "{}", NULL},
        {"{\"a\":1}", "{\"a\":1}", NULL},
        {"{\"x\":1}", "{}", NULL},
        {"{\"x\":1,\"data\":2}", "{\"data\":2}", "2"},
        {"{\"data\":2,\"x\":1}", "{\"data\":2}", "2"},
        {"{\"a\":1,\"x\":[{\"data\":1},\"}\"],\"data\":{\"x\":[]},\"xx\":\"\\\"\",\"b\":-0.50}",
         "{\"a\":1,\"data\":{\"x\":[]},\"b\":-0.50}", "{\"x\":[]}"},
        {"{\"\\u0078\":1,\"d\\u0061ta\":\"\\\\\"}", "{\"d\\u0061ta\":\"\\\\\"}", "\"\\\\\""},
        {"{\"a\":{\"data\":1}}", "{\"a\":{\"data\":1}}", NULL},
        {"{\"data\":null,\"a\":true}", "{\"data\":null,\"a\":true}", "null"},
        {"{\"x\":[],\"x2\":{},\"a\":[[]]}", "{\"a\":[[]]}", NULL},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct json_span data;
        struct err e = {0};
        char text[128];
        size_t len;

        snprintf(text, sizeof text, "%s", cases[i].text);
        assert_int_equal(json_parse(text, strlen(text), JSON_MAX_DEPTH, &json, &e), 0);
        len = json_drop_members(text, json, is_x, "data", &data);
        assert_int_equal(len, strlen(cases[i].left));
        assert_memory_equal(text, cases[i].left, len);
        assert_int_equal(data.len, cases[i].data ? strlen(cases[i].data) : 0);
        assert_true(data.at + data.len < len);
        if (cases[i].data)
            assert_memory_equal(text + data.at, cases[i].data, data.len);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_compact),
        cmocka_unit_test(test_drop_members),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
