#include "common/base/file.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/random.h"
#include "common/base/str.h"

#define SECRET_MAX (sizeof((struct secret *)NULL)->value - 1)

static void close_cleanup(const int *fd)
{
    if (*fd >= 0) {
        close(*fd);
    }
}

static int fail_errno(struct err *e, const char *verb, const char *path)
{
    int code = errno;
    return err_set(e, code, "cannot %s %s: %s", verb, path, strerror(code));
}

static ssize_t read_some(int fd, void *out, size_t size)
{
    ssize_t got;
    do {
        got = read(fd, out, size);
    } while (got < 0 && errno == EINTR);
    return got;
}

int file_read(const char *path, struct buf *out, struct err *e)
{
    AUTO(close) int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return fail_errno(e, "read", path);
    }
    char chunk[16384];
    for (;;) {
        ssize_t got = read_some(fd, chunk, sizeof chunk);
        if (got < 0) {
            return fail_errno(e, "read", path);
        }
        bool fits = (size_t)got <= out->max - out->len;
        buf_append(out, chunk, (size_t)got); /* an empty file too leaves text behind: "" */
        if (buf_failed(out)) {
            return fits ? FAIL(e, ENOMEM, "cannot read %s: out of memory", path)
                        : FAIL(e, EFBIG, "%s is larger than %zu bytes", path, out->max);
        }
        if (got == 0) {
            return 0;
        }
    }
}

static int write_all(int fd, const char *bytes, size_t len)
{
    while (len > 0) {
        ssize_t written = write(fd, bytes, len);
        if (written < 0 && errno != EINTR) {
            return -errno;
        }
        if (written > 0) {
            bytes += written;
            len -= (size_t)written;
        }
    }
    return 0;
}

/* An entry is durable only once its folder is. */
static int sync_folder_of(const char *path, struct err *e)
{
    char folder[PATH_MAX];
    const char *slash = strrchr(path, '/');
    if (slash == NULL) {
        memcpy(folder, ".", 2);
    } else {
        size_t len = slash == path ? 1 : (size_t)(slash - path);
        if (!str_copy_n(folder, sizeof folder, path, len)) {
            return FAIL(e, ENAMETOOLONG, "cannot write %s: the path is too long", path);
        }
    }
    AUTO(close) int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0 || fsync(fd) < 0) {
        return fail_errno(e, "sync the folder", folder);
    }
    return 0;
}

static int write_and_sync(int fd, const void *bytes, size_t len, unsigned mode)
{
    /* fchmod: open() takes the umask off. */
    if (fchmod(fd, (mode_t)mode) < 0) {
        return -errno;
    }
    int r = write_all(fd, bytes, len);
    return r < 0 ? r : (fsync(fd) < 0 ? -errno : 0);
}

int file_write_atomic(const char *path, const void *bytes, size_t len, unsigned mode, struct err *e)
{
    char beside[PATH_MAX];
    int named = snprintf(beside, sizeof beside, "%s.%016" PRIx64 ".tmp", path, random_u64());
    if (named < 0 || named >= (int)sizeof beside) {
        return FAIL(e, ENAMETOOLONG, "cannot write %s: the path is too long", path);
    }
    int fd = open(beside, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0) {
        return fail_errno(e, "write", path);
    }
    int r = write_and_sync(fd, bytes, len, mode);
    if (close(fd) < 0 && r == 0) {
        r = -errno;
    }
    if (r == 0 && rename(beside, path) < 0) {
        r = -errno;
    }
    if (r < 0) {
        unlink(beside);
        errno = -r;
        return fail_errno(e, "write", path);
    }
    return sync_folder_of(path, e);
}

int file_make_dirs(const char *path, struct err *e)
{
    char part[PATH_MAX];
    if (!str_copy(part, sizeof part, path) || part[0] == '\0') {
        return FAIL(e, EINVAL, "cannot make the folder \"%s\": the path is empty or too long",
                    path);
    }
    for (char *slash = part + 1;; slash++) {
        slash += strcspn(slash, "/");
        char end = *slash;
        *slash = '\0';
        struct stat st;
        if (mkdir(part, 0755) < 0 && (errno != EEXIST || stat(part, &st) < 0)) {
            return fail_errno(e, "make the folder", part);
        }
        if (stat(part, &st) == 0 && !S_ISDIR(st.st_mode)) {
            errno = ENOTDIR;
            return fail_errno(e, "make the folder", part);
        }
        if (end == '\0') {
            return 0;
        }
        *slash = end;
    }
}

int file_lock(const char *path, int *ret_fd, struct err *e)
{
    AUTO(close) int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (fd < 0) {
        return fail_errno(e, "open", path);
    }
    if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
        return errno == EWOULDBLOCK ? FAIL(e, EBUSY, "%s is locked by another process", path)
                                    : fail_errno(e, "lock", path);
    }
    *ret_fd = fd;
    fd = -1;
    return 0;
}

/* Reads a whole secret without its newline into `value`; nothing of it goes into messages. */
static int read_secret(int fd, const char *path, char value[static SECRET_MAX + 3], size_t *ret_len,
                       struct err *e)
{
    size_t len = 0;
    for (;;) {
        ssize_t got = read_some(fd, value + len, SECRET_MAX + 3 - len);
        if (got < 0) {
            return fail_errno(e, "read", path);
        }
        if (got == 0) {
            break;
        }
        len += (size_t)got;
    }
    if (len > 0 && value[len - 1] == '\n') {
        len -= len > 1 && value[len - 2] == '\r' ? 2 : 1;
    }
    if (len > SECRET_MAX) {
        return FAIL(e, EFBIG, "%s holds more than %zu bytes", path, SECRET_MAX);
    }
    if (len == 0 || memchr(value, '\0', len) != NULL) {
        return FAIL(e, EINVAL, "%s %s", path, len == 0 ? "is empty" : "holds a NUL byte");
    }
    *ret_len = len;
    return 0;
}

/* A file written again within its time stamp's grain looks unchanged: what was written just before
 * it was read is not remembered as read. */
static bool is_settled(const struct stat *st)
{
    int64_t mtime_us = (int64_t)st->st_mtim.tv_sec * 1000000 + st->st_mtim.tv_nsec / 1000;
    int64_t age_us = clock_wall_us() - mtime_us;
    return age_us < 0 || age_us > 1000000;
}

int secret_refresh(struct secret *s, struct err *e)
{
    AUTO(close) int fd = open(s->path, O_RDONLY | O_CLOEXEC);
    struct stat st;
    if (fd < 0 || fstat(fd, &st) < 0) {
        return fail_errno(e, "read", s->path);
    }
    if (s->len > 0 && s->inode == (int64_t)st.st_ino && s->mtime.tv_sec == st.st_mtim.tv_sec &&
        s->mtime.tv_nsec == st.st_mtim.tv_nsec) {
        return 0;
    }
    char value[SECRET_MAX + 3]; /* "\r\n", and one byte to see that it is too long */
    size_t len = 0;
    int r = read_secret(fd, s->path, value, &len, e);
    if (r == 0) {
        r = len == s->len && memcmp(value, s->value, len) == 0 ? 0 : 1;
        memcpy(s->value, value, len);
        s->value[len] = '\0';
        s->len = len;
        s->mtime = st.st_mtim;
        s->inode = is_settled(&st) ? (int64_t)st.st_ino : 0;
    }
    explicit_bzero(value, sizeof value);
    return r;
}
