#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "receiver/journal/nodes.h"
#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TEXT(words, time)                                                                          \
    {                                                                                              \
        words, sizeof(words) - 1, time                                                             \
    }

static int add(void *context, const struct journal_node *node)
{
    char *text = context;
    size_t len = strlen(text);
    (void)snprintf(text + len, 512 - len, "%s %s@%d %s@%d\n", node->node,
                   node->report.text ? node->report.text : "-", (int)node->report.at_us,
                   node->presence.text ? node->presence.text : "-", (int)node->presence.at_us);
    return 0;
}

static int stop(void *context, const struct journal_node *node)
{
    (void)add(context, node);
    return -ENOMEM;
}

static int read_nodes(struct fixture *f,
                      int (*each)(void *context, const struct journal_node *node), char *text)
{
    struct journal_reader *reader = fixture_reader(f);
    text[0] = '\0';
    int r = journal_read_nodes(reader, each, text, NULL);
    journal_reader_close(reader);
    return r;
}

static void expect_nodes(struct fixture *f, const char *wanted)
{
    char text[512];
    assert_int_equal(read_nodes(f, add, text), 0);
    assert_string_equal(text, wanted);
}

static void put(struct fixture *f, const struct journal_node *nodes, size_t count)
{
    struct err e = {0};
    if (journal_put_nodes(f->journal, nodes, count, &e) < 0) {
        fail_msg("%s", e.msg);
    }
}

static void test_rows_are_replaced_and_removed(void **state)
{
    struct fixture *f = *state;
    const struct journal_node first[] = {
        {"b", TEXT("report b", 1), {0}},
        {"a", TEXT("report a", 2), TEXT("presence a", 3)},
    };
    const struct journal_node second[] = {
        {"a", {0}, TEXT("away", 4)}, {"b", {0}, {0}}, {"never", {0}, {0}}};
    put(f, first, ARRAY_SIZE(first));
    expect_nodes(f, "a report a@2 presence a@3\nb report b@1 -@0\n");
    fixture_reopen(f);
    expect_nodes(f, "a report a@2 presence a@3\nb report b@1 -@0\n");
    put(f, second, ARRAY_SIZE(second));
    expect_nodes(f, "a -@0 away@4\n");
    assert_true(fixture_status(f).last.seq == 0);
}

static void test_a_reader_that_has_enough_ends_it(void **state)
{
    struct fixture *f = *state;
    const struct journal_node nodes[] = {{"a", TEXT("1", 1), {0}}, {"b", TEXT("2", 1), {0}}};
    char text[512];
    put(f, nodes, ARRAY_SIZE(nodes));
    assert_int_equal(read_nodes(f, stop, text), -ENOMEM);
    assert_string_equal(text, "a 1@1 -@0\n");
    expect_nodes(f, "a 1@1 -@0\nb 2@1 -@0\n");
}

static void test_without_an_open_journal(void **state)
{
    struct fixture *f = *state;
    const struct journal_node node = {"a", TEXT("1", 1), {0}};
    struct journal_settings settings = {.dir = f->dir, .clock = &f->clock, .random = &f->random};
    fixture_close(f);
    assert_int_equal(journal_new(&settings, &f->journal, NULL), 0);
    assert_int_equal(journal_put_nodes(f->journal, &node, 1, NULL), -EAGAIN);
}

static int64_t sql(const struct fixture *f, const char *text)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    int64_t value = 0;
    fixture_path(f, "journal.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    while (*text) {
        assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, &text), SQLITE_OK);
        while (sqlite3_step(stmt) == SQLITE_ROW) {
            value = sqlite3_column_int64(stmt, 0);
        }
        assert_int_equal(sqlite3_finalize(stmt), SQLITE_OK);
    }
    (void)sqlite3_close(db);
    return value;
}

/* What receivers made that knew nothing of nodes. */
static void make_older(struct fixture *f)
{
    STORE(f, .source = "/machines/old");
    fixture_close(f);
    (void)sql(f, "DROP TABLE nodes");
}

static void test_an_older_journal_is_upgraded(void **state)
{
    struct fixture *f = *state;
    const struct journal_node node = {"a", TEXT("1", 1), {0}};
    make_older(f);
    fixture_open(f);
    assert_true(fixture_status(f).events == 1);
    assert_true(fixture_status(f).last.epoch == FIXTURE_EPOCH);
    assert_int_equal(fixture_status(f).incidents_open, 0);
    expect_nodes(f, "");
    put(f, &node, 1);
    fixture_reopen(f);
    expect_nodes(f, "a 1@1 -@0\n");
    assert_true(fixture_status(f).events == 1);
    fixture_close(f);
    /* That receiver can go back to it. */
    assert_int_equal(sql(f, "PRAGMA user_version"), 1);
}

static void test_a_journal_that_lacks_a_table_is_put_aside(void **state)
{
    struct fixture *f = *state;
    char text[1024];
    STORE(f, .source = "/machines/old");
    fixture_close(f);
    (void)sql(f, "DROP TABLE probe");
    fixture_open(f);
    assert_true(fixture_status(f).events == 0);
    fixture_incidents(f, text, sizeof text);
    assert_non_null(strstr(text, "journal_replaced"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_rows_are_replaced_and_removed, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_reader_that_has_enough_ends_it, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_without_an_open_journal, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_an_older_journal_is_upgraded, fixture_setup,
                                        fixture_teardown),
        cmocka_unit_test_setup_teardown(test_a_journal_that_lacks_a_table_is_put_aside,
                                        fixture_setup, fixture_teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
