#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define S INT64_C(1000000)

static const char *stored(const struct fixture *f, const struct batch_entry *entry)
{
    static char text[4096];
    (void)snprintf(text, sizeof text, "%.*s", (int)entry->stored.len,
                   batch_out(&f->batch, entry->stored));
    return text;
}

static void test_first_event(void **state)
{
    struct fixture *f = *state;
    struct journal_status status = fixture_status(f);
    assert_int_equal(status.state, JOURNAL_OK);
    assert_true(status.first.seq == 1 && status.last.seq == 0 && status.events == 0);

    struct batch_entry *entry = STORE(f, .id = "x", .time_us = FIXTURE_NOW_US - 5);
    assert_int_equal(entry->outcome, BATCH_STORED);
    assert_true(entry->seq == 1);
    assert_string_equal(stored(f, entry),
                        "{\"specversion\":\"1.0\",\"id\":\"x\",\"data\":{\"text\":\"Hello\"},"
                        "\"type\":\"bellbuoy.hello.v1\",\"cursor\":\"5f3a9c01-1\","
                        "\"recordedtime\":\"2026-11-20T21:38:01.000000Z\"}");
    assert_int_equal(entry->stored_data.len, strlen("{\"text\":\"Hello\"}"));
    assert_memory_equal(batch_out(&f->batch, entry->stored_data), "{\"text\":\"Hello\"}",
                        entry->stored_data.len);
    status = fixture_status(f);
    assert_true(status.first.seq == 1 && status.last.seq == 1 && status.events == 1);
    assert_true(status.last.epoch == FIXTURE_EPOCH);
}

static void test_attributes(void **state)
{
    struct fixture *f = *state;
    int64_t t = FIXTURE_NOW_US;
    STORE(f, .time_us = t);
    struct batch_entry *entry = STORE(f, .time_us = t + 1500999);
    assert_non_null(strstr(stored(f, entry), ",\"intervalms\":1500}"));
    entry = STORE(f, .time_us = t + S, .dedupe_none = true);
    assert_non_null(strstr(stored(f, entry), "Z\",\"late\":true,\"dedupe\":\"none\"}"));
    /* The late one is not what the next is measured from. */
    entry = STORE(f, .time_us = t + 2 * S);
    assert_non_null(strstr(stored(f, entry), ",\"intervalms\":499}"));
    /* Another source's first. */
    entry = STORE(f, .source = "/machines/b", .time_us = t);
    assert_null(strstr(stored(f, entry), "intervalms"));
    assert_null(strstr(stored(f, entry), "late"));
    /* Without a time, the recorded one. */
    f->now_us = t + 5 * S;
    entry = STORE(f, .time_us = 0);
    assert_non_null(strstr(stored(f, entry), ",\"intervalms\":3000}"));
    assert_int_equal(fixture_source(f, "/machines/a").late, 1);
}

static void test_interval_bounds(void **state)
{
    struct fixture *f = *state;
    int64_t t = FIXTURE_NOW_US;
    STORE(f, .time_us = t);
    struct batch_entry *entry = STORE(f, .time_us = t + INT64_C(2147483647) * 1000);
    assert_non_null(strstr(stored(f, entry), ",\"intervalms\":2147483647}"));
    entry = STORE(f, .time_us = t + INT64_C(2 * 2147483648) * 1000);
    assert_null(strstr(stored(f, entry), "intervalms"));
    /* In sequence, but its clock went back. */
    STORE(f, .source = "/machines/c", .bootid = "b", .sequence = 1, .time_us = t);
    entry = STORE(f, .source = "/machines/c", .bootid = "b", .sequence = 2, .time_us = t - S);
    assert_null(strstr(stored(f, entry), "intervalms"));
    assert_null(strstr(stored(f, entry), "late"));
    /* Times at the far ends do not overflow. */
    STORE(f, .source = "/machines/d", .time_us = INT64_MIN + 1);
    entry = STORE(f, .source = "/machines/d", .time_us = INT64_MAX);
    assert_null(strstr(stored(f, entry), "intervalms"));
}

static void test_duplicates_take_no_place(void **state)
{
    struct fixture *f = *state;
    ADD(f, .id = "1");
    ADD(f, .id = "1");
    ADD(f, .id = "1", .source = "/machines/b");
    ADD(f, .id = "2");
    fixture_append(f);
    assert_int_equal(f->batch.entries[0].outcome, BATCH_STORED);
    assert_int_equal(f->batch.entries[1].outcome, BATCH_DUPLICATE);
    assert_int_equal(f->batch.entries[2].outcome, BATCH_STORED);
    assert_int_equal(f->batch.entries[3].outcome, BATCH_STORED);
    assert_true(f->batch.entries[3].seq == 3);
    assert_int_equal(STORE(f, .id = "2")->outcome, BATCH_DUPLICATE);
    fixture_reopen(f);
    assert_int_equal(STORE(f, .id = "1")->outcome, BATCH_DUPLICATE);
    assert_true(STORE(f, .id = "3")->seq == 4);
    assert_true(fixture_source(f, "/machines/a").duplicates == 3);
    assert_true(fixture_source(f, "/machines/a").count == 3);
}

static void test_quarantine_takes_no_place(void **state)
{
    struct fixture *f = *state;
    fixture_add_quarantine(f, "bellbuoy/events/x", "\0{", 2);
    ADD(f, .id = "1");
    fixture_append(f);
    assert_int_equal(f->batch.entries[0].outcome, BATCH_QUARANTINED);
    assert_true(f->batch.entries[1].seq == 1);
    assert_true(fixture_status(f).quarantined == 1);
}

static void test_reopen_goes_on(void **state)
{
    struct fixture *f = *state;
    STORE(f, .bootid = "b1", .sequence = 7, .time_us = FIXTURE_NOW_US, .color = "#2f81f7");
    fixture_reopen(f);
    struct batch_entry *entry =
        STORE(f, .bootid = "b1", .sequence = 8, .time_us = FIXTURE_NOW_US + S);
    assert_true(entry->seq == 2);
    assert_non_null(strstr(stored(f, entry), "\"cursor\":\"5f3a9c01-2\""));
    assert_non_null(strstr(stored(f, entry), ",\"intervalms\":1000}"));
    struct journal_source source = fixture_source(f, "/machines/a");
    assert_true(source.count == 2 && source.last_seq == 2 && source.last_sequence == 8);
    assert_string_equal(source.bootid, "b1");
    assert_string_equal(source.color, "#2f81f7");
}

static void test_empty_batch(void **state)
{
    struct fixture *f = *state;
    fixture_append(f);
    assert_true(fixture_status(f).last.seq == 0);
}

static void test_batch_texts(void **state)
{
    struct batch batch;
    (void)state;
    batch_init(&batch, 64);
    struct batch_entry *entry = batch_add(&batch);
    assert_string_equal(batch_in(&batch, entry->color), "");
    struct batch_text text = batch_copy(&batch, "abc", 3);
    assert_string_equal(batch_in(&batch, text), "abc");
    char big[100] = {0};
    text = batch_copy(&batch, big, sizeof big);
    assert_int_equal(text.len, 0);
    assert_true(batch_failed(&batch));
    batch_reset(&batch);
    assert_false(batch_failed(&batch));
    assert_int_equal(batch.count, 0);
    size_t count = 0;
    while (batch_add(&batch)) {
        count++;
    }
    assert_int_equal(count, 16384);
    batch_deinit(&batch);
}

/* More sources than are kept in memory: the others come back from their rows. */
static void test_many_sources(void **state)
{
    struct fixture *f = *state;
    for (int round = 0; round < 2; round++) {
        for (int i = 0; i < 21000; i++) {
            char source[32];
            (void)snprintf(source, sizeof source, "/machines/%d", i);
            if (i % 1000 == 0) {
                batch_reset(&f->batch);
            }
            ADD(f, .source = source, .bootid = "b", .sequence = 1 + (uint64_t)round);
            if (i % 1000 == 999) {
                fixture_append(f);
            }
        }
    }
    struct journal_status status = fixture_status(f);
    assert_true(status.events == 42000);
    assert_true(status.missing == 0);
    assert_true(fixture_source(f, "/machines/0").count == 2);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_first_event),
        TEST(test_attributes),
        TEST(test_interval_bounds),
        TEST(test_duplicates_take_no_place),
        TEST(test_quarantine_takes_no_place),
        TEST(test_reopen_goes_on),
        TEST(test_empty_batch),
        cmocka_unit_test(test_batch_texts),
        TEST(test_many_sources),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
