/* The hub alone: batches made by hand in place of a journal's, and a reader with any patience. */

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "receiver/stream/hub.h"

#define EPOCH 0x5f3a9c01U

struct fixture {
    uv_loop_t loop;
    struct hub *hub;
    struct batch batch;
    struct buf frames; /* of all that was published */
    unsigned published;
};

static void on_published(void *context)
{
    struct fixture *f = context;

    f->published++;
}

static struct fixture *start(size_t ring_bytes)
{
    struct fixture *f = calloc(1, sizeof(*f));

    assert_int_equal(uv_loop_init(&f->loop), 0);
    assert_int_equal(hub_new(&f->loop, ring_bytes, on_published, f, &f->hub), 0);
    batch_init(&f->batch, (size_t)16 << 20);
    f->frames = BUF_INIT((size_t)64 << 20);
    return f;
}

static void stop(struct fixture *f)
{
    hub_free(f->hub);
    uv_run(&f->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&f->loop), 0);
    batch_deinit(&f->batch);
    buf_deinit(&f->frames);
    free(f);
}

static struct batch_text put(struct buf *arena, const char *text)
{
    struct batch_text at = {arena->len, strlen(text)};

    buf_append(arena, text, at.len + 1);
    return at;
}

/* As journal_append() would leave it. */
static void add(struct fixture *f, uint64_t seq, const char *type, size_t text_bytes)
{
    struct batch_entry *entry = batch_add(&f->batch);
    struct buf json = BUF_INIT((size_t)1 << 20);

    buf_append_str(&json, "{\"data\":{\"text\":\"");
    for (size_t i = 0; i < text_bytes; i++)
        buf_append_char(&json, (char)('a' + (seq + i) % 26));
    buf_appendf(&json, "\"},\"cursor\":\"%08x-%llu\"}", EPOCH, (unsigned long long)seq);
    entry->outcome = BATCH_STORED;
    entry->seq = seq;
    entry->type = put(&f->batch.in, type);
    entry->source = put(&f->batch.in, "/machines/a");
    entry->stored = put(&f->batch.out, json.data);
    entry->stored_data = (struct batch_text){entry->stored.at + 8, text_bytes + 11};
    buf_appendf(&f->frames, "id: %08x-%llu\ndata: %s\n\n", EPOCH, (unsigned long long)seq,
                json.data);
    buf_deinit(&json);
}

static void publish(struct fixture *f)
{
    hub_publish(f->hub, &f->batch);
    batch_reset(&f->batch);
}

static void test_nothing_before_it_is_open(void **state)
{
    struct fixture *f = start(4096);
    struct frame_place at = {0};
    struct hub_copied copied;
    char out[100];

    (void)state;
    assert_int_equal(hub_last(f->hub).epoch, 0);
    hub_open(f->hub, (struct cursor){EPOCH, 7});
    assert_int_equal(hub_last(f->hub).epoch, EPOCH);
    assert_int_equal(hub_last(f->hub).seq, 7);
    assert_true(hub_covers(f->hub, 7));
    assert_false(hub_covers(f->hub, 6));
    assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizeof(out), &copied), -ESTALE);
    at.after = 7;
    assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizeof(out), &copied), 0);
    assert_int_equal(copied.bytes, 0);
    assert_false(copied.more);
    stop(f);
}

static void test_publishing_wakes_the_loop_once(void **state)
{
    struct fixture *f = start(1 << 20);

    (void)state;
    hub_open(f->hub, (struct cursor){EPOCH, 0});
    add(f, 1, EVENT_TYPE_HELLO, 10);
    publish(f);
    add(f, 2, EVENT_TYPE_HELLO, 10);
    publish(f);
    uv_run(&f->loop, UV_RUN_NOWAIT);
    assert_int_equal(f->published, 1);
    assert_int_equal(hub_last(f->hub).seq, 2);
    stop(f);
}

/* All that is pending comes in one copy; at any size of the pieces it is the same bytes. */
static void test_copies_at_any_size(void **state)
{
    static const size_t sizes[] = {1 << 20, 1, 7, 100, 4096};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
        struct fixture *f = start(1 << 20);
        struct frame_place at = {0};
        struct hub_copied copied;
        struct buf got = BUF_INIT((size_t)64 << 20);
        char *out = malloc(sizes[i]);
        unsigned events = 0, copies = 0;

        hub_open(f->hub, (struct cursor){EPOCH, 0});
        for (uint64_t seq = 1; seq <= 100; seq++)
            add(f, seq, EVENT_TYPE_HELLO, seq);
        publish(f);
        do {
            assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizes[i], &copied), 0);
            buf_append(&got, out, copied.bytes);
            events += copied.events;
            copies++;
        } while (copied.more);
        assert_string_equal(got.data, f->frames.data);
        assert_int_equal(events, 100);
        assert_int_equal(at.after, 100);
        assert_int_equal(at.offset, 0);
        assert_int_equal(copies, (f->frames.len + sizes[i] - 1) / sizes[i]);
        free(out);
        buf_deinit(&got);
        stop(f);
    }
}

/* A small ring: while a reader keeps up it gets every byte over all the wraps; one that does not is
 * told so, in the middle of a frame too. */
static void test_wraps_and_falls_behind(void **state)
{
    struct fixture *f = start(4096);
    struct frame_place at = {0}, lazy = {0};
    struct hub_copied copied;
    struct buf got = BUF_INIT((size_t)64 << 20);
    char out[512];
    unsigned seed = 3;
    uint64_t seq = 0;

    (void)state;
    hub_open(f->hub, (struct cursor){EPOCH, 0});
    add(f, ++seq, EVENT_TYPE_HELLO, 10);
    publish(f);
    assert_int_equal(hub_copy(f->hub, NULL, &lazy, out, 20, &copied), 0);
    assert_int_equal(lazy.after, 0);
    assert_int_equal(lazy.offset, 20);
    for (int round = 0; round < 1000; round++) {
        unsigned count = (unsigned)rand_r(&seed) % 4;

        while (count-- > 0)
            add(f, ++seq, EVENT_TYPE_HELLO, (unsigned)rand_r(&seed) % 600);
        publish(f);
        do {
            assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizeof(out), &copied), 0);
            buf_append(&got, out, copied.bytes);
        } while (copied.more);
    }
    assert_string_equal(got.data, f->frames.data);
    assert_int_equal(hub_copy(f->hub, NULL, &lazy, out, sizeof(out), &copied), -ESTALE);
    buf_deinit(&got);
    stop(f);
}

static void test_too_large_for_the_ring(void **state)
{
    struct fixture *f = start(4096);
    struct frame_place at = {0};
    struct hub_copied copied;
    char out[4096];

    (void)state;
    hub_open(f->hub, (struct cursor){EPOCH, 0});
    add(f, 1, EVENT_TYPE_HELLO, 10);
    add(f, 2, EVENT_TYPE_HELLO, 3000);
    add(f, 3, EVENT_TYPE_HELLO, 10);
    publish(f);
    assert_int_equal(hub_last(f->hub).seq, 3);
    assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizeof(out), &copied), -ESTALE);
    at.after = 2;
    assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizeof(out), &copied), 0);
    assert_int_equal(copied.events, 1);
    assert_int_equal(at.after, 3);
    stop(f);
}

static void test_duplicates_are_passed_by(void **state)
{
    struct fixture *f = start(1 << 20);
    struct frame_place at = {0};
    struct hub_copied copied;
    char out[4096];

    (void)state;
    hub_open(f->hub, (struct cursor){EPOCH, 0});
    add(f, 1, EVENT_TYPE_HELLO, 10);
    add(f, 0, EVENT_TYPE_HELLO, 10);
    f->batch.entries[1].outcome = BATCH_DUPLICATE;
    batch_add(&f->batch)->outcome = BATCH_QUARANTINED;
    add(f, 2, EVENT_TYPE_HELLO, 10);
    publish(f);
    assert_int_equal(hub_copy(f->hub, NULL, &at, out, sizeof(out), &copied), 0);
    assert_int_equal(copied.events, 2);
    assert_int_equal(at.after, 2);
    stop(f);
}

static void test_filtered(void **state)
{
    struct fixture *f = start(1 << 20);
    struct frame_place at = {0};
    struct hub_copied copied;
    struct query filter;
    struct err e;
    char out[65536];
    unsigned events = 0, passed = 0;

    (void)state;
    query_init(&filter);
    assert_int_equal(query_set(&filter, QUERY_TYPE, "session", &e), 0);
    assert_int_equal(query_set(&filter, QUERY_Q, "ABC", &e), 0);
    hub_open(f->hub, (struct cursor){EPOCH, 0});
    for (uint64_t seq = 1; seq <= 2600; seq++)
        add(f, seq, seq % 2 ? EVENT_TYPE_HELLO : EVENT_TYPE_SESSION, 3);
    publish(f);
    do {
        size_t max = 1 + events % 50;

        assert_int_equal(hub_copy(f->hub, &filter, &at, out, max, &copied), 0);
        assert_true(copied.bytes <= max);
        events += copied.events;
        passed += copied.passed;
    } while (copied.more);
    /* Three letters from seq % 26 on are "abc" for every 26th, all of which are even. */
    assert_int_equal(events, 100);
    assert_int_equal(passed, 2500);
    assert_int_equal(at.after, 2600);
    assert_int_equal(copied.last, 2600);
    stop(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nothing_before_it_is_open),
        cmocka_unit_test(test_publishing_wakes_the_loop_once),
        cmocka_unit_test(test_copies_at_any_size),
        cmocka_unit_test(test_wraps_and_falls_behind),
        cmocka_unit_test(test_too_large_for_the_ring),
        cmocka_unit_test(test_duplicates_are_passed_by),
        cmocka_unit_test(test_filtered),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
