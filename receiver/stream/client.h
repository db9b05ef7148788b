#pragma once

/*
 * One client of the stream: a place in the frames of its events. While the hub's ring reaches back
 * to it the client is live and copies from there; else it replays, a page of the journal at a time.
 * Between the frames go notes of ours: retry, gap, heartbeat, positions. Serving thread only.
 */

#include <sys/queue.h>

#include "common/http/server.h"
#include "receiver/stream/filter.h"
#include "receiver/stream/frame.h"
#include "receiver/stream/replay.h"

struct streams;

struct client {
    struct streams *streams;
    struct http_request *request;
    struct filter *filter; /* NULL: everything */
    struct frame_place place;
    uint32_t epoch;
    uint64_t told; /* the last position that the client knows of */
    char *note;    /* NULL: none is being sent */
    size_t note_len, note_sent;
    struct replay_job *job;  /* being read; NULL: none */
    struct replay_job *page; /* read, and not sent to its end; NULL: none */
    unsigned passed;         /* events that did not match since the last frame */
    bool is_replaying;
    bool is_queued;  /* for a read of the journal */
    bool is_stalled; /* the last read failed: wait for the next heartbeat */
    bool is_cut;     /* what was begun cannot be ended */
    bool heartbeat_due;
    LIST_ENTRY(client) entry; /* in the heartbeat's slot */
    TAILQ_ENTRY(client) queue_entry;
};

/* A replay on its way through the pool. It outlives a client that leaves meanwhile. */
struct replay_job {
    struct replay replay;
    struct streams *streams;
    struct client *client; /* NULL: it has left */
};

/* Where a client begins. */
struct client_start {
    struct cursor after;
    bool is_given; /* by the client; else it is told */
    int64_t retry_ms;
};

/* Takes the filter. NULL: no memory. */
struct client *client_new(struct streams *streams, struct http_request *request,
                          struct filter *filter, const struct client_start *start);
void client_free(struct client *client);

/* As http_stream_ops.read. */
ssize_t client_read(struct client *client, char *out, size_t max);
/* The job's work is done; the client takes it. */
void client_take_job(struct client *client, struct replay_job *job);
void replay_job_free(struct replay_job *job);
