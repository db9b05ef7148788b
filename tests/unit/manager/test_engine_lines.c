/* What comes in lines: JSON from events and pulls, and containers' output. */
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "manager/engine/json_lines.h"
#include "manager/engine/log_lines.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct heard {
    char text[1024];
    size_t len;
    unsigned count, stop_after;
    size_t longest;
    struct json_lines *json;
    struct log_lines *log;
};

static void hear(struct heard *heard, const char *text, size_t len)
{
    heard->len += (size_t)snprintf(heard->text + heard->len, sizeof(heard->text) - heard->len,
                                   "%.*s|", (int)len, text);
    heard->count++;
}

static void on_object(void *context, const cJSON *object)
{
    struct heard *heard = context;
    const char *text = "?";

    (void)!json_get_string(object, "", "a", &text, NULL);
    hear(heard, text, strlen(text));
    if (heard->count == heard->stop_after)
        json_lines_stop(heard->json);
}

static const struct {
    const char *bytes, *heard;
} json_cases[] = {
    {"{\"a\":\"1\"}\n{\"a\":\"2\"}\r\n", "1|2|"},
    {"\n\n{\"a\":\"1\"}\n\n", "1|"},
    {"garbage\n{\"a\":\"1\"}\n", "1|"},
    {"[1]\n\"x\"\n5\n{}\n", "?|"},
    {"{\"a\":\"1\"}\n{\"a\":", "1|"},
    {"{\"a\":\"1\",\"a\":\"2\"}\n{\"a\":\"3\"}\n", "3|"},
};

static void hears_objects_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(json_cases); i++) {
        for (size_t step = 1; step < 20; step++) {
            struct heard heard = {0};
            struct json_lines lines;
            size_t len = strlen(json_cases[i].bytes);
            json_lines_init(&lines, on_object, &heard);
            for (size_t at = 0; at < len; at += step)
                json_lines_feed(&lines, json_cases[i].bytes + at,
                                at + step < len ? step : len - at);
            assert_string_equal(heard.text, json_cases[i].heard);
            json_lines_deinit(&lines);
        }
    }
}

static void passes_over_an_endless_line(void **state)
{
    static char part[64 << 10];
    struct heard heard = {0};
    struct json_lines lines;

    (void)state;
    memset(part, ' ', sizeof(part));
    json_lines_init(&lines, on_object, &heard);
    for (int i = 0; i < 40; i++)
        json_lines_feed(&lines, part, sizeof(part));
    assert_true(lines.line.len <= JSON_LINES_MAX);
    json_lines_feed(&lines, "\n{\"a\":\"1\"}\n", 11);
    assert_string_equal(heard.text, "1|");
    json_lines_deinit(&lines);
}

static void stops_amid_a_feed(void **state)
{
    struct json_lines lines;
    struct heard heard = {.stop_after = 1, .json = &lines};

    (void)state;
    json_lines_init(&lines, on_object, &heard);
    json_lines_feed(&lines, "{}\n{}\n{}\n", 9);
    assert_int_equal(heard.count, 1);
    json_lines_deinit(&lines);
}

static void on_line(void *context, const char *line, size_t len, bool is_error)
{
    struct heard *heard = context;
    char text[64];

    heard->longest = len > heard->longest ? len : heard->longest;
    int used = snprintf(text, sizeof(text), "%c%.*s", is_error ? '!' : '.', (int)len, line);
    hear(heard, text, (size_t)used < sizeof(text) ? (size_t)used : sizeof(text) - 1);
    if (heard->count == heard->stop_after)
        log_lines_stop(heard->log);
}

#define FRAME(stream, size) stream "\0\0\0\0\0\0" size

static const struct {
    const char *bytes;
    size_t len;
    const char *heard;
} log_cases[] = {
#define BYTES(text) text, sizeof(text) - 1
    {BYTES(FRAME("\1", "\4") "one\n" FRAME("\2", "\4") "two\n"), ".one|!two|"},
    {BYTES(FRAME("\1", "\2") "on" FRAME("\2", "\2") "tw" FRAME("\1", "\2") "e\n"), ".one|!tw|"},
    {BYTES(FRAME("\1", "\10") "a\n\nb\r\nc\n"), ".a|.|.b|.c|"},
    {BYTES(FRAME("\1", "\0") FRAME("\1", "\1") "x"), ".x|"},
    {BYTES(FRAME("\1", "\5") "ab"), ".ab|"},
    {BYTES(""), ""},
};

static void hears_lines_however_they_are_cut(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(log_cases); i++) {
        for (size_t step = 1; step < 20; step++) {
            struct heard heard = {0};
            struct log_lines lines;
            size_t len = log_cases[i].len;
            log_lines_init(&lines, true, on_line, &heard);
            for (size_t at = 0; at < len; at += step)
                assert_int_equal(log_lines_feed(&lines, log_cases[i].bytes + at,
                                                at + step < len ? step : len - at, NULL),
                                 0);
            log_lines_end(&lines);
            assert_string_equal(heard.text, log_cases[i].heard);
            log_lines_deinit(&lines);
        }
    }
}

static void tells_what_has_no_frames(void **state)
{
    struct heard heard = {0};
    struct log_lines lines;
    struct err e = {0};

    (void)state;
    log_lines_init(&lines, true, on_line, &heard);
    assert_int_equal(log_lines_feed(&lines, "plain text\n", 11, &e), -EINVAL);
    assert_int_equal(heard.count, 0);
    log_lines_deinit(&lines);
    log_lines_init(&lines, false, on_line, &heard);
    assert_int_equal(log_lines_feed(&lines, "plain text\r\nmore", 16, &e), 0);
    log_lines_end(&lines);
    assert_string_equal(heard.text, ".plain text|.more|");
    log_lines_deinit(&lines);
}

static void bounds_a_line(void **state)
{
    static char part[100000];
    struct heard heard = {0};
    struct log_lines lines;

    (void)state;
    memset(part, 'x', sizeof(part));
    log_lines_init(&lines, false, on_line, &heard);
    assert_int_equal(log_lines_feed(&lines, part, sizeof(part), NULL), 0);
    log_lines_end(&lines);
    assert_int_equal(heard.longest, LOG_LINE_MAX);
    assert_int_equal(heard.count, (sizeof(part) + LOG_LINE_MAX - 1) / LOG_LINE_MAX);
    log_lines_deinit(&lines);
}

static void stops_amid_output(void **state)
{
    struct log_lines lines;
    struct heard heard = {.stop_after = 2, .log = &lines};

    (void)state;
    log_lines_init(&lines, false, on_line, &heard);
    assert_int_equal(log_lines_feed(&lines, "a\nb\nc\nd\n", 8, NULL), 0);
    log_lines_end(&lines);
    assert_int_equal(heard.count, 2);
    log_lines_deinit(&lines);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hears_objects_however_they_are_cut),
        cmocka_unit_test(passes_over_an_endless_line),
        cmocka_unit_test(stops_amid_a_feed),
        cmocka_unit_test(hears_lines_however_they_are_cut),
        cmocka_unit_test(tells_what_has_no_frames),
        cmocka_unit_test(bounds_a_line),
        cmocka_unit_test(stops_amid_output),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
