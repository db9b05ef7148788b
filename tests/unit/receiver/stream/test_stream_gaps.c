/* What a client is told when events are gone. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/receiver/stream/stream_fixture.h"

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
                           strlen(stream_fixture_frames_from(f, to + 1)));
    assert_string_equal(sse_after_retry(&sse) + strlen(expected),
                        stream_fixture_frames_from(f, to + 1));
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
    sse_open_after(f, &sse, 10);
    snprintf(expected, sizeof(expected), "\"to\":\"%08x-500\",\"reason\":\"retention\"}\n\n",
             f->epoch);
    sse_wait(&sse, expected);
    stream_fixture_fill(f, 1, 100, 1);
    sse_wait(&sse, "\"n\":0,");
    assert_string_equal(strstr(sse.body.data, "\"retention\"}\n\n") + 14,
                        stream_fixture_frames_from(f, 501));
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
    stream_fixture_wait_counts(f, 1, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_gaps),
        cmocka_unit_test(test_gap_to_an_empty_journal),
        cmocka_unit_test(test_frame_that_vanishes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
