#include "receiver/api/list_params.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>

#include <cmocka.h>

#include "receiver/api/query_params.h"

/* ---- a request, as far as params.c looks at one, and what it was answered ---- */

struct http_request {
    const char *const *parameters; /* name, value, ..., NULL */
    unsigned answers;
    char answer[512];
};

void http_request_each_query(struct http_request *request,
                             void (*each)(void *context, const char *name, const char *value),
                             void *context)
{
    for (const char *const *p = request->parameters; *p != NULL; p += 2)
        each(context, p[0], p[1]);
}

void query_params_unknown(struct http_request *request, const char *name, const char *known)
{
    request->answers++;
    snprintf(request->answer, sizeof(request->answer), "unknown %s; known: %s", name, known);
}

void query_params_invalid(struct http_request *request, const char *name, const char *fmt, ...)
{
    va_list args;
    int len = snprintf(request->answer, sizeof(request->answer), "invalid %s: ", name);
    va_start(args, fmt);
    vsnprintf(request->answer + len, sizeof(request->answer) - (size_t)len, fmt, args);
    va_end(args);
    request->answers++;
}

static const struct param known[] = {{"source", list_params_set_source},
                                     {"before", list_params_set_before},
                                     {"limit", list_params_set_limit}};

static void test_good(void **state)
{
    const char *parameters[] = {"limit", "1000", "source", "press-7", "before", "7", NULL};
    struct http_request request = {.parameters = parameters};
    struct list_params params = LIST_PARAMS_INIT;

    (void)state;
    assert_true(params_parse(&request, known, 3, &params));
    struct journal_list list = list_params_get(&params);
    assert_int_equal(list.limit, 1000);
    assert_string_equal(list.source, "/machines/press-7");
    assert_int_equal(list.before, 7);
    assert_null(list.kind);
    assert_int_equal(request.answers, 0);
}

static void test_defaults(void **state)
{
    const char *parameters[] = {NULL};
    struct http_request request = {.parameters = parameters};
    struct list_params params = LIST_PARAMS_INIT;

    (void)state;
    assert_true(params_parse(&request, known, 3, &params));
    assert_true(params_none(&request));
    struct journal_list list = list_params_get(&params);
    assert_int_equal(list.limit, 50);
    assert_int_equal(list.before, 0);
    assert_null(list.source);
}

static void test_wrong(void **state)
{
    static const struct {
        const char *parameters[7];
        const char *answer;
    } cases[] = {
        {{"colour", "red", NULL}, "unknown colour; known: source, before, limit"},
        {{"Limit", "1", NULL}, "unknown Limit; known: source, before, limit"},
        {{"", "", NULL}, "unknown ; known: source, before, limit"},
        {{"limit", "1", "limit", "1", NULL}, "invalid limit: 'limit' is given more than once"},
        {{"limit", "", NULL}, "invalid limit: 'limit' is empty"},
        {{"limit", "0", NULL}, "invalid limit: 'limit' must be an integer from 1 to 1000, not '0'"},
        {{"limit", "1001", NULL},
         "invalid limit: 'limit' must be an integer from 1 to 1000, not '1001'"},
        {{"limit", "ten", NULL},
         "invalid limit: 'limit' must be an integer from 1 to 1000, not 'ten'"},
        {{"before", "-1", NULL},
         "invalid before: 'before' must be an integer from 1 to 9223372036854775807, not '-1'"},
        /* The first is the one that is named. */
        {{"limit", "0", "colour", "red", NULL},
         "invalid limit: 'limit' must be an integer from 1 to 1000, not '0'"},
        {{"limit", "1", "colour", "red", "before", "x"},
         "unknown colour; known: source, before, limit"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request = {.parameters = cases[i].parameters};
        struct list_params params = LIST_PARAMS_INIT;
        assert_false(params_parse(&request, known, 3, &params));
        assert_int_equal(request.answers, 1);
        assert_string_equal(request.answer, cases[i].answer);
    }
}

static void test_none_known(void **state)
{
    const char *parameters[] = {"limit", "1", NULL};
    struct http_request request = {.parameters = parameters};

    (void)state;
    assert_false(params_none(&request));
    assert_string_equal(request.answer, "unknown limit; known: none");
}

static void test_long_source(void **state)
{
    static char source[EVENT_SOURCE_MAX + 2];
    const char *parameters[] = {"source", source, NULL};
    struct http_request request = {.parameters = parameters};
    struct list_params params = LIST_PARAMS_INIT;

    (void)state;
    memset(source, 'x', sizeof(source) - 1);
    assert_false(params_parse(&request, known, 3, &params));
    assert_string_equal(request.answer,
                        "invalid source: 'source' must be a source of at most 512 bytes");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_wrong),       cmocka_unit_test(test_none_known),

        cmocka_unit_test(test_long_source),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
