#include <string.h>

#include "receiver/query/sql.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Whether the statements give the right rows is tested against a journal (test_read.c). */

static struct query query_of(const char *const *pairs)
{
    struct query query;
    query_init(&query);
    for (; *pairs; pairs += 2) {
        assert_int_equal(query_set(&query, query_key_find(pairs[0]), pairs[1], NULL), 0);
    }
    return query;
}

static size_t count_of(const char *text, char c)
{
    size_t count = 0;
    for (; *text; text++) {
        count += *text == c;
    }
    return count;
}

static const char *const every_key[] = {
    "type",
    "hello",
    "source",
    "press-7",
    "criticality_gt",
    "3",
    "since",
    "2026-11-20T21:38:01Z",
    "until",
    "2026-11-21T21:38:01Z",
    "q",
    "x' OR '1",
    "after",
    "5f3a9c01-3",
    "before",
    "5f3a9c01-900",
    "limit",
    "10",
    "order",
    "asc",
    NULL,
};

static void test_every_value_is_bound(void **state)
{
    struct query query = query_of(every_key);
    struct sql_statement statement;
    (void)state;
    sql_compile(&query, &statement);
    assert_int_equal(count_of(statement.text, '?'), statement.count);
    assert_null(strstr(statement.text, "press-7"));
    assert_null(strstr(statement.text, "OR '1"));
    assert_null(strstr(statement.text, "900"));
}

static void test_text_depends_on_the_keys_alone(void **state)
{
    static const char *const other[] = {"type", "event", "limit", "1", NULL};
    static const char *const same[] = {"type", "session", "limit", "999", NULL};
    struct query a = query_of(other), b = query_of(same);
    struct sql_statement first, second;
    (void)state;
    sql_compile(&a, &first);
    sql_compile(&b, &second);
    assert_string_equal(first.text, second.text);
}

static void test_bounds_and_limit(void **state)
{
    static const char *const pairs[] = {"after", "5f3a9c01-3", "before", "5f3a9c01-900", NULL};
    struct query query = query_of(pairs);
    struct sql_statement statement;
    (void)state;
    sql_compile(&query, &statement);
    assert_int_equal(statement.count, 3);
    assert_int_equal(statement.values[0].integer, 4);
    assert_int_equal(statement.values[1].integer, 899);
    assert_int_equal(statement.values[2].integer, QUERY_LIMIT_DEFAULT + 1);
    assert_null(strstr(statement.text, "blocks"));
}

/* Rows are searched by their block's bounds; the query's are looked at with each row. */
static void test_blocks_bound_the_search(void **state)
{
    static const char *const pairs[] = {"q", "x", "after", "5f3a9c01-3", NULL};
    struct query query = query_of(pairs);
    struct sql_statement statement;
    (void)state;
    sql_compile(&query, &statement);
    assert_non_null(strstr(statement.text, " WHERE +e.seq >= ? AND +e.seq <= ?"));
}

static void test_furthest_bounds(void **state)
{
    static const char *const after[] = {"after", "5f3a9c01-9223372036854775807", NULL};
    static const char *const before[] = {"before", "5f3a9c01-0", NULL};
    struct query query = query_of(after);
    struct sql_statement statement;
    (void)state;
    sql_compile(&query, &statement);
    assert_true(statement.values[0].integer == INT64_MAX);
    query = query_of(before);
    sql_compile(&query, &statement);
    assert_true(statement.values[1].integer < 1);
}

static void test_type_bits_differ(void **state)
{
    int64_t bits[] = {sql_type_bit(EVENT_TYPE_HELLO), sql_type_bit(EVENT_TYPE_EVENT),
                      sql_type_bit(EVENT_TYPE_SESSION), sql_type_bit(EVENT_TYPE_RAW)};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(bits); i++) {
        assert_int_equal(__builtin_popcountll((unsigned long long)bits[i]), 1);
        for (size_t j = 0; j < i; j++) {
            assert_int_equal(bits[i] & bits[j], 0);
        }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_value_is_bound),
        cmocka_unit_test(test_text_depends_on_the_keys_alone),
        cmocka_unit_test(test_bounds_and_limit),
        cmocka_unit_test(test_blocks_bound_the_search),
        cmocka_unit_test(test_furthest_bounds),
        cmocka_unit_test(test_type_bits_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
