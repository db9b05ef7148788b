#include "receiver/journal/sqlite_open.h"

#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/log.h"
#include "receiver/journal/schema.h"

#define MARK_FILE "journal.damaged"

/*
 * synchronous=FULL: in WAL mode NORMAL may lose the last commits at a power cut, and what is
 * acknowledged would be gone. The log is written back each 8,192 pages (32 MiB): more saves little,
 * and reading it after a kill -9 counts into the start. A longer one (a reader held it up) is cut.
 */
static const char pragmas[] = "PRAGMA synchronous=FULL;"
                              "PRAGMA wal_autocheckpoint=8192;"
                              "PRAGMA journal_size_limit=67108864;"
                              "PRAGMA cache_size=-16384;"
                              "PRAGMA temp_store=MEMORY;"
                              "PRAGMA foreign_keys=OFF;"
                              "PRAGMA trusted_schema=OFF";

/* Another program that reads the file may hold it for a moment. */
#define BUSY_MS 2000

static const char *const suffixes[] = {"", "-wal", "-shm"};

struct paths {
    char dir[PATH_MAX];
    char db[PATH_MAX];
    char wal[PATH_MAX];
    char mark[PATH_MAX];
};

static int join(char *path, const char *dir, const char *name, const char *suffix, struct err *e)
{
    int n = snprintf(path, PATH_MAX, "%s/%s%s", dir, name, suffix);
    return n > 0 && n < PATH_MAX ? 0 : FAIL(e, ENAMETOOLONG, "%s: the path is too long", dir);
}

static int paths_init(struct paths *paths, const char *dir, struct err *e)
{
    (void)snprintf(paths->dir, sizeof paths->dir, "%s", dir);
    int r = join(paths->db, dir, JOURNAL_FILE, "", e);
    if (r == 0) {
        r = join(paths->wal, dir, JOURNAL_FILE, "-wal", e);
    }
    return r < 0 ? r : join(paths->mark, dir, MARK_FILE, "", e);
}

/* -1 where there is no such file. */
static int64_t file_size(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? (int64_t)st.st_size : -1;
}

static uint32_t big_endian(const unsigned char *at)
{
    return (uint32_t)at[0] << 24 | (uint32_t)at[1] << 16 | (uint32_t)at[2] << 8 | at[3];
}

/*
 * sqlite.org/fileformat2.html section 4.1. SQLite takes a log with a bad header for empty and
 * writes over it; what it held was acknowledged. All zeros is a log that never got its first sync.
 */
static bool wal_header_is_bad(const char *path)
{
    unsigned char header[32] = {0};
    static const unsigned char zeros[sizeof header];
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return false;
    }
    ssize_t n = read(fd, header, sizeof header);
    (void)close(fd);
    if (n <= 0 || memcmp(header, zeros, sizeof header) == 0) {
        return false;
    }
    return n < (ssize_t)sizeof header || (big_endian(header) | 1) != 0x377f0683 ||
           big_endian(header + 4) != 3007000;
}

/* What is wrong before SQLite even looks, NULL if nothing is. */
static const char *outer_fault(const struct paths *paths)
{
    int64_t db = file_size(paths->db), wal = file_size(paths->wal);
    if (access(paths->mark, F_OK) == 0) {
        return "a write met damage in it";
    }
    if (db == 0) {
        return "it is empty";
    }
    if (db < 0 && wal > 0) {
        return "it is missing, its write-ahead log is there";
    }
    return wal_header_is_bad(paths->wal) ? "its write-ahead log is bad" : NULL;
}

/* True where any of the three files of that name is there. */
static bool is_taken(const struct paths *paths, const char *name)
{
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        char path[PATH_MAX], ending[16];
        (void)snprintf(ending, sizeof ending, ".db%s", suffixes[i]);
        if (join(path, paths->dir, name, ending, NULL) == 0 && access(path, F_OK) == 0) {
            return true;
        }
    }
    return false;
}

/* "journal-20261121T140000Z", with a number behind where that is taken. */
static int aside_name(const struct paths *paths, const struct clock *clock, char name[64],
                      struct err *e)
{
    char time[CLOCK_TEXT_SIZE];
    clock_format_us(clock->wall_us(clock->context), time);
    int n = snprintf(name, 64, "journal-%.4s%.2s%.2sT%.2s%.2s%.2sZ", time, time + 5, time + 8,
                     time + 11, time + 14, time + 17);
    for (int i = 1; is_taken(paths, name); i++) {
        if (i == 1000 || n < 0 || n >= 48) {
            return FAIL(e, EEXIST, "%s: too many files put aside", paths->dir);
        }
        (void)snprintf(name + n, 64 - (size_t)n, "-%d", i);
    }
    return 0;
}

static int sync_dir(const char *dir, struct err *e)
{
    int fd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd >= 0 && fsync(fd) == 0 ? 0 : -errno;
    if (fd >= 0) {
        (void)close(fd);
    }
    return r == 0 ? 0 : FAIL(e, -r, "%s: %s", dir, strerror(-r));
}

/* Renames, never deletes. Together the three can be read again by any SQLite. */
static int put_aside(const struct paths *paths, const struct clock *clock, const char *why,
                     char replaced[static SQLITE_REPLACED_SIZE], struct err *e)
{
    char name[64];
    int r = aside_name(paths, clock, name, e);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(suffixes); i++) {
        char from[PATH_MAX], to[PATH_MAX], ending[16];
        (void)snprintf(ending, sizeof ending, ".db%s", suffixes[i]);
        r = join(from, paths->dir, JOURNAL_FILE, suffixes[i], e);
        if (r == 0) {
            r = join(to, paths->dir, name, ending, e);
        }
        if (r == 0 && rename(from, to) < 0 && errno != ENOENT) {
            r = FAIL(e, errno, "%s: cannot be put aside: %s", from, strerror(errno));
        }
    }
    if (r == 0) {
        r = sync_dir(paths->dir, e);
    }
    if (r < 0) {
        return r;
    }
    (void)unlink(paths->mark);
    (void)snprintf(replaced, SQLITE_REPLACED_SIZE, "%s was put aside as %s.db: %.200s",
                   JOURNAL_FILE, name, why);
    log_error("journal", "a bad journal was put aside, a new epoch begins",
              LOG_STR("file", JOURNAL_FILE), LOG_STR("aside", name), LOG_STR("reason", why));
    return 0;
}

static int set_up(sqlite3 *db, struct err *e)
{
    int r = db_exec(db, pragmas, e);
    AUTO(sqlite3_finalize) sqlite3_stmt *mode = NULL;
    if (r == 0) {
        r = db_prepare(db, "PRAGMA journal_mode=WAL", &mode, e);
    }
    if (r == 0) {
        r = db_step(mode, e);
    }
    if (r > 0 && strcmp(db_column_text(mode, 0), "wal") != 0) {
        return FAIL(e, EIO, "the file system cannot hold a write-ahead log");
    }
    return r < 0 ? r : 0;
}

/* An open connection whose file is ours and good (0), or empty (> 0). */
static int open_checked(const struct paths *paths, sqlite3 **ret_db, struct err *e)
{
    sqlite3 *db = NULL;
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;
    int rc = sqlite3_open_v2(paths->db, &db, flags, NULL);
    int r = rc == SQLITE_OK ? 0 : db ? db_fail(db, rc, e) : FAIL(e, ENOMEM, "no memory");
    if (r == 0) {
        (void)sqlite3_extended_result_codes(db, 1);
        (void)sqlite3_busy_timeout(db, BUSY_MS);
        /* A file found bad is closed as it is, with its log. */
        (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL);
        r = schema_check(db, e);
    }
    int set = r < 0 ? r : set_up(db, e);
    if (r == 0 && set == 0) {
        set = schema_upgrade(db, e);
    }
    if (set < 0) {
        (void)sqlite3_close(db);
        return set;
    }
    (void)sqlite3_db_config(db, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 0, NULL);
    *ret_db = db;
    return r;
}

/* A file that could not be made whole holds nothing, and would be taken for an emptied one. */
static void remove_unfinished(const struct paths *paths)
{
    char path[PATH_MAX];
    for (size_t i = 0; i < ARRAY_SIZE(suffixes); i++) {
        if (join(path, paths->dir, JOURNAL_FILE, suffixes[i], NULL) == 0) {
            (void)unlink(path);
        }
    }
}

static int open_new(const struct paths *paths, uint32_t epoch, sqlite3 **ret_db, struct err *e)
{
    sqlite3 *db = NULL;
    int r = open_checked(paths, &db, e);
    if (r >= 0) {
        r = schema_create(db, epoch, e);
    }
    if (r == 0) {
        r = sync_dir(paths->dir, e);
    }
    if (r < 0) {
        (void)sqlite3_close(db);
        remove_unfinished(paths);
        return r;
    }
    *ret_db = db;
    return 0;
}

int sqlite_open(const char *dir, uint32_t epoch, const struct clock *clock,
                char replaced[static SQLITE_REPLACED_SIZE], sqlite3 **ret_db, struct err *e)
{
    struct paths paths;
    struct err found = {0};
    int r = paths_init(&paths, dir, e);
    if (r < 0) {
        return r;
    }
    const char *fault = outer_fault(&paths);
    if (!fault && file_size(paths.db) < 0) {
        return open_new(&paths, epoch, ret_db, e);
    }
    if (!fault) {
        r = open_checked(&paths, ret_db, &found);
        if (r == 0) {
            return 0;
        }
        if (r < 0 && r != -DB_DAMAGED) {
            return FAIL(e, -r, "%s: %s", paths.db, found.msg);
        }
        fault = r > 0 ? "it has no tables" : found.msg;
        if (r > 0) {
            (void)sqlite3_close(*ret_db);
        }
    }
    r = put_aside(&paths, clock, fault, replaced, e);
    return r < 0 ? r : open_new(&paths, epoch, ret_db, e);
}

void sqlite_mark_damaged(const char *dir)
{
    struct paths paths;
    if (paths_init(&paths, dir, NULL) < 0) {
        return;
    }
    int fd = open(paths.mark, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
    if (fd >= 0) {
        (void)close(fd);
    }
}
