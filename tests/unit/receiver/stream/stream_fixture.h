#pragma once

/* A real journal in a folder of its own, the streams before it and an HTTP server on a loop; the
 * test's thread is the ingest thread. */

#include "receiver/stream/streams.h"
#include "tests/unit/common/http/loop_thread.h"
#include "tests/unit/common/http/raw_client.h"

struct stream_options {
    size_t ring_bytes;
    unsigned max_clients;
    int64_t heartbeat_ms;
    int64_t retention_age_ms;
    bool journal_stays_closed;
};

struct stream_fixture {
    struct stream_options options;
    struct loop_thread thread;
    char dir[64];
    int64_t wall_us; /* the journal's clock */
    struct clock clock;
    struct journal *journal;
    struct reads *reads;
    struct streams *streams;
    struct http_server *server;
    struct metrics *metrics;
    struct batch batch;
    uint16_t port;
    uint32_t epoch;
    struct buf frames; /* of all that was published, as a client without filter gets them */
    uint64_t next_id;
};

struct stream_fixture *stream_fixture_start(const struct stream_options *options);
void stream_fixture_stop(struct stream_fixture *f);

struct stream_event {
    const char *type;
    const char *source;
    int64_t criticality;
    const char *data; /* JSON */
};
/* An event to be stored; `data_len` NUL-free bytes. */
void stream_fixture_add(struct stream_fixture *f, const struct stream_event *event);
/* Stores what was added, without telling the hub. */
void stream_fixture_store(struct stream_fixture *f);
/* Stores what was added and publishes it. */
void stream_fixture_publish(struct stream_fixture *f);
/* `count` hellos of /machines/a, each with about `size` bytes of text, in batches of `batch`. */
void stream_fixture_fill(struct stream_fixture *f, unsigned count, size_t size, unsigned batch);
/* Runs what retention finds to do, at a wall clock that is `later_us` further on. */
void stream_fixture_maintain(struct stream_fixture *f, int64_t later_us);
struct streams_counts stream_fixture_counts(struct stream_fixture *f);
void stream_fixture_wait_counts(struct stream_fixture *f, unsigned live, unsigned replaying);
/* The line `id: <cursor>` of that seq. */
void stream_fixture_format_id(const struct stream_fixture *f, uint64_t seq, char *text,
                              size_t size);
/* The bytes of the published frames from seq `first` on; NUL-terminated at the end of all. */
const char *stream_fixture_frames_from(const struct stream_fixture *f, uint64_t first);

/* ---- an SSE client ---- */

struct sse {
    int fd;
    struct raw_input wire;
    struct buf body; /* without the chunks' frames */
};

/* GET /api/v1/stream?<query>, with the given header lines (each with its CRLF). Reads the answer's
 * head. */
void sse_open(struct stream_fixture *f, struct sse *sse, const char *query, const char *headers);
/* With a Last-Event-ID of that seq. */
void sse_open_after(struct stream_fixture *f, struct sse *sse, uint64_t after);
/* As sse_open without reading, with a small receive buffer. */
void sse_open_deaf(struct stream_fixture *f, struct sse *sse, const char *query,
                   const char *headers);
void sse_read_head(struct sse *sse);
void sse_close(struct sse *sse);
/* Reads until `needle` is in the body. */
void sse_wait(struct sse *sse, const char *needle);
void sse_wait_len(struct sse *sse, size_t len);
/* Reads until the server ends the connection. */
void sse_wait_end(struct sse *sse);
/* What came after `retry: <n>` and its empty line. */
const char *sse_after_retry(const struct sse *sse);
/* What the client got after its retry is exactly the frames from `first` on. */
void sse_check_frames(const struct stream_fixture *f, struct sse *sse, uint64_t first);
