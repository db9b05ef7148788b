#include "common/base/file.h"

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

/* Every test works in a folder of its own, which is the working directory meanwhile. */
static int enter_folder(void **state)
{
    static char folder[PATH_MAX];
    snprintf(folder, sizeof folder, "/tmp/test_file.XXXXXX");
    *state = mkdtemp(folder);
    return *state != NULL && chdir(folder) == 0 ? 0 : -1;
}

static void remove_all(const char *path)
{
    DIR *dir = opendir(path);
    for (struct dirent *entry; dir != NULL && (entry = readdir(dir)) != NULL;) {
        char inside[PATH_MAX];
        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0 &&
            snprintf(inside, sizeof inside, "%s/%s", path, entry->d_name) < (int)sizeof inside) {
            remove_all(inside);
        }
    }
    if (dir != NULL) {
        closedir(dir);
    }
    remove(path);
}

static int leave_folder(void **state)
{
    int r = chdir("/");
    remove_all(*state);
    return r;
}

static void write_file(const char *path, const void *bytes, size_t len)
{
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    assert_int_equal(fwrite(bytes, 1, len, file), len);
    assert_int_equal(fclose(file), 0);
}

static void assert_content(const char *path, const void *bytes, size_t len)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(1 << 20);
    struct err e;
    assert_int_equal(file_read(path, &b, &e), 0);
    assert_int_equal(b.len, len);
    assert_memory_equal(b.data, bytes, len);
}

static int count_entries(void)
{
    int count = 0;
    DIR *dir = opendir(".");
    assert_non_null(dir);
    while (readdir(dir) != NULL) {
        count++;
    }
    closedir(dir);
    return count - 2;
}

static void test_read_is_bounded(void **state)
{
    static char bytes[50000];
    (void)state;
    memset(bytes, 'x', sizeof bytes);
    bytes[100] = '\0';
    write_file("f", bytes, sizeof bytes);
    assert_content("f", bytes, sizeof bytes);
    write_file("empty", "", 0);
    assert_content("empty", "", 0);

    AUTO(buf_deinit) struct buf exact = BUF_INIT(sizeof bytes);
    AUTO(buf_deinit) struct buf small = BUF_INIT(sizeof bytes - 1);
    struct err e;
    assert_int_equal(file_read("f", &exact, &e), 0);
    assert_int_equal(file_read("f", &small, &e), -EFBIG);
    assert_string_equal(e.msg, "f is larger than 49999 bytes");
}

static void test_read_says_what_failed(void **state)
{
    AUTO(buf_deinit) struct buf b = BUF_INIT(100);
    struct err e;
    (void)state;
    assert_int_equal(file_read("missing", &b, &e), -ENOENT);
    assert_string_equal(e.msg, "cannot read missing: No such file or directory");
    assert_int_equal(file_read(".", &b, &e), -EISDIR);
}

static void test_write_replaces_with_mode(void **state)
{
    struct err e;
    struct stat st;
    (void)state;
    mode_t before = umask(077);
    assert_int_equal(file_write_atomic("f", "first", 5, 0644, &e), 0);
    umask(before);
    assert_content("f", "first", 5);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_mode & 07777, 0644);
    assert_int_equal(file_write_atomic("./f", "", 0, 0600, &e), 0);
    assert_int_equal(stat("f", &st), 0);
    assert_int_equal(st.st_size, 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(count_entries(), 1);
}

static void test_failed_write_leaves_the_old_file_alone(void **state)
{
    struct err e;
    (void)state;
    assert_int_equal(mkdir("target", 0755), 0);
    write_file("target/inside", "x", 1); /* rename over a folder that is not empty fails */
    assert_true(file_write_atomic("target", "new", 3, 0644, &e) < 0);
    assert_content("target/inside", "x", 1);
    assert_int_equal(count_entries(), 1);
    assert_int_equal(file_write_atomic("missing/f", "new", 3, 0644, &e), -ENOENT);
    assert_string_equal(e.msg, "cannot write missing/f: No such file or directory");
}

static void test_make_dirs(void **state)
{
    struct err e;
    struct stat st;
    (void)state;
    assert_int_equal(file_make_dirs("a/b//c/", &e), 0);
    assert_int_equal(stat("a/b/c", &st), 0);
    assert_true(S_ISDIR(st.st_mode));
    assert_int_equal(file_make_dirs("a/b/c", &e), 0);
    assert_int_equal(file_make_dirs("/", &e), 0);
    assert_int_equal(symlink("a/b", "link"), 0);
    assert_int_equal(file_make_dirs("link/d", &e), 0);
    assert_int_equal(stat("a/b/d", &st), 0);

    write_file("f", "", 0);
    assert_int_equal(file_make_dirs("f", &e), -ENOTDIR);
    assert_int_equal(file_make_dirs("f/g", &e), -ENOTDIR);
    assert_string_equal(e.msg, "cannot make the folder f: Not a directory");
    assert_int_equal(file_make_dirs("", &e), -EINVAL);
}

static int lock_in_child(const char *path)
{
    pid_t child = fork();
    if (child == 0) {
        int fd;
        struct err e;
        _exit(-file_lock(path, &fd, &e));
    }
    int status = -1;
    assert_int_equal(waitpid(child, &status, 0), child);
    return WEXITSTATUS(status);
}

static void test_lock_excludes_until_close(void **state)
{
    struct err e;
    int fd = -1;
    (void)state;
    assert_int_equal(file_lock("lock", &fd, &e), 0);
    assert_int_equal(lock_in_child("lock"), EBUSY);
    close(fd);
    assert_int_equal(lock_in_child("lock"), 0);
    assert_int_equal(file_lock("missing/lock", &fd, &e), -ENOENT);
}

static void set_mtime(const char *path, time_t seconds)
{
    const struct timespec times[2] = {{.tv_sec = seconds}, {.tv_sec = seconds}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
}

static void test_secret_follows_its_file(void **state)
{
    struct secret s = {.path = "secret"};
    struct err e;
    (void)state;
    assert_int_equal(secret_refresh(&s, &e), -ENOENT);
    write_file("secret", "one\n", 4);
    set_mtime("secret", 1000000);
    assert_int_equal(secret_refresh(&s, &e), 1);
    assert_string_equal(s.value, "one");
    assert_int_equal(s.len, 3);
    assert_int_equal(secret_refresh(&s, &e), 0);

    write_file("secret", "two\r\n", 5);
    set_mtime("secret", 1000001);
    assert_int_equal(secret_refresh(&s, &e), 1);
    assert_string_equal(s.value, "two");

    set_mtime("secret", 1000002);
    assert_int_equal(secret_refresh(&s, &e), 0); /* touched, the same value */

    write_file("next", "three", 5);
    set_mtime("next", 1000002);
    assert_int_equal(rename("next", "secret"), 0); /* the same time, another file */
    assert_int_equal(secret_refresh(&s, &e), 1);
    assert_string_equal(s.value, "three");

    assert_int_equal(unlink("secret"), 0);
    assert_int_equal(secret_refresh(&s, &e), -ENOENT);
    assert_string_equal(s.value, "three");
}

static void test_secret_written_twice_within_the_clocks_grain(void **state)
{
    struct secret s = {.path = "secret"};
    struct stat st;
    struct err e;
    (void)state;
    write_file("secret", "one", 3);
    assert_int_equal(stat("secret", &st), 0);
    assert_int_equal(secret_refresh(&s, &e), 1);
    write_file("secret", "two", 3);
    const struct timespec times[2] = {st.st_mtim, st.st_mtim};
    assert_int_equal(utimensat(AT_FDCWD, "secret", times, 0), 0);
    assert_int_equal(secret_refresh(&s, &e), 1);
    assert_string_equal(s.value, "two");
}

static void test_secret_refuses_what_cannot_be_one(void **state)
{
    static char longest[4099];
    static const struct {
        const char *bytes;
        size_t len;
        int result;
    } cases[] = {
        {longest, 4096, 1},   {longest, 4097, -EFBIG}, {longest, 4099, -EFBIG},
        {"", 0, -EINVAL},     {"\n", 1, -EINVAL},      {"\r\n", 2, -EINVAL},
        {"a\0b", 3, -EINVAL}, {" a b \n", 6, 1},       {"a\n\n", 3, 1},
    };
    (void)state;
    memset(longest, 'x', sizeof longest);
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct secret s = {.path = "secret"};
        struct err e = {0};
        write_file("secret", cases[i].bytes, cases[i].len);
        assert_int_equal(secret_refresh(&s, &e), cases[i].result);
        assert_null(strstr(e.msg, "xxx")); /* never a part of the secret */
    }
    struct secret s = {.path = "secret"};
    struct err e;
    longest[4096] = '\r';
    longest[4097] = '\n';
    write_file("secret", longest, 4098);
    assert_int_equal(secret_refresh(&s, &e), 1);
    assert_int_equal(s.len, 4096);
}

#define in_folder(test) cmocka_unit_test_setup_teardown(test, enter_folder, leave_folder)

int main(void)
{
    const struct CMUnitTest tests[] = {
        in_folder(test_read_is_bounded),
        in_folder(test_read_says_what_failed),
        in_folder(test_write_replaces_with_mode),
        in_folder(test_failed_write_leaves_the_old_file_alone),
        in_folder(test_make_dirs),
        in_folder(test_lock_excludes_until_close),
        in_folder(test_secret_follows_its_file),
        in_folder(test_secret_written_twice_within_the_clocks_grain),
        in_folder(test_secret_refuses_what_cannot_be_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
