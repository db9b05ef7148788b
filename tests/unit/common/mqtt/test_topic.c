#include "common/mqtt/topic.h"

#include <errno.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_level_is_valid(void **state)
{
    char longest[TOPIC_LEVEL_SIZE + 1] = {0};

    (void)state;
    assert_true(topic_level_is_valid("press-7_B"));
    assert_false(topic_level_is_valid(""));
    assert_false(topic_level_is_valid("a.b"));
    assert_false(topic_level_is_valid("a b"));
    assert_false(topic_level_is_valid("a/b"));
    assert_false(topic_level_is_valid("+"));
    memset(longest, 'a', TOPIC_LEVEL_SIZE - 1);
    assert_true(topic_level_is_valid(longest));
    longest[TOPIC_LEVEL_SIZE - 1] = 'a';
    assert_false(topic_level_is_valid(longest));
}

static void test_level_format(void **state)
{
    char level[TOPIC_LEVEL_SIZE];
    char name[300];

    (void)state;
    topic_level_format(level, "host.example.org");
    assert_string_equal(level, "host_example_org");
    topic_level_format(level, "m\xc3\xbchle 7");
    assert_string_equal(level, "m__hle_7");
    memset(name, 'x', sizeof(name) - 1);
    name[sizeof(name) - 1] = '\0';
    topic_level_format(level, name);
    assert_int_equal(strlen(level), TOPIC_LEVEL_SIZE - 1);
}

static void test_format(void **state)
{
    char topic[32];

    (void)state;
    assert_int_equal(
        topic_format(topic, sizeof(topic), (const char *[]){"bellbuoy", "events", "a", NULL}), 0);
    assert_string_equal(topic, "bellbuoy/events/a");
    assert_int_equal(topic_format(topic, 18, (const char *[]){"bellbuoy", "events", "a", NULL}), 0);
    assert_int_equal(topic_format(topic, 17, (const char *[]){"bellbuoy", "events", "a", NULL}),
                     -ENAMETOOLONG);
    assert_int_equal(topic_format(topic, sizeof(topic), (const char *[]){"a", "b.c", NULL}),
                     -EINVAL);
    assert_int_equal(topic_format(topic, sizeof(topic), (const char *[]){"a", "", NULL}), -EINVAL);
    assert_int_equal(topic_format(topic, sizeof(topic), (const char *[]){NULL}), -EINVAL);
}

static void test_matches(void **state)
{
    static const struct {
        const char *filter, *topic;
        bool matches;
    } cases[] = {
        {"a/b", "a/b", true},      {"a/b", "a/bc", false},    {"a/b", "a", false},
        {"a/b", "a/b/c", false},   {"a/+", "a/b", true},      {"a/+", "a", false},
        {"a/+", "a/", true},       {"a/+", "a/b/c", false},   {"+/b", "a/b", true},
        {"a/+/c", "a/b/c", true},  {"a/+/c", "a/b/d", false}, {"a/#", "a/b/c", true},
        {"a/#", "a", true},        {"a/#", "ab", false},      {"#", "a/b", true},
        {"+/+", "/finance", true}, {"/+", "/finance", true},  {"+", "/finance", false},
        {"#", "$SYS/x", false},    {"+/x", "$SYS/x", false},  {"$SYS/#", "$SYS/x", true},
        {"a/+/#", "a/b", true},    {"a/+/#", "a", false},     {"a//b", "a//b", true},
        {"a/+/b", "a//b", true},   {"a", "", false},          {"a/b", "a/+", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (topic_matches(cases[i].filter, cases[i].topic) != cases[i].matches)
            fail_msg("%s against %s", cases[i].filter, cases[i].topic);
    }
}

static void test_filter_is_valid(void **state)
{
    static char too_long[65537];

    (void)state;
    memset(too_long, 'a', sizeof(too_long) - 1);
    assert_true(topic_filter_is_valid("bellbuoy/events/#"));
    assert_true(topic_filter_is_valid("#"));
    assert_true(topic_filter_is_valid("+"));
    assert_true(topic_filter_is_valid("+/tennis/#"));
    assert_true(topic_filter_is_valid("/"));
    assert_false(topic_filter_is_valid(""));
    assert_false(topic_filter_is_valid("a/#/b"));
    assert_false(topic_filter_is_valid("a#"));
    assert_false(topic_filter_is_valid("a/b+"));
    assert_false(topic_filter_is_valid("a/+b/c"));
    assert_false(topic_filter_is_valid("a/\xff"));
    assert_false(topic_filter_is_valid(too_long));
    too_long[65535] = '\0';
    assert_true(topic_filter_is_valid(too_long));
}

static void test_filters_overlap(void **state)
{
    static const struct {
        const char *a, *b;
        bool overlap;
    } cases[] = {
        {"a/b", "a/b", true},       {"a/b", "a/c", false},     {"a/+", "a/b", true},
        {"a/+", "+/b", true},       {"a/+/c", "a/b/+", true},  {"a/+/c", "a/b/d", false},
        {"a/#", "a/b/c", true},     {"a/#", "a", true},        {"a/#", "b/#", false},
        {"#", "a/+", true},         {"a/+", "a/b/c", false},   {"+/b/#", "a/#", true},
        {"a", "a/+", false},        {"#", "$SYS/#", false},    {"+/a", "$SYS/a", false},
        {"$SYS/#", "$SYS/a", true}, {"a/b/#", "a/b", true},    {"a/b/#", "a", false},
        {"a/+/#", "a/+", true},     {"a/b/c/#", "a/b", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        if (topic_filters_overlap(cases[i].a, cases[i].b) != cases[i].overlap ||
            topic_filters_overlap(cases[i].b, cases[i].a) != cases[i].overlap)
            fail_msg("%s and %s", cases[i].a, cases[i].b);
    }
}

static void test_filter_covers(void **state)
{
    static const struct {
        const char *filter, *other;
        bool covers;
    } cases[] = {
        {"a/b", "a/b", true},      {"a/+", "a/b", true},    {"a/b", "a/+", false},
        {"a/+", "a/+", true},      {"a/#", "a/+/c", true},  {"a/+/c", "a/#", false},
        {"#", "a/+", true},        {"a/#", "a", true},      {"a/#", "a/#", true},
        {"a/+", "a/b/c", false},   {"a/+/c", "a/+", false}, {"a/+/#", "a/+", true},
        {"a/b/#", "a/+", false},   {"#", "$SYS/a", false},  {"+/b", "+/c", false},
        {"a/b/c", "a/+/c", false},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        if (topic_filter_covers(cases[i].filter, cases[i].other) != cases[i].covers)
            fail_msg("%s and %s", cases[i].filter, cases[i].other);
}

static void test_level(void **state)
{
    char level[8];

    (void)state;
    assert_true(topic_level("a/bc/d", 0, level, sizeof(level)));
    assert_string_equal(level, "a");
    assert_true(topic_level("a/bc/d", 1, level, sizeof(level)));
    assert_string_equal(level, "bc");
    assert_true(topic_level("a/bc/d", 2, level, sizeof(level)));
    assert_string_equal(level, "d");
    assert_false(topic_level("a/bc/d", 3, level, sizeof(level)));
    assert_true(topic_level("a//d", 1, level, sizeof(level)));
    assert_string_equal(level, "");
    assert_false(topic_level("a/12345678", 1, level, sizeof(level)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_level_is_valid),  cmocka_unit_test(test_level_format),
        cmocka_unit_test(test_format),          cmocka_unit_test(test_matches),
        cmocka_unit_test(test_filter_is_valid), cmocka_unit_test(test_filters_overlap),
        cmocka_unit_test(test_filter_covers),   cmocka_unit_test(test_level),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
