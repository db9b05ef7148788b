#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/*
 * A disk that is full, read-only, or both at start. A limit on the size of files makes writes fail
 * anywhere; a small file system of its own needs the right to mount and is left out without it.
 */

static void limit_files(int64_t bytes)
{
    struct rlimit limit;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &limit), 0);
    limit.rlim_cur = bytes < 0 ? limit.rlim_max : (rlim_t)bytes;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static void add_many(struct fixture *f, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        ADD(f, .bootid = "b", .sequence = f->ids + 1, .source = i % 2 ? NULL : "/machines/new");
    }
}

struct tally {
    uint64_t rows, last;
};

static int count(void *context, const struct record *record)
{
    struct tally *tally = context;
    assert_true(record->seq == tally->last + 1);
    tally->last = record->seq;
    tally->rows++;
    return 0;
}

/* Every row is there, in order, without a hole. */
static void expect_rows(struct fixture *f, uint64_t rows)
{
    struct query query;
    struct journal_page page;
    struct tally tally = {0};
    struct journal_reader *reader = fixture_reader(f);
    query_init(&query);
    query.ascending = true;
    query.limit = 1000000;
    assert_int_equal(journal_read(reader, &query, count, &tally, &page, NULL), 0);
    journal_reader_close(reader);
    assert_true(tally.rows == rows);
    assert_true(fixture_status(f).events == rows);
}

static void expect_pending(const struct fixture *f)
{
    for (size_t i = 0; i < f->batch.count; i++) {
        assert_int_equal(f->batch.entries[i].outcome, BATCH_PENDING);
        assert_true(f->batch.entries[i].seq == 0);
    }
}

static void test_no_space(void **state)
{
    struct fixture *f = *state;
    struct err e = {0};
    static char text[128 * 1024];
    add_many(f, 10);
    fixture_append(f);
    struct journal_status before = fixture_status(f);

    batch_reset(&f->batch);
    add_many(f, 1000);
    limit_files(64 * 1024);
    int failed = journal_append(f->journal, &f->batch, &e);
    struct journal_status during = fixture_status(f);
    int again = journal_append(f->journal, &f->batch, &e);
    int maintained = journal_maintain(f->journal);
    /* A page fits, a batch would not: that is full still. */
    char log[128];
    struct stat st;
    fixture_path(f, "journal.db-wal", log);
    assert_int_equal(stat(log, &st), 0);
    limit_files(st.st_size + 128 * 1024);
    int probed = journal_probe(f->journal, &e);
    struct journal_status after = fixture_status(f);
    limit_files(-1);

    if (failed != -ENOSPC) {
        fail_msg("%d: %s", failed, e.msg);
    }
    assert_int_equal(again, -ENOSPC);
    assert_int_equal(maintained, 0);
    assert_int_equal(probed, -ENOSPC);
    assert_int_equal(after.state, JOURNAL_FULL);
    assert_int_equal(during.state, JOURNAL_FULL);
    assert_true(strlen(during.reason) > 0);
    assert_true(during.is_open && during.last.seq == before.last.seq);
    expect_pending(f);
    expect_rows(f, 10);

    f->now_us += 1000000;
    assert_int_equal(journal_probe(f->journal, &e), 0);
    assert_int_equal(fixture_status(f).state, JOURNAL_OK);
    fixture_incidents(f, text, sizeof text);
    assert_memory_equal(text, "journal_failed - - 0-0 0 closed\n", 32);
    fixture_append(f);
    assert_true(f->batch.entries[0].seq == 11);
    expect_rows(f, 1010);
    /* Two sources share the numbers: each misses the other's, and none was counted twice. */
    assert_true(fixture_status(f).missing == 2 * 504);
    fixture_reopen(f);
    expect_rows(f, 1010);
}

static void test_no_space_at_start(void **state)
{
    struct fixture f;
    struct err e = {0};
    char path[128];
    (void)state;
    fixture_init(&f);
    struct journal_settings settings = {.dir = f.dir, .clock = &f.clock, .random = &f.random};
    assert_int_equal(journal_new(&settings, &f.journal, NULL), 0);
    limit_files(8192);
    int first = journal_open(f.journal, &e);
    int second = journal_open(f.journal, &e);
    limit_files(-1);
    assert_int_equal(first, -ENOSPC);
    assert_int_equal(second, -ENOSPC);
    assert_int_equal(fixture_status(&f).state, JOURNAL_FULL);
    assert_false(fixture_status(&f).is_open);
    assert_int_equal(journal_open(f.journal, &e), 0);
    assert_int_equal(fixture_status(&f).state, JOURNAL_OK);
    fixture_path(&f, "journal-20261120T213801Z.db", path);
    assert_int_not_equal(access(path, F_OK), 0);
    char text[256];
    fixture_incidents(&f, text, sizeof text);
    assert_string_equal(text, "journal_failed - - 0-0 0 closed\n");
    fixture_deinit(&f);
}

/* ---- a file system of its own ---- */

static bool mount_small(struct fixture *f)
{
    fixture_init(f);
    if (mount("tmpfs", f->dir, "tmpfs", 0, "size=24m") < 0) {
        fixture_deinit(f);
        return false;
    }
    return true;
}

static void remount(struct fixture *f, unsigned long flags)
{
    assert_int_equal(mount("tmpfs", f->dir, "tmpfs", MS_REMOUNT | flags, "size=24m"), 0);
}

static void unmount(struct fixture *f)
{
    fixture_close(f);
    assert_int_equal(umount(f->dir), 0);
    fixture_deinit(f);
}

/* Takes all but `spare` bytes. */
static void fill(struct fixture *f, size_t spare)
{
    static char block[4096];
    char path[128];
    fixture_path(f, "filler", path);
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(fd >= 0);
    off_t size = 0;
    while (write(fd, block, sizeof block) == (ssize_t)sizeof block) {
        size += (off_t)sizeof block;
    }
    assert_int_equal(ftruncate(fd, size - (off_t)spare), 0);
    (void)close(fd);
}

static void empty(struct fixture *f)
{
    char path[128];
    fixture_path(f, "filler", path);
    assert_int_equal(unlink(path), 0);
}

static void test_a_full_file_system(void **state)
{
    struct fixture f;
    struct err e = {0};
    uint64_t rows = 0;
    int r = 0;
    (void)state;
    if (!mount_small(&f)) {
        skip();
    }
    fixture_open(&f);
    fill(&f, 1000000);
    while (r == 0) {
        batch_reset(&f.batch);
        add_many(&f, 100);
        r = journal_append(f.journal, &f.batch, &e);
        rows += r == 0 ? 100 : 0;
    }
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(fixture_status(&f).state, JOURNAL_FULL);
    assert_true(rows > 100);
    expect_rows(&f, rows);
    /* A page fits, a batch would not: it stays full. */
    fill(&f, 64 * 1024);
    assert_int_equal(journal_probe(f.journal, &e), -ENOSPC);
    assert_int_equal(fixture_status(&f).state, JOURNAL_FULL);
    empty(&f);
    assert_int_equal(journal_probe(f.journal, &e), 0);
    fixture_append(&f);
    expect_rows(&f, rows + 100);
    fixture_reopen(&f);
    expect_rows(&f, rows + 100);
    unmount(&f);
}

/* Killed while full: what was stored is there, and nothing else. */
static void test_full_at_start_with_rows(void **state)
{
    struct fixture f;
    struct err e = {0};
    (void)state;
    if (!mount_small(&f)) {
        skip();
    }
    fixture_open(&f);
    add_many(&f, 100);
    fixture_append(&f);
    fixture_close(&f);
    fill(&f, 0);
    struct journal_settings settings = {.dir = f.dir, .clock = &f.clock, .random = &f.random};
    assert_int_equal(journal_new(&settings, &f.journal, NULL), 0);
    int r = journal_open(f.journal, &e);
    if (r == 0) {
        batch_reset(&f.batch);
        add_many(&f, 1000);
        r = journal_append(f.journal, &f.batch, &e);
    }
    assert_int_equal(r, -ENOSPC);
    assert_int_equal(fixture_status(&f).state, JOURNAL_FULL);
    empty(&f);
    if (!fixture_status(&f).is_open) {
        assert_int_equal(journal_open(f.journal, &e), 0);
    }
    expect_rows(&f, 100);
    unmount(&f);
}

static void test_read_only(void **state)
{
    struct fixture f;
    struct err e = {0};
    (void)state;
    if (!mount_small(&f)) {
        skip();
    }
    fixture_open(&f);
    add_many(&f, 10);
    fixture_append(&f);
    fixture_close(&f);
    remount(&f, MS_RDONLY);
    struct journal_settings settings = {.dir = f.dir, .clock = &f.clock, .random = &f.random};
    assert_int_equal(journal_new(&settings, &f.journal, NULL), 0);
    assert_int_equal(journal_open(f.journal, &e), -EROFS);
    assert_int_equal(fixture_status(&f).state, JOURNAL_READONLY);
    remount(&f, 0);
    assert_int_equal(journal_open(f.journal, &e), 0);
    expect_rows(&f, 10);
    unmount(&f);
}

int main(void)
{
    (void)signal(SIGXFSZ, SIG_IGN); /* as the receiver does */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_no_space, fixture_setup, fixture_teardown),
        cmocka_unit_test(test_no_space_at_start),
        cmocka_unit_test(test_a_full_file_system),
        cmocka_unit_test(test_full_at_start_with_rows),
        cmocka_unit_test(test_read_only),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
