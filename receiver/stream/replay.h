#pragma once

/*
 * One page of a client's frames out of the journal, for one that is not live: as many bytes as the
 * page holds, from any byte of any frame on. The work runs on the pool and touches nothing but the
 * replay itself.
 */

#include "receiver/journal/journal.h"
#include "receiver/stream/filter.h"
#include "receiver/stream/frame.h"

enum replay_gap { REPLAY_NO_GAP, REPLAY_RETENTION, REPLAY_EPOCH, REPLAY_AHEAD };
const char *replay_gap_name(enum replay_gap gap);

struct replay {
    /* asked */
    struct filter *filter; /* a reference of its own */
    uint32_t epoch;        /* of the client's cursor */
    struct frame_place place;
    size_t max_bytes;
    /* found */
    int error;           /* 0; the journal's: nothing else is set */
    enum replay_gap gap; /* nothing can be had up to `end`, and there are no bytes */
    bool is_cut;         /* the frame that was begun is not in the journal any more */
    char *bytes;
    size_t len, taken;      /* `taken`: how far the client is */
    struct frame_place end; /* after all of the bytes */
    uint32_t end_epoch;
    unsigned events, passed; /* frames that end in the bytes; events that do not match */
    uint64_t last;           /* seq of the last of those frames */
};

void replay_init(struct replay *replay, struct filter *filter, uint32_t epoch,
                 struct frame_place place, size_t max_bytes);
void replay_deinit(struct replay *replay);
/* Reads. `reader` is NULL where the journal is not open. */
void replay_work(struct replay *replay, struct journal_reader *reader);
