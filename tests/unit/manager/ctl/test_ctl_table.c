#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/ctl/table.h"

static const struct terminal plain = {.columns = 80, .rows = 24};
static const struct terminal colored = {.color = true, .columns = 80, .rows = 24};

static void check(const struct table *table, const struct terminal *terminal, const char *expected)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);

    table_print(table, terminal, &out);
    assert_false(buf_failed(&out));
    assert_string_equal(out.data, expected);
}

static const char *const headings[] = {"A", "BCD", "E", NULL};

static void test_headings_alone(void **state)
{
    struct table *table AUTO(table_free) = table_new(headings);
    (void)state;
    assert_int_equal(table_rows(table), 0);
    check(table, &plain, "A  BCD  E\n");
}

/* Columns are as wide as their widest cell in characters, and no line ends with blanks. */
static void test_widths(void **state)
{
    struct table *table AUTO(table_free) = table_new(headings);
    (void)state;
    table_add(table, STYLE_PLAIN, "größer");
    table_add(table, STYLE_PLAIN, "x");
    table_add(table, STYLE_PLAIN, "");
    table_add(table, STYLE_PLAIN, "");
    table_addf(table, STYLE_PLAIN, "%d", 12345);
    table_add(table, STYLE_PLAIN, "z");
    assert_int_equal(table_rows(table), 2);
    check(table, &plain,
          "A       BCD    E\n"
          "größer  x\n"
          "        12345  z\n");
}

/* Colours take no columns, and empty cells none. */
static void test_colors(void **state)
{
    static const char *const two[] = {"A", "B", NULL};
    struct table *table AUTO(table_free) = table_new(two);
    (void)state;
    table_add(table, STYLE_BAD, "aa");
    table_add(table, STYLE_GOOD, "");
    check(table, &colored, "\033[1mA\033[0m   \033[1mB\033[0m\n\033[31maa\033[0m\n");
}

/* What a node sends does not steer the terminal. */
static void test_control_characters(void **state)
{
    static const char *const one[] = {"A", NULL};
    struct table *table AUTO(table_free) = table_new(one);
    (void)state;
    table_add(table, STYLE_PLAIN,
              "a\033[2Jb\nc\xc2\x9b"
              "d\xff");
    check(table, &plain, "A\na?[2Jb?c?d?\n");
}

static void test_many_rows(void **state)
{
    static const char *const one[] = {"A", NULL};
    struct table *table AUTO(table_free) = table_new(one);
    AUTO(buf_deinit) struct buf out = BUF_INIT(1 << 20);
    (void)state;
    for (int i = 0; i < 10000; i++)
        table_addf(table, STYLE_PLAIN, "%d", i);
    table_print(table, &plain, &out);
    assert_int_equal(table_rows(table), 10000);
    assert_non_null(strstr(out.data, "\n9999\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_headings_alone), cmocka_unit_test(test_widths),
        cmocka_unit_test(test_colors),         cmocka_unit_test(test_control_characters),
        cmocka_unit_test(test_many_rows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
