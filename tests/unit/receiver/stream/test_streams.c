/* The stream over real sockets, from the ring and from a real journal. */

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "tests/unit/receiver/stream/stream_fixture.h"

static const struct stream_options defaults = {0};

/* ---- reading what came ---- */

static void format_id(const struct stream_fixture *f, uint64_t seq, char *text, size_t size)
{
    snprintf(text, size, "id: %08x-%llu\n", f->epoch, (unsigned long long)seq);
}

/* The bytes of the published frames from seq `first` on; NULL-terminated at the end of all. */
static const char *frames_from(const struct stream_fixture *f, uint64_t first)
{
    char id[64];
    const char *at;

    format_id(f, first, id, sizeof(id));
    at = strstr(f->frames.data, id);
    assert_non_null(at);
    return at;
}

/* What the client got after its retry is exactly the frames from `first` on. */
static void check_frames(const struct stream_fixture *f, struct sse *sse, uint64_t first)
{
    const char *expected = frames_from(f, first);
    size_t len = strlen(expected);

    sse_wait(sse, "\n\n");
    sse_wait_len(sse, (size_t)(sse_after_retry(sse) - sse->body.data) + len);
    assert_int_equal(strlen(sse_after_retry(sse)), len);
    if (memcmp(sse_after_retry(sse), expected, len) != 0)
        fail_msg("other frames");
}

static void open_after(struct stream_fixture *f, struct sse *sse, uint64_t after)
{
    char header[64];

    snprintf(header, sizeof(header), "Last-Event-ID: %08x-%llu\r\n", f->epoch,
             (unsigned long long)after);
    sse_open(f, sse, "", header);
}

static void wait_counts(struct stream_fixture *f, unsigned live, unsigned replaying)
{
    struct streams_counts counts;

    do
        counts = stream_fixture_counts(f);
    while (counts.live != live || counts.replaying != replaying);
}

/* ---- framing ---- */

static void test_framing(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&defaults);
    const struct stream_event event = {EVENT_TYPE_EVENT, "/machines/a", 7, "{\"criticality\":7}"};
    char expected[1000];
    struct sse sse;

    (void)state;
    sse_open(f, &sse, "", "");
    sse_wait(&sse, "id: ");
    stream_fixture_add(f, &event);
    stream_fixture_store(f);
    snprintf(expected, sizeof(expected), "id: %08x-0\n\nid: %08x-1\ndata: %.*s\n\n", f->epoch,
             f->epoch, (int)f->batch.entries[0].stored.len,
             batch_out(&f->batch, f->batch.entries[0].stored));
    hub_publish(streams_hub(f->streams), &f->batch);
    sse_wait(&sse, "recordedtime");
    assert_string_equal(sse_after_retry(&sse), expected);
    assert_non_null(strstr(expected, "\"data\":{\"criticality\":7}"));
    sse_close(&sse);
    stream_fixture_stop(f);
}

static void test_headers(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&defaults);
    struct raw_input input = {0};
    int fd = raw_connect(f->port);

    (void)state;
    raw_send(fd, "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\n\r\n");
    raw_read_until(fd, &input, "\r\n\r\n");
    assert_non_null(strstr(input.text, "HTTP/1.1 200 OK\r\n"));
    assert_non_null(strstr(input.text, "Content-Type: text/event-stream\r\n"));
    assert_non_null(strstr(input.text, "Cache-Control: no-store, no-transform\r\n"));
    assert_non_null(strstr(input.text, "X-Accel-Buffering: no\r\n"));
    raw_input_free(&input);
    close(fd);
    stream_fixture_stop(f);
}

/* ---- resuming ---- */

static void test_resume_from_the_journal(void **state)
{
    const struct stream_options options = {.ring_bytes = 16 * 1024};
    struct stream_fixture *f = stream_fixture_start(&options);
    static const uint64_t afters[] = {0, 1, 2, 1499, 2940, 2998, 2999, 3000};
    struct sse sse[ARRAY_SIZE(afters)];

    (void)state;
    stream_fixture_fill(f, 3000, 200, 100);
    for (size_t i = 0; i < ARRAY_SIZE(afters); i++) {
        open_after(f, &sse[i], afters[i]);
        if (afters[i] < 3000)
            check_frames(f, &sse[i], afters[i] + 1);
    }
    wait_counts(f, ARRAY_SIZE(afters), 0);
    stream_fixture_fill(f, 3, 200, 1);
    for (size_t i = 0; i < ARRAY_SIZE(afters); i++) {
        check_frames(f, &sse[i], afters[i] + 1);
        sse_close(&sse[i]);
    }
    stream_fixture_stop(f);
}

static void test_header_wins_over_parameter(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&defaults);
    char query[64], header[64];
    struct sse sse;

    (void)state;
    stream_fixture_fill(f, 10, 50, 10);
    snprintf(query, sizeof(query), "after=%08x-3", f->epoch);
    snprintf(header, sizeof(header), "Last-Event-ID: %08x-7\r\n", f->epoch);
    sse_open(f, &sse, query, "");
    check_frames(f, &sse, 4);
    sse_close(&sse);
    sse_open(f, &sse, query, header);
    check_frames(f, &sse, 8);
    sse_close(&sse);
    sse_open(f, &sse, query, "Last-Event-ID: \r\n");
    check_frames(f, &sse, 4);
    sse_close(&sse);
    stream_fixture_stop(f);
}

/* A client that has got from the journal what the hub is about to get. */
static void test_splice_before_publish(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&(struct stream_options){.ring_bytes = 4096});
    struct sse sse;

    (void)state;
    stream_fixture_fill(f, 100, 200, 100);
    stream_fixture_add(f, &(struct stream_event){EVENT_TYPE_HELLO, "/machines/b", EVENT_NO_NUMBER,
                                                 "{\"text\":\"early\"}"});
    stream_fixture_store(f);
    open_after(f, &sse, 0);
    check_frames(f, &sse, 1);
    wait_counts(f, 1, 0);
    hub_publish(streams_hub(f->streams), &f->batch);
    batch_reset(&f->batch);
    stream_fixture_fill(f, 1, 200, 1);
    check_frames(f, &sse, 1);
    sse_close(&sse);
    /* Nor is one that comes with that cursor ahead of the journal. */
    stream_fixture_add(f, &(struct stream_event){EVENT_TYPE_HELLO, "/machines/b", EVENT_NO_NUMBER,
                                                 "{\"text\":\"early\"}"});
    stream_fixture_store(f);
    open_after(f, &sse, 103);
    wait_counts(f, 1, 0);
    hub_publish(streams_hub(f->streams), &f->batch);
    batch_reset(&f->batch);
    stream_fixture_fill(f, 1, 200, 1);
    check_frames(f, &sse, 104);
    sse_close(&sse);
    stream_fixture_stop(f);
}

/* ---- slow clients and large events ---- */

static void test_slow_client_misses_nothing(void **state)
{
    const struct stream_options options = {.ring_bytes = 64 * 1024};
    struct stream_fixture *f = stream_fixture_start(&options);
    struct sse slow, live;
    char query[64];

    (void)state;
    snprintf(query, sizeof(query), "after=%08x-0", f->epoch);
    sse_open(f, &live, query, "");
    sse_open_deaf(f, &slow, query, "");
    wait_counts(f, 2, 0);
    stream_fixture_fill(f, 10000, 300, 50);
    check_frames(f, &live, 1);
    sse_read_head(&slow);
    check_frames(f, &slow, 1);
    wait_counts(f, 2, 0);
    stream_fixture_fill(f, 1, 300, 1);
    check_frames(f, &live, 1);
    check_frames(f, &slow, 1);
    sse_close(&slow);
    sse_close(&live);
    stream_fixture_stop(f);
}

static void test_event_larger_than_the_ring(void **state)
{
    const struct stream_options options = {.ring_bytes = 16 * 1024};
    struct stream_fixture *f = stream_fixture_start(&options);
    struct sse live, late;

    (void)state;
    open_after(f, &live, 0);
    wait_counts(f, 1, 0);
    stream_fixture_fill(f, 3, 100, 1);
    stream_fixture_fill(f, 2, 256 * 1024, 1);
    stream_fixture_fill(f, 3, 100, 1);
    check_frames(f, &live, 1);
    open_after(f, &late, 3);
    check_frames(f, &late, 4);
    sse_close(&live);
    sse_close(&late);
    stream_fixture_stop(f);
}

/* ---- filters ---- */

static void add_mixed(struct stream_fixture *f, unsigned i)
{
    static const char *const types[] = {EVENT_TYPE_HELLO, EVENT_TYPE_EVENT};
    static const char *const sources[] = {"/machines/a", "/machines/b", "/machines/c"};
    char data[200];
    const struct stream_event event = {types[i % 2], sources[i % 3], (int64_t)(i % 11), data};

    snprintf(data, sizeof(data), "{\"text\":\"%s %u\",\"criticality\":%u}",
             i % 100 == 0 ? "Needle" : "straw", i, i % 11);
    stream_fixture_add(f, &event);
    if (i % 97 == 96)
        stream_fixture_publish(f);
}

/* The ids of the frames with data, each with a comma. */
static void list_ids(const char *body, struct buf *ids)
{
    for (const char *at = body; (at = strstr(at, "\ndata: {")); at++) {
        const char *dash = at;

        while (*dash != '-')
            dash--;
        buf_append(ids, dash + 1, (size_t)(at - dash - 1));
        buf_append_char(ids, ',');
    }
}

static void expect_ids(bool (*matches)(unsigned i), unsigned count, struct buf *ids)
{
    for (unsigned i = 0; i < count; i++) {
        if (matches(i))
            buf_appendf(ids, "%u,", i + 1);
    }
}

static bool is_type(unsigned i)
{
    return i % 2 == 0;
}

static bool is_source(unsigned i)
{
    return i % 3 == 1;
}

static bool is_critical(unsigned i)
{
    return i % 11 > 8;
}

static bool has_text(unsigned i)
{
    return i % 100 == 0;
}

static bool is_all(unsigned i)
{
    return is_type(i) && is_source(i) && is_critical(i);
}

static bool is_none(unsigned i)
{
    (void)i;
    return false;
}

#define MIXED 2910

static const struct {
    const char *query;
    bool (*matches)(unsigned i);
} filters[] = {
    {"type=hello", is_type},
    {"source=b", is_source},
    {"criticality_gt=8", is_critical},
    {"q=nEEdle", has_text},
    {"type=hello&source=/machines/b&criticality_gt=8", is_all},
    {"type=nothing.of.that", is_none},
    {"until=2000-01-01T00:00:00Z", is_none},
};

static void check_filtered(struct sse *sse, bool (*matches)(unsigned i), const char *last)
{
    struct buf got = BUF_INIT((size_t)1 << 20), expected = BUF_INIT((size_t)1 << 20);

    sse_wait(sse, last);
    list_ids(sse->body.data, &got);
    expect_ids(matches, MIXED, &expected);
    assert_string_equal(got.len > 0 ? got.data : "", expected.len > 0 ? expected.data : "");
    buf_deinit(&got);
    buf_deinit(&expected);
}

/* Live clients and late ones get the same. A heartbeat tells where each stands at the end. */
static void check_filters(size_t ring_bytes)
{
    const struct stream_options options = {.ring_bytes = ring_bytes, .heartbeat_ms = 100};
    struct stream_fixture *f = stream_fixture_start(&options);
    struct sse live[ARRAY_SIZE(filters)], late[ARRAY_SIZE(filters)];
    char last[64], query[200];

    for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
        sse_open(f, &live[i], filters[i].query, "");
    wait_counts(f, ARRAY_SIZE(filters), 0);
    for (unsigned i = 0; i < MIXED; i++)
        add_mixed(f, i);
    format_id(f, MIXED, last, sizeof(last));
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        snprintf(query, sizeof(query), "%s&after=%08x-0", filters[i].query, f->epoch);
        sse_open(f, &late[i], query, "");
    }
    for (size_t i = 0; i < ARRAY_SIZE(filters); i++) {
        check_filtered(&live[i], filters[i].matches, last);
        check_filtered(&late[i], filters[i].matches, last);
        sse_close(&live[i]);
        sse_close(&late[i]);
    }
    stream_fixture_stop(f);
}

static void test_filters_from_the_ring(void **state)
{
    (void)state;
    check_filters((size_t)8 << 20);
}

static void test_filters_from_the_journal(void **state)
{
    (void)state;
    check_filters(8 * 1024);
}

/* The seq of the last id that came. */
static uint64_t last_id(const char *body)
{
    uint64_t seq = 0;

    if (!body)
        return 0;
    while ((body = strstr(body, "id: "))) {
        seq = strtoull(body + 4 + 9, NULL, 10);
        body += 4;
    }
    return seq;
}

/* Without a heartbeat: after so many events that do not match the cursor moves all the same. */
static void test_position_after_many_passed(void **state)
{
    static const size_t rings[] = {(size_t)8 << 20, 8 * 1024};
    char query[100];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(rings); i++) {
        struct stream_fixture *f =
            stream_fixture_start(&(struct stream_options){.ring_bytes = rings[i]});
        struct sse live, late;

        sse_open(f, &live, "source=nobody", "");
        wait_counts(f, 1, 0);
        stream_fixture_fill(f, 5000, 20, 500);
        snprintf(query, sizeof(query), "q=nothing&after=%08x-0", f->epoch);
        sse_open(f, &late, query, "");
        while (last_id(late.body.data) <= 4000)
            sse_wait_len(&late, late.body.len + 1);
        while (last_id(live.body.data) <= 4000)
            sse_wait_len(&live, live.body.len + 1);
        assert_null(strstr(late.body.data, "data: "));
        assert_null(strstr(live.body.data, "data: "));
        sse_close(&live);
        sse_close(&late);
        stream_fixture_stop(f);
    }
}

/* ---- gaps ---- */

static void check_gap(struct stream_fixture *f, const char *from, uint64_t to, const char *reason)
{
    char header[64], expected[400];
    struct sse sse;

    snprintf(header, sizeof(header), "Last-Event-ID: %s\r\n", from);
    sse_open(f, &sse, "", header);
    snprintf(expected, sizeof(expected),
             "event: gap\nid: %08x-%llu\ndata: {\"from\":\"%s\",\"to\":\"%08x-%llu\","
             "\"reason\":\"%s\"}\n\n",
             f->epoch, (unsigned long long)to, from, f->epoch, (unsigned long long)to, reason);
    sse_wait(&sse, "-3000\ndata: ");
    assert_true(strncmp(sse_after_retry(&sse), expected, strlen(expected)) == 0);
    sse_wait_len(&sse, (size_t)(sse_after_retry(&sse) - sse.body.data) + strlen(expected) +
                           strlen(frames_from(f, to + 1)));
    assert_string_equal(sse_after_retry(&sse) + strlen(expected), frames_from(f, to + 1));
    sse_close(&sse);
}

static void test_gaps(void **state)
{
    const struct stream_options options = {.ring_bytes = 16 * 1024, .retention_age_ms = 10000};
    struct stream_fixture *f = stream_fixture_start(&options);
    struct journal_status status;
    char cursor[64];
    uint64_t before;

    (void)state;
    stream_fixture_fill(f, 2000, 100, 500);
    snprintf(cursor, sizeof(cursor), "%08x-7", f->epoch ^ 1);
    stream_fixture_fill(f, 1000, 100, 500);
    check_gap(f, cursor, 0, "epoch");
    snprintf(cursor, sizeof(cursor), "%08x-3001", f->epoch);
    check_gap(f, cursor, 0, "ahead");
    snprintf(cursor, sizeof(cursor), "%08x-9223372036854775807", f->epoch);
    check_gap(f, cursor, 0, "ahead");

    /* The oldest fall out, the newest are kept. */
    stream_fixture_stop(f);
    f = stream_fixture_start(&options);
    stream_fixture_fill(f, 2000, 100, 500);
    f->wall_us += 8000000;
    stream_fixture_fill(f, 1000, 100, 500);
    stream_fixture_maintain(f, 4000000);
    journal_status(f->journal, &status);
    assert_int_equal(status.first.seq, 2001);
    before = status.first.seq - 1;
    snprintf(cursor, sizeof(cursor), "%08x-%llu", f->epoch, (unsigned long long)before - 1);
    check_gap(f, cursor, before, "retention");
    snprintf(cursor, sizeof(cursor), "%08x-0", f->epoch);
    check_gap(f, cursor, before, "retention");
    stream_fixture_stop(f);
}

/* All is gone: the client is told, and gets what comes next. */
static void test_gap_to_an_empty_journal(void **state)
{
    const struct stream_options options = {.ring_bytes = 4096, .retention_age_ms = 10000};
    struct stream_fixture *f = stream_fixture_start(&options);
    char expected[100];
    struct sse sse;

    (void)state;
    stream_fixture_fill(f, 500, 100, 100);
    stream_fixture_maintain(f, 20000000);
    open_after(f, &sse, 10);
    snprintf(expected, sizeof(expected), "\"to\":\"%08x-500\",\"reason\":\"retention\"}\n\n",
             f->epoch);
    sse_wait(&sse, expected);
    stream_fixture_fill(f, 1, 100, 1);
    sse_wait(&sse, "\"n\":0,");
    assert_string_equal(strstr(sse.body.data, "\"retention\"}\n\n") + 14, frames_from(f, 501));
    sse_close(&sse);
    stream_fixture_stop(f);
}

/* What a client has begun to get is deleted before it got the rest: the stream ends, so that the
 * client comes back and is told of the gap. */
static void test_frame_that_vanishes(void **state)
{
    const struct stream_options options = {.ring_bytes = 8192, .retention_age_ms = 10000};
    struct stream_fixture *f = stream_fixture_start(&options);
    struct sse sse;

    (void)state;
    sse_open_deaf(f, &sse, "", "");
    wait_counts(f, 1, 0);
    stream_fixture_fill(f, 1, 8 << 20, 1);
    sse_read_head(&sse);
    sse_wait(&sse, "\"n\":0");
    stream_fixture_maintain(f, 20000000);
    sse_wait_end(&sse);
    assert_true(sse.body.len < 8 << 20);
    assert_null(strstr(sse.body.data, "gap"));
    sse_close(&sse);
    stream_fixture_stop(f);
}

/* ---- heartbeat, limits, the end ---- */

static void test_heartbeat(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&(struct stream_options){.heartbeat_ms = 50});
    struct sse sse;

    (void)state;
    sse_open(f, &sse, "", "");
    sse_wait(&sse, ": heartbeat\n\n: heartbeat\n\n");
    stream_fixture_fill(f, 1, 10, 1);
    sse_wait(&sse, "\"n\":0");
    sse_wait(&sse, "}\n\n: heartbeat\n\n: heartbeat\n\n");
    sse_close(&sse);
    wait_counts(f, 0, 0);
    stream_fixture_stop(f);
}

static void check_refused(struct stream_fixture *f, const char *query, const char *headers,
                          const char *needle)
{
    char request[1000];
    char *answer;

    snprintf(request, sizeof(request),
             "GET /api/v1/stream?%s HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n%s\r\n",
             query, headers);
    answer = raw_exchange(f->port, request);
    if (!strstr(answer, needle))
        fail_msg("no '%s' in %s", needle, answer);
    free(answer);
}

static void test_refusals(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&(struct stream_options){.max_clients = 1});
    struct sse sse;

    (void)state;
    check_refused(f, "colour=red", "", "HTTP/1.1 400 ");
    check_refused(f, "colour=red", "",
                  "\"detail\":\"'colour' is not a parameter of /api/v1/stream; known are: type, "
                  "source, criticality_gt, since, until, q, after\",\"parameter\":\"colour\"}");
    check_refused(f, "limit=5", "", "urn:bellbuoy:problem:unknown-parameter");
    check_refused(f, "before=00000000-5", "", "urn:bellbuoy:problem:unknown-parameter");
    check_refused(f, "criticality_gt=high", "", "urn:bellbuoy:problem:invalid-parameter");
    check_refused(f, "criticality_gt=high", "", "\"parameter\":\"criticality_gt\"");
    check_refused(f, "q=a&q=b", "", "HTTP/1.1 400 ");
    check_refused(f, "type=", "", "HTTP/1.1 400 ");
    check_refused(f, "after=7", "", "\"parameter\":\"after\"");
    check_refused(f, "", "Last-Event-ID: x\r\n", "\"parameter\":\"Last-Event-ID\"");
    check_refused(f, "%ff%22=1", "", "\"parameter\":\"?\\\"\"");

    sse_open(f, &sse, "", "");
    check_refused(f, "", "", "HTTP/1.1 503 ");
    check_refused(f, "", "", "Retry-After: 5\r\n");
    check_refused(f, "", "", "urn:bellbuoy:problem:too-many-clients");
    sse_close(&sse);
    wait_counts(f, 0, 0);
    sse_open(f, &sse, "", "");
    sse_close(&sse);
    stream_fixture_stop(f);
}

/* Streams leave room for requests: with a server of 2,000 connections never more than 1,936. */
static void test_room_for_others(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&(struct stream_options){.max_clients = 2000});

    (void)state;
    assert_int_equal(stream_fixture_counts(f).max, 1936);
    stream_fixture_stop(f);
}

static void test_journal_not_open(void **state)
{
    const struct stream_options options = {.journal_stays_closed = true};
    struct stream_fixture *f = stream_fixture_start(&options);

    (void)state;
    check_refused(f, "", "", "HTTP/1.1 503 ");
    check_refused(f, "", "", "urn:bellbuoy:problem:journal-not-open");
    stream_fixture_stop(f);
}

static void quiesce(void *context)
{
    struct stream_fixture *f = context;

    streams_quiesce(f->streams);
}

static void test_quiesce(void **state)
{
    struct stream_fixture *f = stream_fixture_start(&(struct stream_options){.ring_bytes = 4096});
    struct sse live, slow;

    (void)state;
    sse_open(f, &live, "", "");
    sse_wait(&live, "id: ");
    sse_open_deaf(f, &slow, "", "");
    wait_counts(f, 2, 0);
    stream_fixture_fill(f, 2000, 1000, 100);
    sse_wait(&live, "-2000\n");
    sse_wait_len(&live, strlen(f->frames.data));
    loop_thread_call(&f->thread, quiesce, f);
    sse_wait_end(&live);
    /* The last chunk, by the book. */
    assert_string_equal(live.wire.text, "0\r\n\r\n");
    check_refused(f, "", "", "urn:bellbuoy:problem:stopping");
    sse_read_head(&slow);
    sse_wait_end(&slow);
    sse_close(&live);
    sse_close(&slow);
    wait_counts(f, 0, 0);
    stream_fixture_stop(f);
}

/* ---- all of it at once ---- */

#define MANY  6
#define BURST 1500

struct reader {
    pthread_t thread;
    struct stream_fixture *fixture;
    struct sse sse;
    unsigned seed;
};

/* Reads a little, then a lot, and lets the others go on meanwhile. */
static void *read_unevenly(void *context)
{
    struct reader *r = context;
    size_t searched = 0;
    char last[64];

    format_id(r->fixture, BURST, last, sizeof(last));
    sse_read_head(&r->sse);
    while (!r->sse.body.data || !strstr(r->sse.body.data + searched, last)) {
        searched = r->sse.body.len > sizeof(last) ? r->sse.body.len - sizeof(last) : 0;
        sse_wait_len(&r->sse, r->sse.body.len + 1 + (unsigned)rand_r(&r->seed) % 30000);
        for (unsigned yields = (unsigned)rand_r(&r->seed) % 100; yields > 0; yields--)
            sched_yield();
    }
    return NULL;
}

static void test_uneven_readers_get_every_byte(void **state)
{
    const struct stream_options options = {.ring_bytes = 64 * 1024};
    struct stream_fixture *f = stream_fixture_start(&options);
    struct reader readers[MANY];
    unsigned seed = 7;
    char query[64];

    (void)state;
    snprintf(query, sizeof(query), "after=%08x-0", f->epoch);
    for (unsigned i = 0; i < MANY; i++) {
        readers[i] = (struct reader){.fixture = f, .seed = i};
        sse_open_deaf(f, &readers[i].sse, query, "");
    }
    wait_counts(f, MANY, 0);
    for (unsigned i = 0; i < MANY; i++)
        pthread_create(&readers[i].thread, NULL, read_unevenly, &readers[i]);
    for (unsigned i = 0; i < BURST;) {
        unsigned count = 1 + (unsigned)rand_r(&seed) % 20;

        if (count > BURST - i)
            count = BURST - i;
        stream_fixture_fill(f, count, (size_t)rand_r(&seed) % 3000, count);
        i += count;
    }
    stream_fixture_fill(f, 20, 5000, 20); /* so that a reader's last step has enough to read */
    for (unsigned i = 0; i < MANY; i++) {
        pthread_join(readers[i].thread, NULL);
        check_frames(f, &readers[i].sse, 1);
        sse_close(&readers[i].sse);
    }
    stream_fixture_stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing),
        cmocka_unit_test(test_headers),
        cmocka_unit_test(test_resume_from_the_journal),
        cmocka_unit_test(test_header_wins_over_parameter),
        cmocka_unit_test(test_splice_before_publish),
        cmocka_unit_test(test_slow_client_misses_nothing),
        cmocka_unit_test(test_event_larger_than_the_ring),
        cmocka_unit_test(test_filters_from_the_ring),
        cmocka_unit_test(test_filters_from_the_journal),
        cmocka_unit_test(test_position_after_many_passed),
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_gap_to_an_empty_journal),
        cmocka_unit_test(test_frame_that_vanishes),
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_room_for_others),
        cmocka_unit_test(test_journal_not_open),
        cmocka_unit_test(test_quiesce),
        cmocka_unit_test(test_uneven_readers_get_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
