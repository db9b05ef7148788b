#include "common/base/json.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/buf.h"

struct text_case {
    const char *text;
    size_t len;
    const char *msg; /* what the message holds; NULL: accepted */
};

#define TEXT(text) (text), sizeof(text) - 1

static void check_texts(const struct text_case *cases, size_t count, unsigned max_depth)
{
    for (size_t i = 0; i < count; i++) {
        cJSON *json = NULL;
        struct err e = {0};
        /* A copy of the exact size: reading beyond it is seen by the sanitizer. */
        AUTO(free) char *exact = malloc(cases[i].len > 0 ? cases[i].len : 1);
        assert_non_null(exact);
        memcpy(exact, cases[i].text, cases[i].len);
        int r = json_parse(exact, cases[i].len, max_depth, &json, &e);
        if (r != (cases[i].msg == NULL ? 0 : -EINVAL) || (json != NULL) != (r == 0) ||
            (r < 0 && strstr(e.msg, cases[i].msg) == NULL)) {
            fail_msg("case %zu, %s: %d \"%s\"", i, cases[i].text, r, e.msg);
        }
        cJSON_Delete(json);
    }
}

static void test_parse_accepts(void **state)
{
    static const struct text_case cases[] = {
        {TEXT("{}"), NULL},
        {TEXT("[]"), NULL},
        {TEXT(" \t\r\n [ 1 , 2 ] \n"), NULL},
        {TEXT("{ \"a\" : { \"b\" : [ { } ] } }"), NULL},
        {TEXT("\"text\""), NULL},
        {TEXT("true"), NULL},
        {TEXT("false"), NULL},
        {TEXT("null"), NULL},
        {TEXT("0"), NULL},
        {TEXT("-0"), NULL},
        {TEXT("-12.5e-3"), NULL},
        {TEXT("1E+2"), NULL},
        {TEXT("1.7976931348623157e308"), NULL},
        {TEXT("1e-999"), NULL},
        {TEXT("123456789012345678901234567890"), NULL},
        {TEXT("\"\\\"\\\\\\/\\b\\f\\n\\r\\t\\u00e9\""), NULL},
        {TEXT("\"\\uD83D\\udd14\""), NULL},
        {TEXT("\"\xf0\x9f\x94\x94 \x7f\""), NULL},
        {TEXT("{\"\": 1}"), NULL},
        {TEXT("{\"a\": {\"a\": 1}, \"A\": 2}"), NULL},
        {TEXT("[{\"a\": 1}, {\"a\": 1}]"), NULL},
    };
    (void)state;
    check_texts(cases, ARRAY_SIZE(cases), JSON_MAX_DEPTH);
}

static void test_parse_refuses_structure(void **state)
{
    static const struct text_case cases[] = {
        {TEXT(""), "byte 0: it is empty"},
        {TEXT("  "), "byte 2: it ends too early"},
        {TEXT("\xef\xbb\xbf{}"), "byte 0: a byte order mark"},
        {TEXT("\xef\xbb"), "byte 0: a value"},
        {TEXT("{}x"), "byte 2: something after"},
        {TEXT("{} {}"), "byte 3: something after"},
        {TEXT("{}\0"), "byte 2: something after"},
        {TEXT("\0"), "byte 0: a value"},
        {TEXT("\x0b{}"), "byte 0: a value"},
        {TEXT("\xc2\xa0{}"), "byte 0: a value"},
        {TEXT("{"), "byte 1: a name"},
        {TEXT("["), "byte 1: it ends"},
        {TEXT("[1"), "byte 2: ',' or ']'"},
        {TEXT("[1,]"), "byte 3: a value"},
        {TEXT("[,1]"), "byte 1: a value"},
        {TEXT("[1 2]"), "byte 3: ',' or ']'"},
        {TEXT("[1}"), "byte 2: ',' or ']'"},
        {TEXT("{\"a\":1,}"), "byte 7: a name"},
        {TEXT("{\"a\" 1}"), "byte 5: ':'"},
        {TEXT("{\"a\":}"), "byte 5: a value"},
        {TEXT("{\"a\":1]"), "byte 6: ',' or '}'"},
        {TEXT("{\"a\":1"), "byte 6: ',' or '}'"},
        {TEXT("{a:1}"), "byte 1: a name"},
        {TEXT("{1:1}"), "byte 1: a name"},
        {TEXT("{'a':1}"), "byte 1: a name"},
        {TEXT("{\n  \"a\": 1\n  \"b\": 2\n}"), "byte 13 (line 3, column 3): ',' or '}'"},
    };
    (void)state;
    check_texts(cases, ARRAY_SIZE(cases), JSON_MAX_DEPTH);
}

static void test_parse_refuses_scalars(void **state)
{
    static const struct text_case cases[] = {
        {TEXT("tru"), "byte 0: a value"},
        {TEXT("True"), "byte 0: a value"},
        {TEXT("nulll"), "byte 4: something after"},
        {TEXT("NaN"), "byte 0: a value"},
        {TEXT("Infinity"), "byte 0: a value"},
        {TEXT("// note"), "byte 0: a value"},
        {TEXT("01"), "byte 1: something after"},
        {TEXT("-"), "byte 1: a digit"},
        {TEXT("+1"), "byte 0: a value"},
        {TEXT("1."), "byte 2: a digit"},
        {TEXT(".5"), "byte 0: a value"},
        {TEXT("1e"), "byte 2: a digit"},
        {TEXT("1e+"), "byte 3: a digit"},
        {TEXT("0x10"), "byte 1: something after"},
        {TEXT("1,5"), "byte 1: something after"},
        {TEXT("[1e309]"), "byte 1: a number beyond"},
        {TEXT("-1e999"), "byte 0: a number beyond"},
        {TEXT("1.7976931348623159e308"), "byte 0: a number beyond"},
        {TEXT("1000000000000000000000000000000000000000000000000000000000000000"),
         "byte 0: a number of more than 63"},
    };
    (void)state;
    check_texts(cases, ARRAY_SIZE(cases), JSON_MAX_DEPTH);
}

static void test_parse_refuses_strings(void **state)
{
    static const struct text_case cases[] = {
        {TEXT("\"abc"), "byte 0: a string without its end"},
        {TEXT("\"abc\\"), "byte 4: an unknown escape"},
        {TEXT("\"\\x41\""), "byte 1: an unknown escape"},
        {TEXT("\"\\\0\""), "byte 1: an unknown escape"},
        {TEXT("\"\\u12\""), "byte 1: \\u needs"},
        {TEXT("\"\\u12g4\""), "byte 1: \\u needs"},
        {TEXT("\"\\u"), "byte 1: \\u needs"},
        {TEXT("\"a\nb\""), "byte 2: a raw control"},
        {TEXT("\"a\tb\""), "byte 2: a raw control"},
        {TEXT("\"a\0b\""), "byte 2: a NUL"},
        {TEXT("\"a\\u0000b\""), "byte 2: \\u0000"},
        {TEXT("{\"a\\u0000\":1}"), "byte 3: \\u0000"},
        {TEXT("\"\\ud83d\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83d\\n\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83d\\ud83d\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83dxudd14\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\udd14\\ud83d\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83d\\udd1"), "byte 1: half of a surrogate"},
        {TEXT("\"\\udd14\\udd14\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83d\\ue000\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83d\\ndd14\""), "byte 1: half of a surrogate"},
        {TEXT("\"\\ud83d"), "byte 1: half of a surrogate"},
        {TEXT("\"\\u12"), "byte 1: \\u needs"},
        {TEXT("\"a\xff\""), "byte 2: text that is not UTF-8"},
        {TEXT("\"\xed\xa0\x80\""), "byte 1: text that is not UTF-8"},
        {TEXT("\"\xc3"), "byte 1: text that is not UTF-8"},
    };
    (void)state;
    check_texts(cases, ARRAY_SIZE(cases), JSON_MAX_DEPTH);
}

static void test_parse_limits_depth(void **state)
{
    static const struct text_case fits[] = {{TEXT("[[1]]"), NULL}, {TEXT("{\"a\":[]}"), NULL}};
    static const struct text_case deep[] = {
        {TEXT("[[[1]]]"), "byte 2: nesting deeper"},
        {TEXT("{\"a\":[{}]}"), "byte 6: nesting deeper"},
    };
    static const struct text_case scalar[] = {{TEXT("1"), NULL}, {TEXT("[]"), "byte 0: nesting"}};
    static char nested[200000];
    cJSON *json = NULL;
    struct err e;
    (void)state;
    check_texts(fits, ARRAY_SIZE(fits), 2);
    check_texts(deep, ARRAY_SIZE(deep), 2);
    check_texts(scalar, ARRAY_SIZE(scalar), 0);
    memset(nested, '[', sizeof nested); /* no caller's maximum lets the stack grow without end */
    assert_int_equal(json_parse(nested, sizeof nested, UINT32_MAX, &json, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "byte 1000: nesting deeper"));
}

static void test_parse_refuses_duplicate_names(void **state)
{
    static const struct text_case cases[] = {
        {TEXT("{\"a\":1,\"b\":2,\"a\":3}"), "/a is there twice"},
        {TEXT("{\"a\":1,\"\\u0061\":2}"), "/a is there twice"},
        {TEXT("{\"\":1,\"\":2}"), "/ is there twice"},
        {TEXT("{\"x/y~z\":[0,{\"k\":1,\"k\":1}]}"), "/x~1y~0z/1/k is there twice"},
    };
    (void)state;
    check_texts(cases, ARRAY_SIZE(cases), JSON_MAX_DEPTH);
}

/* 30,000 members, `per_object` of them in each object of an array, and then `last`. */
static void fill_objects(struct buf *b, int per_object, const char *last)
{
    buf_append_char(b, '[');
    for (int i = 0; i < 30000; i++) {
        buf_append_str(b, i % per_object == 0 ? (i == 0 ? "{" : "},{") : ",");
        buf_appendf(b, "\"n%d\":0", i);
    }
    buf_appendf(b, ",\"%s\":0}]", last);
    assert_false(buf_failed(b));
}

/* The processor time that parsing takes. */
static int64_t measure_us(int per_object)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    struct timespec start;
    struct timespec end;
    cJSON *json = NULL;
    struct err e;
    fill_objects(&text, per_object, "other");
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &start);
    int r = json_parse(text.data, text.len, 4, &json, &e);
    clock_gettime(CLOCK_THREAD_CPUTIME_ID, &end);
    cJSON_Delete(json);
    assert_int_equal(r, 0);
    return (end.tv_sec - start.tv_sec) * 1000000 + (end.tv_nsec - start.tv_nsec) / 1000;
}

/* Comparing each name with each would take hundreds of times longer in one object. */
static void test_many_names_cost_no_more_than_few(void **state)
{
    (void)state;
    assert_true(measure_us(30000) < 20 * measure_us(10));
}

static void test_duplicate_among_many_names(void **state)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(1 << 20);
    cJSON *json = NULL;
    struct err e;
    (void)state;
    fill_objects(&text, 30000, "n12345");
    assert_int_equal(json_parse(text.data, text.len, 4, &json, &e), -EINVAL);
    assert_string_equal(e.msg, "/0/n12345 is there twice");
}

static int load_object(void **state)
{
    static const char text[] =
        "{\"s\":\"text\",\"S\":\"other\",\"i\":7,\"neg\":-3,\"f\":1.5,\"big\":9007199254740992,"
        "\"bigger\":9007199254740994,\"huge\":1e300,\"t\":true,\"z\":null,\"o\":{\"x\":1},"
        "\"a\":[1],\"a/b~\":1,\"long\":\"0123456789012345678901234567890123456789012345\"}";
    cJSON *json = NULL;
    struct err e;
    int r = json_parse(text, sizeof text - 1, JSON_MAX_DEPTH, &json, &e);
    *state = json;
    return r;
}

static int free_object(void **state)
{
    cJSON_Delete(*state);
    return 0;
}

static void test_get_int(void **state)
{
    static const struct {
        const char *name;
        int64_t min, max;
        int result;
        int64_t value;
        const char *msg;
    } cases[] = {
        {"i", 0, 10, 0, 7, ""},
        {"i", 7, 7, 0, 7, ""},
        {"neg", -3, 0, 0, -3, ""},
        {"big", INT64_MIN, INT64_MAX, 0, INT64_C(9007199254740992), ""},
        {"I", 0, 10, JSON_ABSENT, 0, ""},
        {"i", 8, 10, -EINVAL, 0, "/at/i must be an integer from 8 to 10, it is 7"},
        {"i", 0, 6, -EINVAL, 0, "/at/i must be an integer from 0 to 6, it is 7"},
        {"f", 0, 6, -EINVAL, 0, "/at/f must be an integer from 0 to 6, it is 1.5"},
        {"s", 0, 6, -EINVAL, 0, "/at/s must be an integer from 0 to 6, it is \"text\""},
        {"z", 0, 6, -EINVAL, 0, "/at/z must be an integer from 0 to 6, it is null"},
        {"t", 0, 6, -EINVAL, 0, "/at/t must be an integer from 0 to 6, it is true"},
        {"bigger", 0, INT64_MAX, -EINVAL, 0, "it is 9007199254740994"},
        {"huge", 0, INT64_MAX, -EINVAL, 0, "it is 1e+300"},
        {"a/b~", 5, 6, -EINVAL, 0, "/at/a~1b~0 must be"},
        {"long", 5, 6, -EINVAL, 0, "it is \"0123456789012345678901234567890123456789\"..."},
    };
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        int64_t value = -77;
        struct err e = {0};
        int r = json_get_int(*state, "/at", cases[i].name, cases[i].min, cases[i].max, &value, &e);
        if (r != cases[i].result || value != (r == 0 ? cases[i].value : -77) ||
            strstr(e.msg, cases[i].msg) == NULL) {
            fail_msg("case %zu: %d, %lld, %s", i, r, (long long)value, e.msg);
        }
    }
}

static void test_get_string_number_bool(void **state)
{
    const char *string = NULL;
    double number = 0;
    bool flag = false;
    struct err e;
    assert_int_equal(json_get_string(*state, "", "s", &string, &e), 0);
    assert_string_equal(string, "text");
    assert_int_equal(json_get_string(*state, "", "S", &string, &e), 0);
    assert_string_equal(string, "other");
    assert_int_equal(json_get_string(*state, "", "none", &string, &e), JSON_ABSENT);
    assert_string_equal(string, "other");
    assert_int_equal(json_get_string(*state, "", "i", &string, &e), -EINVAL);
    assert_string_equal(e.msg, "/i must be a string, it is 7");

    assert_int_equal(json_get_number(*state, "", "f", &number, &e), 0);
    assert_true(fabs(number - 1.5) < 1e-9);
    assert_int_equal(json_get_number(*state, "", "none", &number, &e), JSON_ABSENT);
    assert_int_equal(json_get_number(*state, "", "a", &number, &e), -EINVAL);
    assert_string_equal(e.msg, "/a must be a number, it is an array");

    assert_int_equal(json_get_bool(*state, "", "t", &flag, &e), 0);
    assert_true(flag);
    assert_int_equal(json_get_bool(*state, "", "none", &flag, &e), JSON_ABSENT);
    assert_int_equal(json_get_bool(*state, "", "i", &flag, &e), -EINVAL);
    assert_string_equal(e.msg, "/i must be true or false, it is 7");
}

static void test_get_containers(void **state)
{
    const cJSON *inner = NULL;
    struct err e;
    assert_int_equal(json_get_object(*state, "", "o", &inner, &e), 0);
    assert_non_null(json_member(inner, "x"));
    assert_null(json_member(inner, "X"));
    assert_int_equal(json_get_object(*state, "", "none", &inner, &e), JSON_ABSENT);
    assert_int_equal(json_get_object(*state, "", "a", &inner, &e), -EINVAL);
    assert_string_equal(e.msg, "/a must be an object, it is an array");
    assert_int_equal(json_get_array(*state, "", "a", &inner, &e), 0);
    assert_int_equal(cJSON_GetArraySize(inner), 1);
    assert_int_equal(json_get_array(*state, "", "none", &inner, &e), JSON_ABSENT);
    assert_int_equal(json_get_array(*state, "", "o", &inner, &e), -EINVAL);
    assert_string_equal(e.msg, "/o must be an array, it is an object");
}

static void test_check_members(void **state)
{
    static const char *const all[] = {"s", "S", "i", "neg", "f",    "big",  "bigger", "huge",
                                      "t", "z", "o", "a",   "a/b~", "long", NULL};
    static const char *const some[] = {"s", "S", "i", "negg", NULL};
    static const char *const none[] = {NULL};
    struct err e;
    assert_int_equal(json_check_members(*state, "", all, &e), 0);
    assert_int_equal(json_check_members(*state, "/at", some, &e), -EINVAL);
    assert_string_equal(e.msg, "/at/neg is not known; did you mean \"negg\"?");
    assert_int_equal(json_check_members(*state, "", none, &e), -EINVAL);
    assert_string_equal(e.msg, "/s is not known");
}

#define on_object(test) cmocka_unit_test_setup_teardown(test, load_object, free_object)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_parse_accepts),
        cmocka_unit_test(test_parse_refuses_structure),
        cmocka_unit_test(test_parse_refuses_scalars),
        cmocka_unit_test(test_parse_refuses_strings),
        cmocka_unit_test(test_parse_limits_depth),
        cmocka_unit_test(test_parse_refuses_duplicate_names),
        cmocka_unit_test(test_many_names_cost_no_more_than_few),
        cmocka_unit_test(test_duplicate_among_many_names),
        on_object(test_get_int),
        on_object(test_get_string_number_bool),
        on_object(test_get_containers),
        on_object(test_check_members),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
