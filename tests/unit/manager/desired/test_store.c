#include "manager/desired/store.h"

#include <fcntl.h>
#include <ftw.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define DIGEST "9f2c0011223344556677889900aabbccddeeff00112233445566778899aabbcc"
#define OTHER  "000000112233445566778899aabbccddeeff00112233445566778899aabbccdd"

/* Every test has a folder of its own and a store open in it. */
struct fixture {
    char folder[64];
    struct store *store;
};

static int open_store(void **state)
{
    struct fixture *f = calloc(1, sizeof *f);
    struct err e;

    snprintf(f->folder, sizeof f->folder, "/tmp/test_store.XXXXXX");
    *state = f;
    return mkdtemp(f->folder) && store_open(f->folder, &f->store, &e) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int close_store(void **state)
{
    struct fixture *f = *state;

    store_free(f->store);
    nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static void reopen(struct fixture *f)
{
    struct err e;

    store_free(f->store);
    f->store = NULL;
    assert_int_equal(store_open(f->folder, &f->store, &e), 0);
}

static void assert_file(const struct fixture *f, const char *project, enum store_file file,
                        const char *expected)
{
    AUTO(free) char *text = NULL;
    size_t len = 0;
    struct err e;
    int r = store_read(f->store, project, file, &text, &len, &e);

    if (!expected) {
        assert_int_equal(r, -ENOENT);
        return;
    }
    assert_int_equal(r, 0);
    assert_string_equal(text, expected);
    assert_int_equal(len, strlen(expected));
}

static void remember(struct fixture *f, int64_t revision, const char *digest)
{
    char text[32];
    struct err e;
    int len = snprintf(text, sizeof text, "text of %d", (int)revision);

    assert_int_equal(store_remember(f->store, "line3", revision, digest, text, (size_t)len, &e), 0);
}

static void test_files_are_kept(void **state)
{
    struct fixture *f = *state;
    struct err e;

    for (int file = STORE_DESIRED; file <= STORE_STATE; file++) {
        assert_file(f, "line3", (enum store_file)file, NULL);
        assert_int_equal(store_write(f->store, "line3", (enum store_file)file, "one", 3, &e), 0);
        assert_int_equal(store_write(f->store, "line3", (enum store_file)file, "second", 6, &e), 0);
    }
    reopen(f);
    for (int file = STORE_DESIRED; file <= STORE_STATE; file++)
        assert_file(f, "line3", (enum store_file)file, "second");
    assert_file(f, "line4", STORE_DESIRED, NULL);
}

static void test_only_the_owner_reads_them(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];
    struct stat st;
    struct err e;

    assert_int_equal(store_write(f->store, "line3", STORE_DESIRED, "one", 3, &e), 0);
    snprintf(path, sizeof path, "%s/projects/line3/desired.json", f->folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    snprintf(path, sizeof path, "%s/projects", f->folder);
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
}

static void test_projects_do_not_lead_out_of_the_folder(void **state)
{
    static const char *const names[] = {"",     ".",  "..", "../x", "a/b",
                                        "Line", "-a", "_a", "a b",  "\xc3\xa4"};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        AUTO(free) char *text = NULL;
        size_t len;
        struct err e;

        assert_int_equal(store_write(f->store, names[i], STORE_DESIRED, "x", 1, &e), -EINVAL);
        assert_int_equal(store_read(f->store, names[i], STORE_DESIRED, &text, &len, &e), -EINVAL);
        assert_int_equal(store_forget(f->store, names[i], &e), -EINVAL);
    }
}

static void test_a_second_manager_is_refused(void **state)
{
    struct fixture *f = *state;
    struct store *second = NULL;
    struct err e;

    assert_int_equal(store_open(f->folder, &second, &e), -EBUSY);
    assert_non_null(strstr(e.msg, f->folder));
    assert_null(second);
}

static void test_history_is_newest_first(void **state)
{
    struct fixture *f = *state;
    AUTO(free) struct store_entry *entries = NULL;
    size_t count = 99;
    struct err e;

    assert_int_equal(store_history(f->store, "line3", &entries, &count, &e), 0);
    assert_int_equal(count, 0);
    remember(f, 7, DIGEST);
    remember(f, 5, DIGEST); /* of another topic */
    remember(f, 9, OTHER);
    free(entries);
    assert_int_equal(store_history(f->store, "line3", &entries, &count, &e), 0);
    assert_int_equal(count, 3);
    assert_int_equal(entries[0].revision, 9);
    assert_string_equal(entries[0].digest, "000000112233");
    assert_int_equal(entries[1].revision, 5);
    assert_int_equal(entries[2].revision, 7);
    assert_true(entries[0].taken_us > entries[1].taken_us);
}

static void test_history_keeps_the_last_ten(void **state)
{
    struct fixture *f = *state;
    AUTO(free) struct store_entry *entries = NULL;
    AUTO(free) char *text = NULL;
    size_t count = 0;
    size_t len;
    struct err e;

    for (int64_t revision = 1; revision <= 25; revision++)
        remember(f, revision, DIGEST);
    remember(f, 20, DIGEST); /* again: it is the newest now */
    assert_int_equal(store_history(f->store, "line3", &entries, &count, &e), 0);
    assert_int_equal(count, STORE_HISTORY);
    assert_int_equal(entries[0].revision, 20);
    assert_int_equal(entries[1].revision, 25);
    assert_int_equal(entries[9].revision, 16);
    assert_int_equal(store_read_history(f->store, "line3", 25, NULL, &text, &len, &e), 0);
    assert_string_equal(text, "text of 25");
    assert_int_equal(store_read_history(f->store, "line3", 15, NULL, &text, &len, &e), -ENOENT);
}

/* A clock that was ahead must not make what is taken now the oldest. */
static void test_history_goes_on_when_the_clock_goes_back(void **state)
{
    const struct timespec ahead[] = {{.tv_sec = 4000000000}, {.tv_sec = 4000000000}};
    struct fixture *f = *state;
    AUTO(free) struct store_entry *entries = NULL;
    char path[PATH_MAX];
    size_t count = 0;
    struct err e;

    remember(f, 1, DIGEST);
    snprintf(path, sizeof path, "%s/projects/line3/history/1-9f2c00112233.json", f->folder);
    assert_int_equal(utimensat(AT_FDCWD, path, ahead, 0), 0);
    remember(f, 2, DIGEST);
    assert_int_equal(store_history(f->store, "line3", &entries, &count, &e), 0);
    assert_int_equal(count, 2);
    assert_int_equal(entries[0].revision, 2);
}

static void test_history_tells_contents_of_one_revision_apart(void **state)
{
    struct fixture *f = *state;
    AUTO(free) char *text = NULL;
    size_t len;
    struct err e;

    assert_int_equal(store_remember(f->store, "line3", 4, DIGEST, "one", 3, &e), 0);
    assert_int_equal(store_remember(f->store, "line3", 4, OTHER, "two", 3, &e), 0);
    assert_int_equal(store_read_history(f->store, "line3", 4, NULL, &text, &len, &e), 0);
    assert_string_equal(text, "two");
    free(text);
    assert_int_equal(store_read_history(f->store, "line3", 4, DIGEST, &text, &len, &e), 0);
    assert_string_equal(text, "one");
    assert_int_equal(store_read_history(f->store, "line3", 4, "ffffffffffff", &text, &len, &e),
                     -ENOENT);
}

static void test_what_a_power_cut_left_is_removed(void **state)
{
    static const char *const left[] = {"projects/line3/desired.json.0123456789abcdef.tmp",
                                       "projects/line3/history/1-9f2c00112233.json.00.tmp",
                                       "session.0123456789abcdef.tmp"};
    struct fixture *f = *state;
    char path[PATH_MAX];

    remember(f, 1, DIGEST);
    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        FILE *file;

        snprintf(path, sizeof path, "%s/%s", f->folder, left[i]);
        file = fopen(path, "w");
        assert_non_null(file);
        fclose(file);
    }
    reopen(f);
    for (size_t i = 0; i < ARRAY_SIZE(left); i++) {
        snprintf(path, sizeof path, "%s/%s", f->folder, left[i]);
        assert_int_equal(access(path, F_OK), -1);
    }
}

static void test_projects_are_listed_and_forgotten(void **state)
{
    struct fixture *f = *state;
    char **names = NULL;
    struct err e;

    assert_int_equal(store_write(f->store, "line4", STORE_STATE, "x", 1, &e), 0);
    remember(f, 1, DIGEST);
    assert_int_equal(store_write(f->store, "line3", STORE_DESIRED, "x", 1, &e), 0);
    assert_int_equal(store_projects(f->store, &names, &e), 0);
    assert_string_equal(names[0], "line3");
    assert_string_equal(names[1], "line4");
    assert_null(names[2]);
    for (size_t i = 0; names[i]; i++)
        free(names[i]);
    free(names);
    assert_int_equal(store_forget(f->store, "line3", &e), 0);
    assert_int_equal(store_forget(f->store, "line3", &e), 0); /* again: nothing to do */
    assert_file(f, "line3", STORE_DESIRED, NULL);
    assert_int_equal(store_projects(f->store, &names, &e), 0);
    assert_string_equal(names[0], "line4");
    assert_null(names[1]);
    free(names[0]);
    free(names);
}

static void test_sessions_go_up(void **state)
{
    struct fixture *f = *state;
    int64_t session = 0;
    struct err e;

    for (int64_t expected = 1; expected < 4; expected++) {
        assert_int_equal(store_next_session(f->store, &session, &e), 0);
        assert_int_equal(session, expected);
        reopen(f);
    }
}

static void test_a_spoilt_session_is_not_begun_anew(void **state)
{
    struct fixture *f = *state;
    char path[PATH_MAX];
    int64_t session = 77;
    FILE *file;
    struct err e;

    snprintf(path, sizeof path, "%s/session", f->folder);
    file = fopen(path, "w");
    assert_non_null(file);
    fputs("twelve\n", file);
    fclose(file);
    assert_int_equal(store_next_session(f->store, &session, &e), -EINVAL);
    assert_non_null(strstr(e.msg, path));
    assert_int_equal(session, 77);
}

#define STORE_TEST(test) cmocka_unit_test_setup_teardown(test, open_store, close_store)

int main(void)
{
    const struct CMUnitTest tests[] = {
        STORE_TEST(test_files_are_kept),
        STORE_TEST(test_only_the_owner_reads_them),
        STORE_TEST(test_projects_do_not_lead_out_of_the_folder),
        STORE_TEST(test_a_second_manager_is_refused),
        STORE_TEST(test_history_is_newest_first),
        STORE_TEST(test_history_keeps_the_last_ten),
        STORE_TEST(test_history_goes_on_when_the_clock_goes_back),
        STORE_TEST(test_history_tells_contents_of_one_revision_apart),
        STORE_TEST(test_what_a_power_cut_left_is_removed),
        STORE_TEST(test_projects_are_listed_and_forgotten),
        STORE_TEST(test_sessions_go_up),
        STORE_TEST(test_a_spoilt_session_is_not_begun_anew),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
