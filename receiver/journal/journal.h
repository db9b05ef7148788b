#pragma once

/*
 * The journal: the durable, deduplicated, totally ordered record of all events. Append a batch,
 * read after a cursor under a filter, first and last cursor: all that the rest of the receiver
 * knows of storage. SQLite is below it today (journal/sqlite*.c); nothing above may know.
 *
 * One thread writes (journal_open, journal_append, journal_maintain). Readers are their own
 * handles, each used by one thread at a time. journal_status() may be called from any thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "receiver/journal/batch.h"
#include "receiver/query/grammar.h"

struct journal;
struct journal_reader;

struct journal_settings {
    const char *dir;          /* holds journal.db; made if missing */
    int64_t retention_age_ms; /* 0: no bound */
    int64_t retention_bytes;  /* 0: no bound */
    const struct clock *clock;
    const struct random_source *random;
};

enum journal_state {
    JOURNAL_OPENING,
    JOURNAL_OK,
    JOURNAL_FULL, /* no space: nothing is stored, nothing is acknowledged */
    JOURNAL_READONLY,
    JOURNAL_FAILED,  /* any other failure to open or write */
    JOURNAL_DAMAGED, /* writes succeed, but the background check found damage */
};
const char *journal_state_name(enum journal_state state);

struct journal_status {
    enum journal_state state;
    char reason[384];    /* "" when ok */
    bool is_open;        /* epoch and places are known, readers can be opened */
    struct cursor first; /* the oldest row kept; seq last+1 when empty */
    struct cursor last;  /* seq 0 when nothing was ever stored */
    uint64_t events;     /* rows kept */
    int64_t size_bytes;  /* pages in use, without the write-ahead log */
    uint64_t missing;    /* messages in open holes, all sources */
    uint64_t incidents_open;
    uint64_t quarantined; /* rows in quarantine */
};

MUST_CHECK int journal_new(const struct journal_settings *settings, struct journal **ret_journal,
                           struct err *e);
void journal_free(struct journal *journal); /* closes; checkpoints the write-ahead log */
DEFINE_CLEANUP(struct journal *, journal_free);

/*
 * Opens or makes the file and takes the lock on its folder (a second receiver on it is refused:
 * -EBUSY). A file whose header, schema or last row is bad is put aside with its -wal and -shm under
 * a dated name, a new epoch begins and an incident says so; nothing is ever deleted. A failure that
 * may pass (no space, read-only, no permission) is -errno, is in the status, and may be tried
 * again.
 */
MUST_CHECK int journal_open(struct journal *journal, struct err *e);

/*
 * Stores the batch in one transaction and returns after it is durable (fsync): each entry's
 * outcome, seq and stored text are set. Within it: dedupe by source and id, sequence-hole detection
 * with incidents, the interval since the source's event before. On failure nothing of the batch is
 * stored, outcomes are BATCH_PENDING, the state says why, and the same batch or another may be
 * tried later: -ENOSPC, -EROFS, -EIO, -ENOMEM, -EBUSY (another program holds the file), -EUCLEAN
 * (damaged: the next start puts it aside), -EAGAIN (not open).
 */
MUST_CHECK int journal_append(struct journal *journal, struct batch *batch, struct err *e);

/* 0 if a write succeeds now: a small transaction, after a full disk as much as the batch that
 * failed. Ends a failed state, and writes its incident. */
MUST_CHECK int journal_probe(struct journal *journal, struct err *e);

/* An incident of the receiver itself ("session_lost"), closed as it is opened: a moment. Durable on
 * return. */
MUST_CHECK int journal_incident(struct journal *journal, const char *kind, const char *detail,
                                struct err *e);

/*
 * A bounded step (about 5 ms) of retention and housekeeping. > 0: there is more to do. Call when
 * idle, and once per some batches under load so that retention keeps pace.
 */
int journal_maintain(struct journal *journal);

void journal_status(struct journal *journal, struct journal_status *ret_status);

/* ---- readers ---- */

/* -EAGAIN while the journal is not open. */
MUST_CHECK int journal_reader_open(struct journal *journal, struct journal_reader **ret_reader,
                                   struct err *e);
void journal_reader_close(struct journal_reader *reader);
/* A read that takes longer fails with -ETIMEDOUT; 0: no bound. */
void journal_reader_set_timeout(struct journal_reader *reader, int64_t timeout_ms);

struct record {
    uint64_t seq;
    const char *json; /* as relayed; valid during the callback */
    size_t len;
    const char *data; /* within json; NULL if none */
    size_t data_len;
};

struct journal_page {
    uint64_t rows;     /* given to `each` */
    bool more;         /* `limit` cut the result: there is another row */
    uint64_t position; /* the stream's cursor after this read: the last row's seq if `more` or the
                          callback stopped, else the last seq of the snapshot that was read (or
                          `before` - 1 where that is lower) */
    struct cursor first, last; /* of the snapshot */
};

/*
 * Rows that match, in the query's order, at most `limit`, between after and before (seqs; the epoch
 * is the caller's to check). `each` returns > 0 to stop before the row it was given (that row is
 * not counted), 0 to go on. -ETIMEDOUT, -EIO.
 */
MUST_CHECK int journal_read(struct journal_reader *reader, const struct query *query,
                            int (*each)(void *context, const struct record *record), void *context,
                            struct journal_page *ret_page, struct err *e);
/* One row. -ENOENT. */
MUST_CHECK int journal_read_one(struct journal_reader *reader, uint64_t seq,
                                int (*each)(void *context, const struct record *record),
                                void *context, struct err *e);
/* Seconds-resolution counts of rows by recorded time since `since_us`, oldest first, for the rate
 * chart at start. */
MUST_CHECK int journal_read_rates(struct journal_reader *reader, int64_t since_us, int64_t step_us,
                                  uint64_t *counts, size_t count, struct err *e);

struct journal_source {
    const char *source;
    uint64_t count;
    int64_t first_seen_us, last_seen_us;
    const char *last_type;
    uint64_t last_seq;
    const char *color;      /* NULL: none */
    const char *bootid;     /* NULL: none */
    uint64_t last_sequence; /* EVENT_NO_SEQUENCE: none */
    uint64_t missing, late, duplicates;
};
/* By name, after `after` (NULL: from the first). */
MUST_CHECK int
journal_read_sources(struct journal_reader *reader, const char *after, unsigned limit,
                     void (*each)(void *context, const struct journal_source *source),
                     void *context, bool *ret_more, struct err *e);

struct journal_incident_row {
    int64_t id;
    const char *kind;
    const char
        *source; /* NULL where it does not apply, as are bootid and the times below where 0 */
    const char *bootid;
    uint64_t from, to, missing;   /* of a sequence_hole */
    int64_t opened_us, closed_us; /* closed 0: open */
    const char *detail;
};
struct journal_list {
    const char *kind, *source; /* NULL: any; incidents only */
    int64_t before;            /* an id; 0: from the newest */
    unsigned limit;
};
MUST_CHECK int
journal_read_incidents(struct journal_reader *reader, const struct journal_list *list,
                       void (*each)(void *context, const struct journal_incident_row *row),
                       void *context, bool *ret_more, struct err *e);

struct journal_quarantine_row {
    int64_t id;
    int64_t recorded_us;
    const char *topic;
    const char *reason;
    const void *payload;
    size_t size;
};
MUST_CHECK int
journal_read_quarantine(struct journal_reader *reader, const struct journal_list *list,
                        void (*each)(void *context, const struct journal_quarantine_row *row),
                        void *context, bool *ret_more, struct err *e);
/* The background check for damage (SQLite's quick_check): sets the state and opens an incident.
 * Slow. */
MUST_CHECK int journal_check(struct journal *journal, struct journal_reader *reader, struct err *e);
