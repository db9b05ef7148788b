#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "receiver/stream/filter.h"

static void set(struct query *query, enum query_key key, const char *value)
{
    struct err e;

    assert_int_equal(query_set(query, key, value, &e), 0);
}

static void test_nothing_wanted_is_no_filter(void **state)
{
    struct query query, expanded;
    struct filter *filter;

    (void)state;
    query_init(&query);
    set(&query, QUERY_AFTER, "00000001-1");
    assert_int_equal(filter_new(&query, &filter), 0);
    assert_null(filter);
    assert_null(filter_ref(NULL));
    assert_false(filter_has_text(NULL));
    filter_unref(NULL);
    query_init(&query);
    filter_expand(NULL, &expanded);
    assert_memory_equal(&query, &expanded, sizeof(query));
}

static void test_the_query_comes_back(void **state)
{
    struct query query, expanded;
    struct filter *filter, *another;

    (void)state;
    query_init(&query);
    set(&query, QUERY_TYPE, "hello");
    set(&query, QUERY_SOURCE, "press-7");
    set(&query, QUERY_CRITICALITY_GT, "-3");
    set(&query, QUERY_SINCE, "2026-11-21T14:00:00Z");
    set(&query, QUERY_UNTIL, "2026-11-21T15:00:00Z");
    set(&query, QUERY_Q, "Hello");
    assert_int_equal(filter_new(&query, &filter), 0);
    another = filter_ref(filter);
    filter_unref(filter);
    filter_expand(another, &expanded);
    assert_int_equal(expanded.given, query.given);
    assert_string_equal(expanded.type, query.type);
    assert_string_equal(expanded.source, query.source);
    assert_string_equal(expanded.q, query.q);
    assert_int_equal(expanded.criticality_gt, -3);
    assert_int_equal(expanded.since_us, query.since_us);
    assert_int_equal(expanded.until_us, query.until_us);
    assert_true(filter_has_text(another));
    filter_unref(another);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_wanted_is_no_filter),
        cmocka_unit_test(test_the_query_comes_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
