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
        sse_open_after(f, &sse[i], afters[i]);
        if (afters[i] < 3000)
            sse_check_frames(f, &sse[i], afters[i] + 1);
    }
    stream_fixture_wait_counts(f, ARRAY_SIZE(afters), 0);
    stream_fixture_fill(f, 3, 200, 1);
    for (size_t i = 0; i < ARRAY_SIZE(afters); i++) {
        sse_check_frames(f, &sse[i], afters[i] + 1);
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
    sse_check_frames(f, &sse, 4);
    sse_close(&sse);
    sse_open(f, &sse, query, header);
    sse_check_frames(f, &sse, 8);
    sse_close(&sse);
    sse_open(f, &sse, query, "Last-Event-ID: \r\n");
    sse_check_frames(f, &sse, 4);
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
    sse_open_after(f, &sse, 0);
    sse_check_frames(f, &sse, 1);
    stream_fixture_wait_counts(f, 1, 0);
    hub_publish(streams_hub(f->streams), &f->batch);
    batch_reset(&f->batch);
    stream_fixture_fill(f, 1, 200, 1);
    sse_check_frames(f, &sse, 1);
    sse_close(&sse);
    /* Nor is one that comes with that cursor ahead of the journal. */
    stream_fixture_add(f, &(struct stream_event){EVENT_TYPE_HELLO, "/machines/b", EVENT_NO_NUMBER,
                                                 "{\"text\":\"early\"}"});
    stream_fixture_store(f);
    sse_open_after(f, &sse, 103);
    stream_fixture_wait_counts(f, 1, 0);
    hub_publish(streams_hub(f->streams), &f->batch);
    batch_reset(&f->batch);
    stream_fixture_fill(f, 1, 200, 1);
    sse_check_frames(f, &sse, 104);
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
    stream_fixture_wait_counts(f, 2, 0);
    stream_fixture_fill(f, 10000, 300, 50);
    sse_check_frames(f, &live, 1);
    sse_read_head(&slow);
    sse_check_frames(f, &slow, 1);
    stream_fixture_wait_counts(f, 2, 0);
    stream_fixture_fill(f, 1, 300, 1);
    sse_check_frames(f, &live, 1);
    sse_check_frames(f, &slow, 1);
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
    sse_open_after(f, &live, 0);
    stream_fixture_wait_counts(f, 1, 0);
    stream_fixture_fill(f, 3, 100, 1);
    stream_fixture_fill(f, 2, 256 * 1024, 1);
    stream_fixture_fill(f, 3, 100, 1);
    sse_check_frames(f, &live, 1);
    sse_open_after(f, &late, 3);
    sse_check_frames(f, &late, 4);
    sse_close(&live);
    sse_close(&late);
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
    stream_fixture_wait_counts(f, 0, 0);
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
    stream_fixture_wait_counts(f, 0, 0);
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
    stream_fixture_wait_counts(f, 2, 0);
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
    stream_fixture_wait_counts(f, 0, 0);
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

    stream_fixture_format_id(r->fixture, BURST, last, sizeof(last));
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
    stream_fixture_wait_counts(f, MANY, 0);
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
        sse_check_frames(f, &readers[i].sse, 1);
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
        cmocka_unit_test(test_heartbeat),
        cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_room_for_others),
        cmocka_unit_test(test_journal_not_open),
        cmocka_unit_test(test_quiesce),
        cmocka_unit_test(test_uneven_readers_get_every_byte),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
