#include "receiver/journal/journal.h"

#include <assert.h>
#include <inttypes.h>
#include <limits.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <sys/statvfs.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "receiver/journal/append.h"
#include "receiver/journal/board.h"
#include "receiver/journal/reader.h"
#include "receiver/journal/retention.h"
#include "receiver/journal/sqlite_open.h"
#include "receiver/journal/transaction.h"

#define LOCK_FILE "journal.lock"
/*
 * A full disk counts as free again when this much can be written, and four times the batch that
 * failed: a write of one page may well succeed in a gap where the next batch would not.
 */
#define FREE_AGAIN_BYTES     (1 << 20)
#define FREE_AGAIN_BYTES_MAX (16 << 20)

struct journal {
    struct journal_settings settings;
    char dir[PATH_MAX - 64];
    char path[PATH_MAX];

    /* the writer's thread */
    int lock_fd;
    struct writer *writer;
    struct retention retention;
    char replaced[SQLITE_REPLACED_SIZE]; /* "", or what has no incident yet */
    int64_t failed_since_us;             /* 0: the last write succeeded */
    int64_t failed_bytes;                /* of the batch that failed last */
    char failed_reason[sizeof((struct err *)0)->msg];

    atomic_bool reads_stopped;

    struct board board;
};

int journal_new(const struct journal_settings *settings, struct journal **ret_journal,
                struct err *e)
{
    struct journal *journal = calloc(1, sizeof *journal);
    if (!journal) {
        return FAIL(e, ENOMEM, "no memory");
    }
    journal->settings = *settings;
    journal->lock_fd = -1;
    if (!str_copy(journal->dir, sizeof journal->dir, settings->dir)) {
        free(journal);
        return FAIL(e, ENAMETOOLONG, "the data folder's path is too long");
    }
    (void)snprintf(journal->path, sizeof journal->path, "%s/" JOURNAL_FILE, journal->dir);
    board_init(&journal->board);
    *ret_journal = journal;
    return 0;
}

static void unlock(struct journal *journal)
{
    if (journal->lock_fd >= 0) {
        (void)close(journal->lock_fd);
        journal->lock_fd = -1;
    }
}

void journal_free(struct journal *journal)
{
    if (!journal) {
        return;
    }
    retention_deinit(&journal->retention);
    writer_close(journal->writer);
    unlock(journal);
    board_deinit(&journal->board);
    free(journal);
}

/* ---- what others see ---- */

static int64_t wall_us(const struct journal *journal)
{
    return journal->settings.clock->wall_us(journal->settings.clock->context);
}

void journal_status(struct journal *journal, struct journal_status *ret_status)
{
    board_look(&journal->board, ret_status);
}

const char *journal_path(struct journal *journal)
{
    struct journal_status status;
    board_look(&journal->board, &status);
    return status.is_open ? journal->path : NULL;
}

struct writer *journal_writer(struct journal *journal)
{
    return journal->writer;
}

const struct clock *journal_clock(struct journal *journal)
{
    return journal->settings.clock;
}

void journal_stop_reads(struct journal *journal)
{
    journal->reads_stopped = true;
}

bool journal_reads_stopped(const struct journal *journal)
{
    return journal->reads_stopped;
}

void journal_report_check(struct journal *journal, const char *damage)
{
    if (*damage) {
        log_error("journal", "the journal is damaged", LOG_STR("found", damage));
    }
    board_report(&journal->board, damage);
}

/* ---- one write ---- */

static void note_failure(struct journal *journal, int code, const char *reason)
{
    if (code == DB_DAMAGED) {
        sqlite_mark_damaged(journal->dir);
    }
    if (journal->failed_since_us == 0) {
        journal->failed_since_us = wall_us(journal);
    }
    (void)snprintf(journal->failed_reason, sizeof journal->failed_reason, "%s", reason);
    board_put_failure(&journal->board, code, reason);
}

/* The incidents that could not be written when they happened. */
static int add_overdue(struct journal *journal, struct err *e)
{
    struct writer *writer = journal->writer;
    int64_t now_us = wall_us(journal);
    int r = 0;
    if (*journal->replaced) {
        r = incidents_add(&writer->incidents, &writer->totals, "journal_replaced",
                          journal->replaced, now_us, now_us, e);
    }
    if (r == 0 && journal->failed_since_us != 0) {
        r = incidents_add(&writer->incidents, &writer->totals, "journal_failed",
                          journal->failed_reason, journal->failed_since_us, now_us, e);
    }
    return r;
}

int journal_begin(struct journal *journal, struct err *e)
{
    if (!journal->writer) {
        return FAIL(e, EAGAIN, "the journal is not open");
    }
    int r = writer_begin(journal->writer, e);
    return r < 0 ? r : add_overdue(journal, e);
}

int journal_finish(struct journal *journal, int r, struct err *e)
{
    struct writer *writer = journal->writer;
    if (!writer) {
        return r;
    }
    if (r == 0) {
        r = writer_commit(writer, e);
    }
    if (r < 0) {
        writer_rollback(writer);
        note_failure(journal, -r, e->msg);
        return r;
    }
    journal->failed_since_us = 0;
    journal->failed_bytes = 0;
    journal->replaced[0] = '\0';
    int64_t size_bytes;
    if (writer_size(writer, &size_bytes, NULL) == 0) {
        journal->retention.size_bytes = size_bytes;
    }
    board_put(&journal->board, journal->writer, journal->retention.size_bytes);
    return 0;
}

/* ---- open ---- */

static int64_t quarantine_bytes(const struct journal_settings *settings)
{
    int64_t share = settings->retention_bytes / 8;
    return share > 0 && share < QUARANTINE_BYTES_MAX ? share : QUARANTINE_BYTES_MAX;
}

static int lock(struct journal *journal, struct err *e)
{
    char path[PATH_MAX];
    (void)snprintf(path, sizeof path, "%s/" LOCK_FILE, journal->dir);
    int r = journal->lock_fd >= 0 ? 0 : file_lock(path, &journal->lock_fd, e);
    if (r == -EBUSY) {
        return FAIL(e, EBUSY, "%s: another receiver has this journal", journal->dir);
    }
    return r;
}

static int open_writer(struct journal *journal, struct err *e)
{
    const struct journal_settings *settings = &journal->settings;
    /* Never 0: that is the epoch of a journal that is not open. */
    uint32_t drawn = (uint32_t)settings->random->next(settings->random->context);
    uint32_t epoch = drawn > 0 ? drawn : 1;
    sqlite3 *db = NULL;
    int r = file_make_dirs(journal->dir, e);
    if (r == 0) {
        r = lock(journal, e);
    }
    if (r == 0) {
        r = sqlite_open(journal->dir, epoch, settings->clock, journal->replaced, &db, e);
    }
    if (r == 0) {
        r = writer_open(db, quarantine_bytes(settings), &journal->writer, e);
    }
    if (r == 0) {
        r = retention_init(&journal->retention, journal->writer, settings->retention_age_ms,
                           settings->retention_bytes, settings->clock, e);
    }
    return r;
}

int journal_open(struct journal *journal, struct err *e)
{
    struct err local = {0};
    e = e ? e : &local;
    assert(!journal->writer);
    int r = open_writer(journal, e);
    if (r == 0) {
        r = journal_begin(journal, e);
        r = journal_finish(journal, r, e);
    }
    if (r < 0) {
        retention_deinit(&journal->retention);
        writer_close(TAKE(journal->writer));
        unlock(journal);
        note_failure(journal, -r, e->msg);
    }
    return r;
}

/* ---- writes ---- */

int journal_append(struct journal *journal, struct batch *batch, struct err *e)
{
    struct err local = {0};
    e = e ? e : &local;
    int r = journal_begin(journal, e);
    if (r == 0) {
        r = append_batch(journal->writer, batch, e);
    }
    r = journal_finish(journal, r, e);
    if (r < 0) {
        append_undo(batch);
        journal->failed_bytes = (int64_t)batch->in.len;
    }
    return r;
}

static bool was_full(struct journal *journal)
{
    struct journal_status status;
    journal_status(journal, &status);
    return status.state == JOURNAL_FULL;
}

/* Asks before trying: a try that fails would take the last bytes from others. */
static int check_space(const struct journal *journal, int64_t wanted, struct err *e)
{
    struct statvfs fs;
    if (statvfs(journal->dir, &fs) < 0) {
        return FAIL(e, errno, "%s: %s", journal->dir, strerror(errno));
    }
    uint64_t available = (uint64_t)fs.f_bavail * fs.f_frsize;
    if (available < (uint64_t)wanted) {
        return FAIL(e, ENOSPC,
                    "the disk is full: %" PRIu64 " bytes are available, %" PRId64 " are wanted",
                    available, wanted);
    }
    return 0;
}

/* Writes as much as a batch would need, which a quota or a limit may refuse where the file system
 * has room. What was written is free for the next rows. */
static int try_space(struct journal *journal, struct err *e)
{
    int64_t wanted = FREE_AGAIN_BYTES + 4 * journal->failed_bytes;
    wanted = wanted < FREE_AGAIN_BYTES_MAX ? wanted : FREE_AGAIN_BYTES_MAX;
    int r = check_space(journal, wanted, e);
    if (r == 0) {
        r = writer_begin(journal->writer, e);
    }
    if (r == 0) {
        r = writer_probe(journal->writer, wanted, e);
    }
    return r < 0 ? r : writer_commit(journal->writer, e);
}

int journal_probe(struct journal *journal, struct err *e)
{
    struct err local = {0};
    e = e ? e : &local;
    int r = journal->writer && was_full(journal) ? try_space(journal, e) : 0;
    if (r == 0) {
        r = journal_begin(journal, e);
    }
    if (r == 0) {
        r = writer_probe(journal->writer, 1, e);
    }
    if (r == 0) {
        r = writer_probe(journal->writer, 0, e);
    }
    return journal_finish(journal, r, e);
}

int journal_incident(struct journal *journal, const char *kind, const char *detail, struct err *e)
{
    struct err local = {0};
    e = e ? e : &local;
    int64_t now_us = wall_us(journal);
    int r = journal_begin(journal, e);
    if (r == 0) {
        r = incidents_add(&journal->writer->incidents, &journal->writer->totals, kind, detail,
                          now_us, now_us, e);
    }
    return journal_finish(journal, r, e);
}

/* ---- housekeeping ---- */

/* Opens, or closes, the incident of what the background check found. */
static int add_check(struct journal *journal, const char *damage, struct err *e)
{
    struct writer *writer = journal->writer;
    int64_t now_us = wall_us(journal);
    int r = journal_begin(journal, e);
    if (r == 0) {
        r = incidents_close(&writer->incidents, &writer->totals, "journal_damaged", now_us, e);
    }
    if (r == 0 && *damage) {
        r = incidents_add(&writer->incidents, &writer->totals, "journal_damaged", damage, now_us, 0,
                          e);
    }
    return journal_finish(journal, r, e);
}

static int take_check(struct journal *journal, struct err *e)
{
    char damage[BOARD_DAMAGE_SIZE];
    bool checked = board_take_report(&journal->board, damage);
    return checked ? add_check(journal, damage, e) : 0;
}

int journal_maintain(struct journal *journal)
{
    struct err e = {0};
    if (!journal->writer || journal->failed_since_us != 0) {
        return 0;
    }
    int r = take_check(journal, &e);
    if (r == 0) {
        r = retention_step(&journal->retention, &e);
    }
    if (r < 0) {
        /* What is due stays due; whether the journal can be written, appends find out. */
        log_debug("journal", "housekeeping failed", LOG_STR("reason", e.msg));
        return 0;
    }
    board_put(&journal->board, journal->writer, journal->retention.size_bytes);
    return r;
}
