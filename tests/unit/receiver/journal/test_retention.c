#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HOUR_US (INT64_C(3600) * 1000000)

/* n rows in one batch. */
static void store_many(struct fixture *f, unsigned n)
{
    batch_reset(&f->batch);
    for (unsigned i = 0; i < n; i++) {
        ADD(f, .source = NULL);
    }
    fixture_append(f);
}

static void maintain_all(struct fixture *f)
{
    while (journal_maintain(f->journal) > 0) {
    }
}

static int setup_hour(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    assert_non_null(f);
    fixture_init(f);
    f->retention_age_ms = 3600 * 1000;
    fixture_open(f);
    *state = f;
    return 0;
}

static void test_by_age(void **state)
{
    struct fixture *f = *state;
    store_many(f, 1000);
    f->now_us += HOUR_US / 2;
    store_many(f, 10);
    maintain_all(f);
    assert_true(fixture_status(f).events == 1010);
    f->now_us += HOUR_US / 2 + 1;
    maintain_all(f);
    struct journal_status status = fixture_status(f);
    assert_true(status.events == 10 && status.first.seq == 1001 && status.last.seq == 1010);
    fixture_reopen(f);
    status = fixture_status(f);
    assert_true(status.events == 10 && status.first.seq == 1001 && status.last.seq == 1010);
}

static void test_a_place_is_never_given_again(void **state)
{
    struct fixture *f = *state;
    store_many(f, 100);
    f->now_us += HOUR_US + 1;
    maintain_all(f);
    struct journal_status status = fixture_status(f);
    assert_true(status.events == 0 && status.first.seq == 101 && status.last.seq == 100);
    fixture_reopen(f);
    status = fixture_status(f);
    assert_true(status.first.seq == 101 && status.last.seq == 100);
    assert_true(STORE(f, .source = NULL)->seq == 101);
    assert_true(fixture_status(f).events == 1);
}

static int take(void *context, const struct record *record)
{
    (void)record;
    ++*(unsigned *)context;
    return 0;
}

static void test_filters_after_retention(void **state)
{
    struct fixture *f = *state;
    struct query query;
    struct journal_page page;
    unsigned count = 0;
    store_many(f, 600);
    f->now_us += HOUR_US + 1;
    store_many(f, 300);
    maintain_all(f);
    query_init(&query);
    query.limit = 1000;
    assert_int_equal(query_set(&query, QUERY_SOURCE, "a", NULL), 0);
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_read(reader, &query, take, &count, &page, NULL), 0);
    assert_int_equal(count, 300);
    assert_true(page.first.seq == 601 && page.last.seq == 900);
    journal_reader_close(reader);
}

static void test_silent_sources_go(void **state)
{
    struct fixture *f = *state;
    STORE(f, .source = "/machines/old", .bootid = "b", .sequence = 1);
    STORE(f, .source = "/machines/old", .bootid = "c", .sequence = 1);
    STORE(f, .source = "/machines/old", .bootid = "c", .sequence = 5);
    assert_true(fixture_status(f).missing == 3);
    f->now_us += HOUR_US + 1;
    STORE(f, .source = "/machines/new");
    maintain_all(f);
    char text[256];
    fixture_incidents(f, text, sizeof text);
    assert_string_equal(text, "sequence_hole /machines/old c 2-4 3 closed\n");
    struct journal_status status = fixture_status(f);
    assert_true(status.missing == 0 && status.incidents_open == 0);
    /* It comes back as a new one. */
    STORE(f, .source = "/machines/old", .bootid = "b", .sequence = 9);
    assert_true(fixture_source(f, "/machines/old").count == 1);
    assert_true(fixture_status(f).missing == 0);
    fixture_reopen(f);
    assert_true(fixture_source(f, "/machines/old").count == 1);
}

static int setup_small(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    assert_non_null(f);
    fixture_init(f);
    f->retention_bytes = 1000000;
    fixture_open(f);
    *state = f;
    return 0;
}

/* At its bound the journal takes on: one step after each batch keeps pace. */
static void test_by_size(void **state)
{
    struct fixture *f = *state;
    int64_t highest = 0;
    for (int i = 0; i < 150; i++) {
        store_many(f, 100);
        int64_t size = fixture_status(f).size_bytes;
        highest = size > highest ? size : highest;
        (void)journal_maintain(f->journal);
    }
    struct journal_status status = fixture_status(f);
    assert_true(status.last.seq == 15000);
    assert_true(status.events > 1000 && status.events < 8000);
    assert_true(status.first.seq == 15000 - status.events + 1);
    assert_true(highest < 1100000);
    maintain_all(f);
    assert_true(fixture_status(f).size_bytes <= 1000000);
}

static void test_more_than_fits(void **state)
{
    struct fixture *f = *state;
    store_many(f, 16000);
    assert_true(fixture_status(f).size_bytes > 3000000);
    maintain_all(f);
    struct journal_status status = fixture_status(f);
    assert_true(status.size_bytes <= 1000000 && status.events > 1000);
    assert_int_equal(STORE(f, .source = NULL)->outcome, BATCH_STORED);
}

int main(void)
{
#define TEST(setup, fn) cmocka_unit_test_setup_teardown(fn, setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(setup_hour, test_by_age),
        TEST(setup_hour, test_a_place_is_never_given_again),
        TEST(setup_hour, test_filters_after_retention),
        TEST(setup_hour, test_silent_sources_go),
        TEST(setup_small, test_by_size),
        TEST(setup_small, test_more_than_fits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
