#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "receiver/stream/frame.h"

static const struct cursor place = {0x5f3a9c01, 1205};

static void check(struct buf *out, const char *expected)
{
    assert_false(buf_failed(out));
    assert_string_equal(out->data, expected);
    buf_deinit(out);
}

static void test_event(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    frame_append_event(&out, place, "{\"a\":1}", 7);
    check(&out, "id: 5f3a9c01-1205\ndata: {\"a\":1}\n\n");
}

/* A client puts the lines together again with LF between them. */
static void test_event_of_several_lines(void **state)
{
    static const struct {
        const char *json, *lines;
    } cases[] = {
        {"{\n}", "data: {\ndata: }\n"},           {"{\r}", "data: {\ndata: }\n"},
        {"{\r\n}", "data: {\ndata: }\n"},         {"{\n\r}", "data: {\ndata: \ndata: }\n"},
        {"{\n\n}", "data: {\ndata: \ndata: }\n"}, {"{}\n", "data: {}\ndata: \n"},
        {"{}\r", "data: {}\ndata: \n"},           {"", "data: \n"},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct buf out = BUF_INIT(1000), expected = BUF_INIT(1000);

        frame_append_event(&out, place, cases[i].json, strlen(cases[i].json));
        buf_appendf(&expected, "id: 5f3a9c01-1205\n%s\n", cases[i].lines);
        check(&out, expected.data);
        buf_deinit(&expected);
    }
    assert_true(frame_is_one_line("{}", 2));
    assert_false(frame_is_one_line("{\n}", 3));
    assert_false(frame_is_one_line("{\r}", 3));
}

static void test_notes(void **state)
{
    struct buf out = BUF_INIT(1000);

    (void)state;
    frame_append_position(&out, place);
    check(&out, "id: 5f3a9c01-1205\n\n");
    frame_append_retry(&out, 3712);
    check(&out, "retry: 3712\n\n");
    frame_append_heartbeat(&out);
    check(&out, ": heartbeat\n\n");
    frame_append_gap(&out, (struct cursor){1, 2}, place, "epoch");
    check(&out,
          "event: gap\nid: 5f3a9c01-1205\n"
          "data: {\"from\":\"00000001-2\",\"to\":\"5f3a9c01-1205\",\"reason\":\"epoch\"}\n\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event),
        cmocka_unit_test(test_event_of_several_lines),
        cmocka_unit_test(test_notes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
