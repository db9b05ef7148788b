#include "broadcaster/ledger.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/file.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_lines_are_appended(void **state)
{
    char path[] = "/tmp/bellbuoy-ledger-XXXXXX";
    struct buf content = BUF_INIT(4096);
    struct err e = {0};

    (void)state;
    close(mkstemp(path));
    for (int run = 0; run < 2; run++) {
        struct ledger *ledger = NULL;
        assert_int_equal(ledger_open(path, &ledger, &e), 0);
        ledger_add(ledger, "/machines/a", "x-1");
        ledger_add(ledger, "/machines/b", "x-1");
        buf_reset(&content);
        assert_int_equal(file_read(path, &content, &e), 0);
        assert_int_equal(content.len, (size_t)run * 32); /* nothing before the flush */
        if (run == 0)
            ledger_flush(ledger);
        ledger_free(ledger);
    }
    buf_reset(&content);
    assert_int_equal(file_read(path, &content, &e), 0);
    assert_string_equal(content.data, "/machines/a x-1\n/machines/b x-1\n"
                                      "/machines/a x-1\n/machines/b x-1\n");
    buf_deinit(&content);
    unlink(path);
}

static void test_no_ledger(void **state)
{
    (void)state;
    ledger_add(NULL, "/machines/a", "x-1");
    ledger_flush(NULL);
    ledger_free(NULL);
}

static void test_bad_path(void **state)
{
    struct ledger *ledger = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(ledger_open("/nonexistent/ledger", &ledger, &e), -ENOENT);
    assert_non_null(strstr(e.msg, "--ledger '/nonexistent/ledger'"));
    assert_null(ledger);
}

/* A full disk: the lines stay, and nothing ends. */
static void test_full_disk(void **state)
{
    struct ledger *ledger = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(ledger_open("/dev/full", &ledger, &e), 0);
    ledger_add(ledger, "/machines/a", "x-1");
    ledger_flush(ledger);
    ledger_add(ledger, "/machines/a", "x-2");
    ledger_free(ledger);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lines_are_appended),
        cmocka_unit_test(test_no_ledger),
        cmocka_unit_test(test_bad_path),
        cmocka_unit_test(test_full_disk),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
