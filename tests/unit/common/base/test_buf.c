#include "common/base/buf.h"

#include <stdlib.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_appends_grow_and_terminate(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(100000);
    (void)state;
    assert_null(b.data);
    buf_append(&b, "ab\0c", 4);
    buf_append_str(&b, "de");
    buf_append_char(&b, 'f');
    buf_appendf(&b, "%d-%s", 42, "x");
    assert_int_equal(b.len, 11);
    assert_memory_equal(b.data, "ab\0cdef42-x", 12);
    for (int i = 0; i < 1000; i++) {
        buf_appendf(&b, "%050d", i);
    }
    assert_int_equal(b.len, 11 + 1000 * 50);
    assert_int_equal(b.data[b.len], '\0');
    assert_string_equal(b.data + b.len - 4, "0999");
    assert_false(buf_failed(&b));
}

static void test_formats_at_every_capacity(void **state)
{
    char expected[600] = "";
    AUTO(buf_deinit) struct buf b = BUF_INIT(sizeof expected);
    (void)state;
    for (size_t len = 0; len < sizeof expected - 1; len++) {
        expected[len] = (char)('a' + len % 26);
        buf_appendf(&b, "%c", expected[len]);
        assert_string_equal(b.data, expected);
    }
}

static void test_appending_nothing_allocates_and_terminates(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(0);
    (void)state;
    buf_append(&b, NULL, 0);
    assert_false(buf_failed(&b));
    assert_string_equal(b.data, "");
}

static void test_maximum_is_exact(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(5);
    (void)state;
    buf_append_str(&b, "12345");
    assert_false(buf_failed(&b));
    buf_append_char(&b, '6');
    assert_true(buf_failed(&b));
    assert_string_equal(b.data, "12345");
}

static void append_bytes(struct buf *b)
{
    buf_append_str(b, "456");
}

static void append_formatted(struct buf *b)
{
    buf_appendf(b, "%s", "456");
}

static void append_json(struct buf *b)
{
    buf_append_json(b, "4");
}

static void test_failed_append_changes_nothing_and_is_remembered(void **state)
{
    void (*const appends[])(struct buf *) = {append_bytes, append_formatted, append_json};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(appends); i++) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(5);
        buf_append_str(&b, "123");
        appends[i](&b);
        assert_true(buf_failed(&b));
        assert_int_equal(b.len, 3);
        assert_string_equal(b.data, "123");
        buf_append_char(&b, '4'); /* would fit, but a hole in the text is no better */
        assert_string_equal(b.data, "123");
        buf_reset(&b);
        assert_false(buf_failed(&b));
        buf_append_str(&b, "12345");
        assert_string_equal(b.data, "12345");
    }
}

static void test_json_strings(void **state)
{
    static const struct {
        const char *text;
        size_t len;
        const char *json;
    } cases[] = {
        {"", 0, "\"\""},
        {"plain", 5, "\"plain\""},
        {"a\"b\\c", 5, "\"a\\\"b\\\\c\""},
        {"\b\t\n\f\r", 5, "\"\\b\\t\\n\\f\\r\""},
        {"\x01\x1f\x0b\x7f", 4, "\"\\u0001\\u001f\\u000b\x7f\""},
        {"a\0b", 3, "\"a\\u0000b\""},
        {"\xc3\xa9\xf0\x9f\x94\x94", 6, "\"\xc3\xa9\xf0\x9f\x94\x94\""},
        {"</script>", 9, "\"</script>\""},
        {NULL, 0, "null"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(buf_deinit) struct buf b = BUF_INIT(100);
        buf_append_json_n(&b, cases[i].text, cases[i].len);
        assert_string_equal(b.data, cases[i].json);
    }
    AUTO(buf_deinit) struct buf b = BUF_INIT(100);
    buf_append_json(&b, "a\n");
    buf_append_json(&b, NULL);
    assert_string_equal(b.data, "\"a\\n\"null");
}

static void test_take_hands_the_bytes_over(void **state)
{
    struct buf b = BUF_INIT(100);
    size_t len = 99;
    (void)state;
    assert_null(buf_take(&b, &len));
    assert_int_equal(len, 0);
    buf_append_str(&b, "mine");
    AUTO(free) char *bytes = buf_take(&b, &len);
    assert_string_equal(bytes, "mine");
    assert_int_equal(len, 4);
    assert_null(b.data);
    assert_int_equal(b.max, 100);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_appends_grow_and_terminate),
        cmocka_unit_test(test_formats_at_every_capacity),
        cmocka_unit_test(test_appending_nothing_allocates_and_terminates),
        cmocka_unit_test(test_maximum_is_exact),
        cmocka_unit_test(test_failed_append_changes_nothing_and_is_remembered),
        cmocka_unit_test(test_json_strings),
        cmocka_unit_test(test_take_hands_the_bytes_over),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
