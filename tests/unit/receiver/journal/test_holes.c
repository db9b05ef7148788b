#include <stdio.h>
#include <string.h>

#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOLE "sequence_hole /machines/a b "

static void send(struct fixture *f, const char *bootid, const uint64_t *sequences)
{
    for (; *sequences; sequences++) {
        STORE(f, .bootid = bootid, .sequence = *sequences);
    }
}
#define SEND(f, bootid, ...) send((f), (bootid), (const uint64_t[]){__VA_ARGS__, 0})

static void expect(struct fixture *f, const char *incidents, uint64_t missing)
{
    static char text[65536];
    fixture_incidents(f, text, sizeof text);
    assert_string_equal(text, incidents);
    assert_true(fixture_source(f, "/machines/a").missing == missing);
    assert_true(fixture_status(f).missing == missing);
}

static void test_a_start_is_no_hole(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 40, 41, 42);
    expect(f, "", 0);
}

static void test_a_jump_opens_one(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 4);
    expect(f, HOLE "2-3 2 open\n", 2);
    SEND(f, "b", 6);
    expect(f, HOLE "5-5 1 open\n" HOLE "2-3 2 open\n", 3);
    assert_true(fixture_status(f).incidents_open == 2);
}

static void test_late_ones_close_it(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 6);
    SEND(f, "b", 2);
    expect(f, HOLE "3-5 3 open\n", 3);
    SEND(f, "b", 5);
    expect(f, HOLE "3-4 2 open\n", 2);
    SEND(f, "b", 3, 4);
    expect(f, HOLE "4-4 0 closed\n", 0);
    assert_true(fixture_status(f).incidents_open == 0);
    assert_true(fixture_source(f, "/machines/a").late == 4);
}

static void test_one_in_the_middle_splits_it(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 10, 5);
    expect(f, HOLE "6-9 4 open\n" HOLE "2-4 3 open\n", 7);
    SEND(f, "b", 3);
    expect(f, HOLE "4-4 1 open\n" HOLE "6-9 4 open\n" HOLE "2-2 1 open\n", 6);
    SEND(f, "b", 9, 8, 7, 6, 4, 2);
    expect(f, HOLE "4-4 0 closed\n" HOLE "6-6 0 closed\n" HOLE "2-2 0 closed\n", 0);
}

static void test_a_redelivered_batch_out_of_order(void **state)
{
    struct fixture *f = *state;
    char text[4096];
    SEND(f, "b", 1, 2);
    batch_reset(&f->batch);
    static const uint64_t order[] = {9, 3, 7, 4, 8, 5, 6, 10};
    for (size_t i = 0; i < ARRAY_SIZE(order); i++) {
        ADD(f, .bootid = "b", .sequence = order[i]);
    }
    fixture_append(f);
    assert_true(fixture_status(f).missing == 0);
    fixture_incidents(f, text, sizeof text);
    assert_null(strstr(text, "open"));
}

static void test_a_duplicate_changes_nothing(void **state)
{
    struct fixture *f = *state;
    STORE(f, .bootid = "b", .sequence = 1, .id = "1");
    STORE(f, .bootid = "b", .sequence = 5, .id = "5");
    STORE(f, .bootid = "b", .sequence = 1, .id = "1");
    STORE(f, .bootid = "b", .sequence = 9, .id = "5");
    expect(f, HOLE "2-4 3 open\n", 3);
    assert_true(fixture_source(f, "/machines/a").last_sequence == 5);
}

static void test_a_new_boot_id_starts_anew(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 2, 3);
    SEND(f, "c", 1, 2);
    expect(f, "", 0);
    assert_string_equal(fixture_source(f, "/machines/a").bootid, "c");
}

static void test_a_former_boot_id_is_remembered(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 5);
    SEND(f, "c", 1);
    /* Late of b: fills b's hole, and c stays the current one. */
    SEND(f, "b", 3);
    expect(f, HOLE "4-4 1 open\n" HOLE "2-2 1 open\n", 2);
    assert_string_equal(fixture_source(f, "/machines/a").bootid, "c");
    /* A jump of b: two processes share a name. */
    SEND(f, "b", 7);
    expect(f, HOLE "6-6 1 open\n" HOLE "4-4 1 open\n" HOLE "2-2 1 open\n", 3);
    SEND(f, "c", 2);
    expect(f, HOLE "6-6 1 open\n" HOLE "4-4 1 open\n" HOLE "2-2 1 open\n", 3);
}

static void test_holes_outlive_a_restart(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 5);
    SEND(f, "c", 1);
    fixture_reopen(f);
    assert_true(fixture_status(f).missing == 3);
    assert_true(fixture_status(f).incidents_open == 1);
    SEND(f, "b", 2, 3, 4);
    SEND(f, "c", 2);
    expect(f, HOLE "4-4 0 closed\n", 0);
}

static void test_a_stranger_grows_nothing(void **state)
{
    struct fixture *f = *state;
    SEND(f, "b", 1, 1000000000000000000u);
    expect(f, HOLE "2-999999999999999999 999999999999999998 open\n", 999999999999999998u);
    SEND(f, "b", INT64_MAX);
    /* Beyond what the journal counts: as if it had none. */
    SEND(f, "b", (uint64_t)INT64_MAX + 1, UINT64_MAX - 1);
    assert_true(fixture_source(f, "/machines/a").last_sequence == INT64_MAX);
    assert_true(fixture_source(f, "/machines/a").count == 5);
}

static void test_many_holes_become_one(void **state)
{
    struct fixture *f = *state;
    batch_reset(&f->batch);
    for (uint64_t sequence = 1; sequence <= 3001; sequence += 2) {
        ADD(f, .bootid = "b", .sequence = sequence);
    }
    fixture_append(f);
    struct journal_status status = fixture_status(f);
    assert_true(status.incidents_open == 1000);
    assert_true(status.missing == 1500);
    /* The last has grown over 501 holes of one message each; each late one counts. */
    char text[65536];
    fixture_incidents(f, text, sizeof text);
    assert_memory_equal(text, HOLE "2000-3000 501 open\n", strlen(HOLE "2000-3000 501 open\n"));
    batch_reset(&f->batch);
    for (uint64_t sequence = 2; sequence <= 3000; sequence += 2) {
        ADD(f, .bootid = "b", .sequence = sequence);
    }
    fixture_append(f);
    status = fixture_status(f);
    assert_true(status.missing == 0);
    assert_true(status.incidents_open == 0);
}

/* ---- at random, beside a plain count ---- */

#define RANDOM_SEQUENCES 600

static uint32_t next_random(uint32_t *state)
{
    *state = *state * 1664525u + 1013904223u;
    return *state >> 16;
}

/* How many of the sequences between the first and the highest that came have not come. */
static uint64_t plain_missing(const bool *came, uint64_t first)
{
    uint64_t highest = 0, missing = 0;
    for (uint64_t i = first; i <= RANDOM_SEQUENCES; i++) {
        highest = came[i] ? i : highest;
    }
    for (uint64_t i = first; i <= highest; i++) {
        missing += !came[i];
    }
    return missing;
}

/* Open holes as rows: runs of what has not come. */
static uint64_t plain_holes(const bool *came, uint64_t first)
{
    uint64_t holes = 0, run = 0;
    for (uint64_t i = first; i <= RANDOM_SEQUENCES; i++) {
        holes += came[i] && run > 0;
        run = came[i] ? 0 : run + 1;
    }
    return holes;
}

static void test_any_order(void **state)
{
    struct fixture *f = *state;
    for (uint32_t seed = 1; seed <= 12; seed++) {
        char source[32];
        uint64_t first = 0;
        bool came[RANDOM_SEQUENCES + 1] = {false};
        uint32_t random = seed;
        uint64_t missing_before = fixture_status(f).missing;
        uint64_t open_before = fixture_status(f).incidents_open;
        (void)snprintf(source, sizeof source, "/machines/%u", seed);
        for (unsigned batch = 0; batch < 20; batch++) {
            batch_reset(&f->batch);
            for (unsigned i = 0; i < 40; i++) {
                uint64_t reach = 30 * (batch + 1);
                uint64_t sequence = 1 + next_random(&random) % reach;
                char id[32];
                (void)snprintf(id, sizeof id, "%u", (unsigned)sequence);
                first = first ? first : sequence;
                came[sequence] = true;
                ADD(f, .source = source, .bootid = "b", .sequence = sequence, .id = id);
            }
            fixture_append(f);
            struct journal_status status = fixture_status(f);
            assert_true(status.missing - missing_before == plain_missing(came, first));
            assert_true(status.incidents_open - open_before == plain_holes(came, first));
        }
    }
}

static void test_closed_ones_are_pruned(void **state)
{
    struct fixture *f = *state;
    for (uint64_t round = 0; round < 12; round++) {
        batch_reset(&f->batch);
        for (uint64_t i = 0; i < 900; i++) {
            uint64_t base = (round * 900 + i) * 2 + 1;
            ADD(f, .bootid = "b", .sequence = base);
            ADD(f, .bootid = "b", .sequence = base + 2);
            ADD(f, .bootid = "b", .sequence = base + 1);
        }
        fixture_append(f);
    }
    for (int i = 0; i < 10; i++) {
        (void)journal_maintain(f->journal);
    }
    struct journal_reader *reader = fixture_reader(f);
    journal_reader_close(reader);
    char text[65536];
    fixture_incidents(f, text, sizeof text);
    assert_memory_equal(text, HOLE "21600-21600 0 closed\n", strlen(HOLE "21600-21600 0 closed\n"));
    fixture_reopen(f);
    assert_true(fixture_status(f).incidents_open == 0);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_a_start_is_no_hole),
        TEST(test_a_jump_opens_one),
        TEST(test_late_ones_close_it),
        TEST(test_one_in_the_middle_splits_it),
        TEST(test_a_redelivered_batch_out_of_order),
        TEST(test_a_duplicate_changes_nothing),
        TEST(test_a_new_boot_id_starts_anew),
        TEST(test_a_former_boot_id_is_remembered),
        TEST(test_holes_outlive_a_restart),
        TEST(test_a_stranger_grows_nothing),
        TEST(test_many_holes_become_one),
        TEST(test_any_order),
        TEST(test_closed_ones_are_pruned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
