#include "receiver/api/json_values.h"

#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_base64(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } cases[] = {
        /* RFC 4648, section 10 */
        {"", 0, "\"\""},
        {"f", 1, "\"Zg==\""},
        {"fo", 2, "\"Zm8=\""},
        {"foo", 3, "\"Zm9v\""},
        {"foob", 4, "\"Zm9vYg==\""},
        {"fooba", 5, "\"Zm9vYmE=\""},
        {"foobar", 6, "\"Zm9vYmFy\""},
        {"\xff\xfe\x00", 3, "\"//4A\""},
        {"\xfb\xff", 2, "\"+/8=\""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct buf out AUTO(buf_deinit) = BUF_INIT(64);
        json_append_base64(&out, cases[i].bytes, cases[i].size);
        assert_string_equal(out.data, cases[i].text);
    }
}

static void test_time_and_cursor(void **state)
{
    (void)state;
    struct buf out AUTO(buf_deinit) = BUF_INIT(128);
    json_append_time(&out, 0);
    json_append_time(&out, 1700000000123456);
    json_append_cursor(&out, (struct cursor){0x5f3a9c01, 1204});
    assert_string_equal(out.data, "null\"2023-11-14T22:13:20.123456Z\"\"5f3a9c01-1204\"");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_base64),
        cmocka_unit_test(test_time_and_cursor),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
