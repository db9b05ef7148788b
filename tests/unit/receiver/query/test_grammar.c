#include <errno.h>
#include <string.h>

#include "receiver/query/grammar.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int set(struct query *query, const char *name, const char *value, struct err *e)
{
    query_init(query);
    return query_set(query, query_key_find(name), value, e);
}

static void test_defaults(void **state)
{
    struct query query;
    (void)state;
    query_init(&query);
    assert_int_equal(query.given, 0);
    assert_int_equal(query.limit, QUERY_LIMIT_DEFAULT);
    assert_false(query.ascending);
}

static void test_every_key(void **state)
{
    struct query query;
    (void)state;
    assert_int_equal(set(&query, "type", "hello", NULL), 0);
    assert_string_equal(query.type, EVENT_TYPE_HELLO);
    assert_int_equal(query.given, QUERY_TYPE);
    assert_int_equal(set(&query, "type", "com.example.t", NULL), 0);
    assert_string_equal(query.type, "com.example.t");
    assert_int_equal(set(&query, "source", "press-7", NULL), 0);
    assert_string_equal(query.source, "/machines/press-7");
    assert_int_equal(set(&query, "source", "/topics/a/b", NULL), 0);
    assert_string_equal(query.source, "/topics/a/b");
    assert_int_equal(set(&query, "criticality_gt", "-5", NULL), 0);
    assert_true(query.criticality_gt == -5);
    assert_int_equal(set(&query, "since", "2026-11-20T22:38:01.5+01:00", NULL), 0);
    assert_true(query.since_us == INT64_C(1795210681500000));
    assert_int_equal(set(&query, "until", "2026-11-20T21:38:01Z", NULL), 0);
    assert_true(query.until_us == INT64_C(1795210681000000));
    assert_int_equal(set(&query, "q", "Größe", NULL), 0);
    assert_string_equal(query.q, "Größe");
    assert_int_equal(set(&query, "after", "5f3a9c01-7", NULL), 0);
    assert_true(query.after.epoch == 0x5f3a9c01 && query.after.seq == 7);
    assert_int_equal(set(&query, "before", "5f3a9c01-9", NULL), 0);
    assert_true(query.before.seq == 9);
    assert_int_equal(set(&query, "limit", "1000", NULL), 0);
    assert_int_equal(query.limit, 1000);
    assert_int_equal(set(&query, "order", "asc", NULL), 0);
    assert_true(query.ascending);
    assert_int_equal(set(&query, "order", "desc", NULL), 0);
    assert_false(query.ascending);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *name, *value, *says;
    } rows[] = {
        {"type", "", "type is empty"},
        {"source", "", "source is empty"},
        {"criticality_gt", "high", "criticality_gt must be an integer"},
        {"criticality_gt", "9223372036854775808", "criticality_gt must be"},
        {"since", "yesterday", "since must be an RFC 3339 time"},
        {"until", "2026-11-20", "until must be an RFC 3339 time"},
        {"q", "\xff", "it is not UTF-8"},
        {"after", "1204", "after must be a cursor"},
        {"before", "x", "before must be a cursor"},
        {"limit", "0", "limit must be an integer from 1 to 1000, it is '0'"},
        {"limit", "1001", "from 1 to 1000"},
        {"limit", "ten", "from 1 to 1000"},
        {"order", "up", "order must be asc or desc, it is 'up'"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        struct query query;
        struct err e = {0};
        assert_int_equal(set(&query, rows[i].name, rows[i].value, &e), -EINVAL);
        assert_non_null(strstr(e.msg, rows[i].says));
        assert_int_equal(query.given, 0);
    }
}

static void test_lengths(void **state)
{
    char text[EVENT_SOURCE_MAX + 2];
    struct query query;
    struct err e = {0};
    (void)state;
    memset(text, 'x', sizeof text);
    text[QUERY_TEXT_MAX] = '\0';
    assert_int_equal(set(&query, "q", text, &e), 0);
    text[QUERY_TEXT_MAX] = 'x';
    text[QUERY_TEXT_MAX + 1] = '\0';
    assert_int_equal(set(&query, "q", text, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "1 to 256 bytes"));
    memset(text, '/', sizeof text - 1);
    text[EVENT_SOURCE_MAX + 1] = '\0';
    assert_int_equal(set(&query, "source", text, &e), -EINVAL);
    text[EVENT_SOURCE_MAX] = '\0';
    assert_int_equal(set(&query, "source", text, &e), 0);
}

static void test_twice(void **state)
{
    struct query query;
    struct err e = {0};
    (void)state;
    assert_int_equal(set(&query, "limit", "5", &e), 0);
    assert_int_equal(query_set(&query, QUERY_LIMIT, "6", &e), -EINVAL);
    assert_string_equal(e.msg, "limit may be given only once");
    assert_int_equal(query.limit, 5);
}

static void test_names(void **state)
{
    char text[128], small[12];
    (void)state;
    assert_int_equal(query_key_find("colour"), 0);
    assert_int_equal(query_key_find("Type"), 0);
    assert_string_equal(query_key_name(QUERY_Q), "q");
    query_key_list(QUERY_ALL, text, sizeof text);
    assert_string_equal(
        text, "type, source, criticality_gt, since, until, q, after, before, limit, order");
    query_key_list(QUERY_AFTER | QUERY_Q, text, sizeof text);
    assert_string_equal(text, "q, after");
    query_key_list(QUERY_ALL, small, sizeof small);
    assert_string_equal(small, "type");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),        cmocka_unit_test(test_every_key),
        cmocka_unit_test(test_what_is_refused), cmocka_unit_test(test_lengths),
        cmocka_unit_test(test_twice),           cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
