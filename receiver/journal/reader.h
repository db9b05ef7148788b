#pragma once

/* What journal.c and the files of the readers share. */

#include "receiver/journal/db.h"
#include "receiver/journal/journal.h"

struct journal_reader {
    struct journal *journal;
    const struct clock *clock;
    sqlite3 *db;
    sqlite3_stmt *places;
    int64_t timeout_ms;  /* 0: none */
    int64_t deadline_ms; /* monotonic, of the read at work; 0: none */
};

/* A read begins: its time runs, and all its statements see the same snapshot until
 * reader_end(). */
MUST_CHECK int reader_begin(struct journal_reader *reader, struct err *e);
void reader_end(struct journal_reader *reader);

/* Of the snapshot. */
MUST_CHECK int reader_places(struct journal_reader *reader, struct cursor *ret_first,
                             struct cursor *ret_last, struct err *e);

/* ---- of struct journal ---- */

/* The file's path, once the journal is open; NULL before. Any thread. */
const char *journal_path(struct journal *journal);
const struct clock *journal_clock(struct journal *journal);
/* From now on every read ends early, with -ETIMEDOUT: a check of the whole file must not hold up
 * the end of the process. Any thread. */
void journal_stop_reads(struct journal *journal);
bool journal_reads_stopped(const struct journal *journal);
/* What the background check found: "" nothing. Any thread. */
void journal_report_check(struct journal *journal, const char *damage);
