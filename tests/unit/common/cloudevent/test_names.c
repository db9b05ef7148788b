#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/cloudevent/event.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_kinds(void **state)
{
    static const char *const kinds[] = {"hello", "event", "session", "raw"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
        char type[64];

        snprintf(type, sizeof type, "bellbuoy.%s.v1", kinds[i]);
        assert_string_equal(event_type_of_kind(kinds[i]), type);
        assert_string_equal(event_kind(type), kinds[i]);
    }
    assert_null(event_kind("com.example.order.v1"));
    assert_null(event_kind("hello"));
    assert_null(event_type_of_kind("bellbuoy.hello.v1"));
    assert_null(event_type_of_kind(""));
}

static void test_type_expand(void **state)
{
    static const struct {
        const char *text, *type;
    } cases[] = {
        {"hello", "bellbuoy.hello.v1"},
        {"raw", "bellbuoy.raw.v1"},
        {"bellbuoy.event.v1", "bellbuoy.event.v1"},
        {"com.example.order", "com.example.order"},
        {"Hello", "Hello"},
    };
    char type[EVENT_TYPE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_true(event_type_expand(cases[i].text, type, sizeof type));
        assert_string_equal(type, cases[i].type);
    }
    assert_false(event_type_expand("session", type, strlen("bellbuoy.session.v1")));
    assert_true(event_type_expand("session", type, strlen("bellbuoy.session.v1") + 1));
}

static void test_source_expand(void **state)
{
    static const struct {
        const char *text, *source;
    } cases[] = {
        {"press-7", "/machines/press-7"},
        {"press.hall-2", "/machines/press.hall-2"},
        {"/machines/press-7", "/machines/press-7"},
        {"/topics/plant/line3", "/topics/plant/line3"},
        {"urn:example:42", "urn:example:42"},
        {"https://example.org/a", "https://example.org/a"},
        {"plant/line3", "plant/line3"},
    };
    char source[EVENT_SOURCE_MAX + 1];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_true(event_source_expand(cases[i].text, source, sizeof source));
        assert_string_equal(source, cases[i].source);
    }
    assert_false(event_source_expand("press-7", source, strlen("/machines/press-7")));
    assert_string_equal(source, "");
    assert_true(event_source_expand("press-7", source, strlen("/machines/press-7") + 1));
}

static void test_topic(void **state)
{
    static const struct {
        const char *source, *type, *topic;
        int r;
    } cases[] = {
        {"/machines/press-7", EVENT_TYPE_HELLO, "bellbuoy/events/press-7/hello", 0},
        {"/machines/ev_1", EVENT_TYPE_SESSION, "bellbuoy/events/ev_1/session", 0},
        /* NATS closes the connection on '.' and blank; '+', '#' and '/' mean something to MQTT */
        {"/machines/a.b c+d#e/f", EVENT_TYPE_EVENT, "bellbuoy/events/a_b_c_d_e_f/event", 0},
        {"/machines/\xc3\xa4", EVENT_TYPE_EVENT, "bellbuoy/events/__/event", 0},
        {"/topics/x", EVENT_TYPE_RAW, "bellbuoy/events/topics_x/raw", 0},
        {"/machines/press-7", "com.example.order", NULL, -EINVAL},
        {"/machines/", EVENT_TYPE_HELLO, NULL, -EINVAL},
    };
    char topic[256];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        assert_int_equal(event_format_topic(cases[i].source, cases[i].type, topic, sizeof topic),
                         cases[i].r);
        if (cases[i].topic)
            assert_string_equal(topic, cases[i].topic);
    }
    assert_int_equal(event_format_topic("/machines/press-7", EVENT_TYPE_HELLO, topic,
                                        strlen("bellbuoy/events/press-7/hello")),
                     -ENAMETOOLONG);
}

static void test_topic_level_is_bounded(void **state)
{
    char source[400] = "/machines/", topic[256];

    (void)state;
    memset(source + strlen(source), 'x', 300);
    assert_int_equal(event_format_topic(source, EVENT_TYPE_HELLO, topic, sizeof topic), 0);
    assert_int_equal(strlen(topic), strlen("bellbuoy/events/") + 128 + strlen("/hello"));
}

/* Contrast as WCAG 2.1 defines it. */
static double channel(unsigned value)
{
    double c = value / 255.0;

    return c <= 0.03928 ? c / 12.92 : pow((c + 0.055) / 1.055, 2.4);
}

static double luminance(const char *color)
{
    unsigned long rgb = strtoul(color + 1, NULL, 16);

    return 0.2126 * channel(rgb >> 16 & 0xff) + 0.7152 * channel(rgb >> 8 & 0xff) +
           0.0722 * channel(rgb & 0xff);
}

static double contrast(const char *a, const char *b)
{
    double high = fmax(luminance(a), luminance(b)), low = fmin(luminance(a), luminance(b));

    return (high + 0.05) / (low + 0.05);
}

static void test_color_is_readable(void **state)
{
    char source[64], color[EVENT_COLOR_SIZE];

    (void)state;
    for (int i = 0; i < 5000; i++) {
        snprintf(source, sizeof source, "/machines/press-%d", i);
        event_color(source, color);
        assert_int_equal(strlen(color), 7);
        assert_int_equal(strspn(color + 1, "0123456789abcdef"), 6);
        assert_true(contrast(color, "#ffffff") > 4.0);
        assert_true(contrast(color, "#0d1117") > 4.0);
    }
}

static void test_color_belongs_to_the_name(void **state)
{
    char first[EVENT_COLOR_SIZE], again[EVENT_COLOR_SIZE], other[EVENT_COLOR_SIZE];

    (void)state;
    event_color("/machines/press-7", first);
    event_color("/machines/press-7", again);
    event_color("/machines/press-8", other);
    assert_string_equal(first, again);
    assert_string_not_equal(first, other);
}

static void test_is_color(void **state)
{
    static const char *const colors[] = {"#2f81f7", "#ABCDEF", "#000000"};
    static const char *const others[] = {"",         "#",       "2f81f7", "#2f81f",
                                         "#2f81f77", "#2f81fg", "red",    "#2f8;x:y"};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(colors); i++)
        assert_true(event_is_color(colors[i]));
    for (size_t i = 0; i < ARRAY_SIZE(others); i++)
        assert_false(event_is_color(others[i]));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_type_expand),
        cmocka_unit_test(test_source_expand),
        cmocka_unit_test(test_topic),
        cmocka_unit_test(test_topic_level_is_bounded),
        cmocka_unit_test(test_color_is_readable),
        cmocka_unit_test(test_is_color),
        cmocka_unit_test(test_color_belongs_to_the_name),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
