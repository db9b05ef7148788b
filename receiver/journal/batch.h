#pragma once

/*
 * What the ingest thread gives the journal in one append, and what comes back. A batch owns copies
 * of all its texts in two arenas and is reused: after batch_reset() it holds its memory for the
 * next round, up to a maximum. One thread.
 */

#include "common/base/buf.h"
#include "common/cloudevent/event.h"

enum batch_outcome {
    BATCH_PENDING,   /* not appended yet */
    BATCH_STORED,    /* `seq` and `stored` are set */
    BATCH_DUPLICATE, /* source and id are in the journal already */
    BATCH_QUARANTINED,
};

/* Offsets into the batch's arenas: texts may move while the batch grows. */
struct batch_text {
    size_t at;
    size_t len;
};

struct batch_entry {
    /* given */
    bool quarantine;
    bool dedupe_none; /* the id is ours: a redelivery cannot be told from a repeat */
    bool has_bootid, has_sequence;
    int64_t recorded_us;
    int64_t time_us;     /* EVENT_NO_TIME: none */
    int64_t criticality; /* EVENT_NO_NUMBER: none */
    uint64_t sequence;
    struct batch_text topic, type, source, id, bootid;
    struct batch_text color;  /* data.color of a hello, "" if none: for the table of sources */
    struct batch_text json;   /* compact JSON object without the receiver's attributes; raw payload
                                 bytes in quarantine */
    struct batch_text data;   /* the member `data` within json; len 0: none */
    struct batch_text reason; /* quarantine */
    /* given back by journal_append */
    enum batch_outcome outcome;
    uint64_t seq;
    struct batch_text stored;      /* in `out`: json with the receiver's attributes */
    struct batch_text stored_data; /* the member `data` within `out` */
};

struct batch {
    struct batch_entry *entries;
    size_t count, capacity;
    struct buf in;
    struct buf out;
};

void batch_init(struct batch *batch, size_t max_bytes);
void batch_deinit(struct batch *batch);
void batch_reset(struct batch *batch);

/* The next entry, zeroed; NULL when memory or the maximum is reached. */
struct batch_entry *batch_add(struct batch *batch);
/* Copies bytes into the arena `in`, with a NUL behind; a failure shows in batch_failed(). */
struct batch_text batch_copy(struct batch *batch, const void *bytes, size_t len);
bool batch_failed(const struct batch *batch);

static inline const char *batch_in(const struct batch *batch, struct batch_text text)
{
    return batch->in.data + text.at;
}
static inline const char *batch_out(const struct batch *batch, struct batch_text text)
{
    return batch->out.data + text.at;
}
