#include <dirent.h>
#include <fcntl.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ASIDE "journal-20261120T213801Z.db"

static void write_at(const struct fixture *f, const char *name, off_t at, const char *bytes)
{
    char path[128];
    fixture_path(f, name, path);
    int fd = open(path, O_WRONLY | O_CREAT, 0600);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, strlen(bytes), at), strlen(bytes));
    (void)close(fd);
}

static int64_t size_of(const struct fixture *f, const char *name)
{
    char path[128];
    struct stat st;
    fixture_path(f, name, path);
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static void cut(const struct fixture *f, const char *name, off_t size)
{
    char path[128];
    fixture_path(f, name, path);
    assert_int_equal(truncate(path, size), 0);
}

static void sql(const struct fixture *f, const char *text)
{
    char path[128];
    sqlite3 *db;
    fixture_path(f, "journal.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    char *error = NULL;
    if (sqlite3_exec(db, text, NULL, NULL, &error) != SQLITE_OK) {
        fail_msg("%s", error);
    }
    (void)sqlite3_close(db);
}

static int64_t sql_integer(const struct fixture *f, const char *text)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    fixture_path(f, "journal.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, text, -1, &stmt, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(stmt), SQLITE_ROW);
    int64_t value = sqlite3_column_int64(stmt, 0);
    sqlite3_finalize(stmt);
    (void)sqlite3_close(db);
    return value;
}

/* ---- the ways to spoil a closed journal of 3,000 rows ---- */

static void spoil_magic(const struct fixture *f)
{
    write_at(f, "journal.db", 0, "garbage garbage garbage");
}
static void spoil_page_size(const struct fixture *f)
{
    write_at(f, "journal.db", 16, "\x33\x33");
}
static void spoil_first_page(const struct fixture *f)
{
    for (off_t at = 100; at < 4096; at += 16) {
        write_at(f, "journal.db", at, "garbage garbage ");
    }
}
static void spoil_all_as_text(const struct fixture *f)
{
    cut(f, "journal.db", 0);
    write_at(f, "journal.db", 0, "a letter, not a journal\n");
}
static void spoil_length_zero(const struct fixture *f)
{
    cut(f, "journal.db", 0);
}
static void spoil_length_half(const struct fixture *f)
{
    cut(f, "journal.db", size_of(f, "journal.db") / 2);
}
static void spoil_length_header(const struct fixture *f)
{
    cut(f, "journal.db", 100);
}
static void spoil_application(const struct fixture *f)
{
    sql(f, "PRAGMA application_id=1");
}
static void spoil_schema(const struct fixture *f)
{
    sql(f, "DROP TABLE incidents");
}
static void spoil_number(const struct fixture *f)
{
    sql(f, "DELETE FROM meta WHERE key = 'epoch'");
}
static void spoil_last_row(const struct fixture *f)
{
    sql(f, "UPDATE events SET json = 'x' WHERE seq = (SELECT max(seq) FROM events)");
}
static void spoil_log(const struct fixture *f)
{
    write_at(f, "journal.db-wal", 0, "garbage garbage garbage garbage garbage garbage");
}
static void spoil_log_alone(const struct fixture *f)
{
    char path[128];
    fixture_path(f, "journal.db", path);
    assert_int_equal(unlink(path), 0);
    spoil_log(f);
}

static const struct {
    const char *name;
    void (*spoil)(const struct fixture *f);
} ways[] = {
    {"magic", spoil_magic},
    {"page size", spoil_page_size},
    {"first page", spoil_first_page},
    {"text", spoil_all_as_text},
    {"length zero", spoil_length_zero},
    {"length half", spoil_length_half},
    {"length header", spoil_length_header},
    {"application", spoil_application},
    {"schema", spoil_schema},
    {"number", spoil_number},
    {"last row", spoil_last_row},
    {"log", spoil_log},
    {"log alone", spoil_log_alone},
};

static void store_rows(struct fixture *f)
{
    for (int i = 0; i < 3000; i++) {
        ADD(f, .source = NULL);
    }
    fixture_append(f);
}

static void test_put_aside(void **state)
{
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(ways); i++) {
        struct fixture f;
        struct err e = {0};
        char text[1024];
        fixture_init(&f);
        fixture_open(&f);
        store_rows(&f);
        fixture_close(&f);
        ways[i].spoil(&f);
        int64_t size = size_of(&f, "journal.db"), log_size = size_of(&f, "journal.db-wal");
        struct journal_settings settings = {.dir = f.dir, .clock = &f.clock, .random = &f.random};
        assert_int_equal(journal_new(&settings, &f.journal, NULL), 0);
        if (journal_open(f.journal, &e) < 0) {
            fail_msg("%s: %s", ways[i].name, e.msg);
        }
        struct journal_status status = fixture_status(&f);
        if (status.events != 0 || status.last.epoch == FIXTURE_EPOCH) {
            fail_msg("%s: was taken for good", ways[i].name);
        }
        assert_int_equal(status.state, JOURNAL_OK);
        assert_true(size_of(&f, ASIDE) == size);
        if (log_size > 0) {
            assert_true(size_of(&f, ASIDE "-wal") == log_size);
        }
        fixture_incidents(&f, text, sizeof text);
        assert_string_equal(text, "journal_replaced - - 0-0 0 closed\n");
        assert_true(STORE(&f, .source = NULL)->seq == 1);
        /* The second one on the same second has a name of its own. */
        fixture_close(&f);
        ways[i].spoil(&f);
        fixture_open(&f);
        if (size_of(&f, "journal-20261120T213801Z-1.db") < 0 &&
            size_of(&f, "journal-20261120T213801Z-1.db-wal") < 0) {
            fail_msg("%s: the second one has no name of its own", ways[i].name);
        }
        assert_true(size_of(&f, ASIDE) == size);
        fixture_deinit(&f);
    }
}

static void test_a_log_never_written(void **state)
{
    struct fixture *f = *state;
    store_rows(f);
    fixture_close(f);
    write_at(f, "journal.db-wal", 0, "");
    cut(f, "journal.db-wal", 4096); /* zeros */
    fixture_open(f);
    assert_true(fixture_status(f).events == 3000);
}

/* As after kill -9: the log was not written back. Its torn end is no damage. */
static void test_killed(void **state)
{
    struct fixture *f = *state;
    char command[512];
    store_rows(f);
    (void)snprintf(command, sizeof command, "cd %s && mkdir k && cp journal.db journal.db-wal k/",
                   f->dir);
    assert_int_equal(system(command), 0);
    struct fixture killed;
    fixture_init(&killed);
    (void)snprintf(command, sizeof command, "mv %s/k/* %s/", f->dir, killed.dir);
    assert_int_equal(system(command), 0);
    int64_t size = size_of(&killed, "journal.db-wal");
    char path[128];
    fixture_path(&killed, "journal.db-wal", path);
    int fd = open(path, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, "torn", 4), 4);
    (void)close(fd);
    assert_true(size > 4096);
    fixture_open(&killed);
    assert_true(fixture_status(&killed).events == 3000);
    assert_true(fixture_status(&killed).last.epoch == FIXTURE_EPOCH);
    fixture_deinit(&killed);
}

static void test_a_newer_version_stays(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    fixture_close(f);
    sql(f, "PRAGMA user_version=99");
    struct journal_settings settings = {.dir = f->dir, .clock = &f->clock, .random = &f->random};
    assert_int_equal(journal_new(&settings, &f->journal, NULL), 0);
    assert_int_equal(journal_open(f->journal, &e), -ENOTSUP);
    assert_non_null(strstr(e.msg, "version 99"));
    assert_int_equal(fixture_status(f).state, JOURNAL_FAILED);
    assert_true(size_of(f, ASIDE) < 0);
    assert_true(size_of(f, "journal.db") > 0);
}

static void test_a_second_receiver(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    struct journal *second = NULL;
    struct journal_settings settings = {.dir = f->dir, .clock = &f->clock, .random = &f->random};
    assert_int_equal(journal_new(&settings, &second, NULL), 0);
    assert_int_equal(journal_open(second, &e), -EBUSY);
    assert_non_null(strstr(e.msg, "another receiver"));
    fixture_close(f);
    assert_int_equal(journal_open(second, &e), 0);
    journal_free(second);
}

/* ---- damage that the start does not see ---- */

static void spoil_page(const struct fixture *f, int64_t page)
{
    for (off_t at = 0; at < 4096; at += 16) {
        write_at(f, "journal.db", (page - 1) * 4096 + at, "garbage garbage ");
    }
}

static void test_damage_found_by_the_check(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    char text[1024];
    store_rows(f);
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_check(f->journal, reader, &e), 0);
    journal_reader_close(reader);
    assert_int_equal(fixture_status(f).state, JOURNAL_OK);
    fixture_close(f);
    spoil_page(f, size_of(f, "journal.db") / 4096 / 2);
    fixture_open(f);
    assert_true(fixture_status(f).events == 3000);
    reader = fixture_reader(f);
    assert_int_equal(journal_check(f->journal, reader, &e), 0);
    journal_reader_close(reader);
    assert_int_equal(fixture_status(f).state, JOURNAL_DAMAGED);
    (void)journal_maintain(f->journal);
    assert_int_equal(fixture_status(f).state, JOURNAL_DAMAGED);
    assert_true(strlen(fixture_status(f).reason) > 0);
    fixture_incidents(f, text, sizeof text);
    assert_string_equal(text, "journal_damaged - - 0-0 0 open\n");
    /* The same again is one incident still. */
    reader = fixture_reader(f);
    assert_int_equal(journal_check(f->journal, reader, &e), 0);
    journal_reader_close(reader);
    (void)journal_maintain(f->journal);
    assert_true(fixture_status(f).incidents_open == 1);
    assert_int_equal(STORE(f, .source = "/machines/z")->outcome, BATCH_STORED);
    assert_int_equal(fixture_status(f).state, JOURNAL_DAMAGED);
}

static void test_damage_met_by_a_write(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    char text[1024];
    store_rows(f);
    fixture_close(f);
    int64_t root = sql_integer(f, "SELECT rootpage FROM sqlite_schema"
                                  " WHERE type = 'index' AND tbl_name = 'events'");
    spoil_page(f, root);
    fixture_open(f);
    batch_reset(&f->batch);
    ADD(f, .source = NULL);
    assert_true(journal_append(f->journal, &f->batch, &e) < 0);
    assert_int_equal(fixture_status(f).state, JOURNAL_FAILED);
    assert_int_equal(f->batch.entries[0].outcome, BATCH_PENDING);
    /* Next time it goes aside, and the events come in again. */
    fixture_reopen(f);
    assert_int_equal(fixture_status(f).state, JOURNAL_OK);
    assert_true(fixture_status(f).events == 0);
    assert_true(size_of(f, ASIDE) > 0);
    fixture_incidents(f, text, sizeof text);
    assert_string_equal(text, "journal_replaced - - 0-0 0 closed\n");
    fixture_reopen(f);
    assert_true(size_of(f, "journal-20261120T213801Z-1.db") < 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_put_aside),
        TEST(test_a_log_never_written),
        TEST(test_killed),
        TEST(test_a_newer_version_stays),
        TEST(test_a_second_receiver),
        TEST(test_damage_found_by_the_check),
        TEST(test_damage_met_by_a_write),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
