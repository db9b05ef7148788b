#include <locale.h>
#include <stdlib.h>
#include <string.h>

#include "receiver/query/lowercase.h"
#include "receiver/query/match.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_text(void **state)
{
    static const struct {
        const char *json, *needle;
        bool found;
    } rows[] = {
        {"{\"text\":\"Hello world\"}", "hello WORLD", true},
        {"{\"text\":\"Hello world\"}", "hello  world", false},
        {"{\"text\":\"Hello world\"}", "text\":\"h", true},
        {"\"aaab\"", "aab", true},
        {"\"abababac\"", "ababac", true},
        {"\"abababad\"", "ababac", false},
        {"\"caf\\u00e9\"", "CAFÉ", true},
        {"\"CAF\\u00C9\"", "café", true},
        {"\"Größe ÄÖÜ\"", "grÖße äöü", true},
        {"\"\\ud83d\\ude00!\"", "😀!", true},
        {"\"ΣΙΓΜΑ\"", "σιγμα", true},
        {"\"ДОБРО\"", "добро", true},
        {"\"a\\nb\\tc\"", "a\nb\tc", true},
        {"\"a\\\\b\\/c\\\"d\"", "a\\b/c\"d", true},
        {"\"a\\nb\"", "\\n", false},
        {"\"İstanbul\"", "istanbul", true},
        {"\"ab\"", "abc", false},
        {"", "a", false},
        {"\"x\"", "", true},
        /* Torn texts end, they do not run on. */
        {"\"\\u00", "a", false},
        {"\"\\", "a", false},
        {"\"\xf0\x9f", "a", false},
        {"\"\\ud83d", "a", false},
        {"\"\\ud83d\\u", "a", false},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
        /* On the heap to its last byte, so that a sanitizer sees a read beyond. */
        size_t len = strlen(rows[i].json);
        AUTO(free) char *json = malloc(len ? len : 1);
        memcpy(json, rows[i].json, len);
        if (query_text_contains(json, len, rows[i].needle) != rows[i].found) {
            fail_msg("%s in %s", rows[i].needle, rows[i].json);
        }
    }
}

static void test_longest_needle(void **state)
{
    char needle[QUERY_TEXT_MAX + 1], json[QUERY_TEXT_MAX + 3];
    (void)state;
    memset(needle, 'a', QUERY_TEXT_MAX);
    needle[QUERY_TEXT_MAX] = '\0';
    memset(json, 'A', sizeof json);
    assert_true(query_text_contains(json, sizeof json, needle));
    json[100] = 'b';
    assert_false(query_text_contains(json, sizeof json, needle));
}

static void test_lower_case_needs_no_locale(void **state)
{
    (void)state;
    assert_non_null(setlocale(LC_ALL, "C"));
    assert_int_equal(lowercase('A'), 'a');
    assert_int_equal(lowercase('['), '[');
    assert_int_equal(lowercase(0xc4), 0xe4);
    assert_int_equal(lowercase(0xd7), 0xd7); /* the multiplication sign among letters */
    assert_int_equal(lowercase(0x100), 0x101);
    assert_int_equal(lowercase(0x101), 0x101);
    assert_int_equal(lowercase(0x130), 'i');
    assert_int_equal(lowercase(0x1e9e), 0xdf);
    assert_int_equal(lowercase(0x2126), 0x3c9);
    assert_int_equal(lowercase(0x10400), 0x10428);
    assert_int_equal(lowercase(0x1e921), 0x1e943);
    assert_int_equal(lowercase(0x10ffff), 0x10ffff);
    for (uint32_t point = 0; point <= 0x10ffff; point++) {
        assert_true(lowercase(lowercase(point)) == lowercase(point));
    }
}

static struct query query_of(const char *const *pairs)
{
    struct query query;
    query_init(&query);
    for (; *pairs; pairs += 2) {
        assert_int_equal(query_set(&query, query_key_find(pairs[0]), pairs[1], NULL), 0);
    }
    return query;
}

#define MATCHES(subject, ...)                                                                      \
    (query_matches(&(struct query[]){query_of((const char *const[]){__VA_ARGS__, NULL})}[0],       \
                   (subject)))

static void test_filters(void **state)
{
    static const char data[] = "{\"criticality\":5,\"eventMessage\":\"Too hot\"}";
    struct match_subject subject = {
        .type = EVENT_TYPE_EVENT,
        .source = "/machines/press-7",
        .time_us = INT64_C(1795210681000000), /* 2026-11-20T21:38:01Z */
        .criticality = 5,
        .data = data,
        .data_len = sizeof data - 1,
    };
    (void)state;
    assert_true(MATCHES(&subject, "limit", "1"));
    assert_true(MATCHES(&subject, "type", "event"));
    assert_false(MATCHES(&subject, "type", "hello"));
    assert_true(MATCHES(&subject, "source", "press-7"));
    assert_false(MATCHES(&subject, "source", "press-8"));
    assert_true(MATCHES(&subject, "criticality_gt", "4"));
    assert_false(MATCHES(&subject, "criticality_gt", "5"));
    assert_true(MATCHES(&subject, "since", "2026-11-20T21:38:01Z"));
    assert_false(MATCHES(&subject, "since", "2026-11-20T21:38:01.000001Z"));
    assert_false(MATCHES(&subject, "until", "2026-11-20T21:38:01Z"));
    assert_true(MATCHES(&subject, "until", "2026-11-20T21:38:01.000001Z"));
    assert_true(MATCHES(&subject, "q", "TOO HOT"));
    assert_false(MATCHES(&subject, "q", "too cold"));
    assert_false(MATCHES(&subject, "type", "event", "q", "too cold"));
    assert_true(
        MATCHES(&subject, "type", "event", "source", "press-7", "criticality_gt", "1", "q", "hot"));
    subject.criticality = EVENT_NO_NUMBER;
    assert_false(MATCHES(&subject, "criticality_gt", "-100"));
    subject.data = NULL;
    assert_false(MATCHES(&subject, "q", "hot"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),
        cmocka_unit_test(test_longest_needle),
        cmocka_unit_test(test_lower_case_needs_no_locale),
        cmocka_unit_test(test_filters),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
