/* Filters of a stream, which the ring and the journal must judge alike. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "tests/unit/receiver/stream/stream_fixture.h"

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
    stream_fixture_wait_counts(f, ARRAY_SIZE(filters), 0);
    for (unsigned i = 0; i < MIXED; i++)
        add_mixed(f, i);
    stream_fixture_format_id(f, MIXED, last, sizeof(last));
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
        stream_fixture_wait_counts(f, 1, 0);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_filters_from_the_ring),
        cmocka_unit_test(test_filters_from_the_journal),
        cmocka_unit_test(test_position_after_many_passed),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
