#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct text {
    char text[4096];
    size_t len;
};

static void add(struct text *out, const char *fmt, ...) FORMAT(2, 3);
static void add(struct text *out, const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    int n = vsnprintf(out->text + out->len, sizeof out->text - out->len, fmt, args);
    va_end(args);
    assert_true(n >= 0 && (size_t)n < sizeof out->text - out->len);
    out->len += (size_t)n;
}

static void take_source(void *context, const struct journal_source *source)
{
    add(context, "%s %" PRIu64 " %s %s %s\n", source->source, source->count, source->last_type,
        source->color ? source->color : "-", source->bootid ? source->bootid : "-");
}

static void test_sources_by_name(void **state)
{
    struct fixture *f = *state;
    struct text out = {.len = 0};
    bool more;
    STORE(f, .source = "/machines/b", .color = "#2f81f7");
    STORE(f, .source = "/topics/x", .type = EVENT_TYPE_RAW);
    STORE(f, .source = "/machines/a", .bootid = "b0", .sequence = 3);
    STORE(f, .source = "/machines/b");
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_read_sources(reader, NULL, 2, take_source, &out, &more, NULL), 0);
    assert_true(more);
    assert_string_equal(out.text, "/machines/a 1 bellbuoy.hello.v1 - b0\n"
                                  "/machines/b 2 bellbuoy.hello.v1 #2f81f7 -\n");
    out.len = 0;
    assert_int_equal(journal_read_sources(reader, "/machines/b", 2, take_source, &out, &more, NULL),
                     0);
    assert_false(more);
    assert_string_equal(out.text, "/topics/x 1 bellbuoy.raw.v1 - -\n");
    journal_reader_close(reader);
    assert_true(fixture_source(f, "/machines/b").last_sequence == EVENT_NO_SEQUENCE);
    assert_true(fixture_source(f, "/machines/a").first_seen_us == FIXTURE_NOW_US);
}

static void take_incident(void *context, const struct journal_incident_row *row)
{
    add(context, "%" PRId64 " %s %s: %s\n", row->id, row->kind, row->source ? row->source : "-",
        row->detail);
}

static void test_incidents(void **state)
{
    struct fixture *f = *state;
    struct text out = {.len = 0};
    bool more;
    STORE(f, .bootid = "b", .sequence = 1);
    STORE(f, .bootid = "b", .sequence = 3);
    assert_int_equal(journal_incident(f->journal, "session_lost", "the broker forgot", NULL), 0);
    STORE(f, .source = "/machines/c", .bootid = "b", .sequence = 1);
    STORE(f, .source = "/machines/c", .bootid = "b", .sequence = 42);
    STORE(f, .bootid = "b", .sequence = 2);
    struct journal_reader *reader = fixture_reader(f);
    struct journal_list list = {.limit = 2};
    assert_int_equal(journal_read_incidents(reader, &list, take_incident, &out, &more, NULL), 0);
    assert_true(more);
    assert_string_equal(out.text,
                        "3 sequence_hole /machines/c: 40 messages of /machines/c (2 to 41) have "
                        "not arrived\n2 session_lost -: the broker forgot\n");
    out.len = 0;
    list.before = 2;
    assert_int_equal(journal_read_incidents(reader, &list, take_incident, &out, &more, NULL), 0);
    assert_false(more);
    assert_string_equal(out.text, "1 sequence_hole /machines/a: all messages of /machines/a that "
                                  "were missing here have arrived late\n");
    out.len = 0;
    list = (struct journal_list){.limit = 9, .kind = "session_lost"};
    assert_int_equal(journal_read_incidents(reader, &list, take_incident, &out, &more, NULL), 0);
    assert_string_equal(out.text, "2 session_lost -: the broker forgot\n");
    out.len = 0;
    list = (struct journal_list){.limit = 9, .source = "/machines/c", .kind = "session_lost"};
    assert_int_equal(journal_read_incidents(reader, &list, take_incident, &out, &more, NULL), 0);
    assert_int_equal(out.len, 0);
    journal_reader_close(reader);
    /* A lost session is a moment, not a state that lasts. */
    assert_true(fixture_status(f).incidents_open == 1);
}

static void take_quarantine(void *context, const struct journal_quarantine_row *row)
{
    add(context, "%" PRId64 " %s %s %zu\n", row->id, row->topic, row->reason, row->size);
}

static void test_quarantine(void **state)
{
    struct fixture *f = *state;
    struct text out = {.len = 0};
    bool more;
    fixture_add_quarantine(f, "t/1", "{", 1);
    fixture_add_quarantine(f, "t/2", "\0\0", 2);
    fixture_add_quarantine(f, "t/3", "", 0);
    fixture_append(f);
    struct journal_reader *reader = fixture_reader(f);
    struct journal_list list = {.limit = 2};
    assert_int_equal(journal_read_quarantine(reader, &list, take_quarantine, &out, &more, NULL), 0);
    assert_true(more);
    assert_string_equal(out.text, "3 t/3 not JSON 0\n2 t/2 not JSON 2\n");
    out.len = 0;
    list.before = 2;
    assert_int_equal(journal_read_quarantine(reader, &list, take_quarantine, &out, &more, NULL), 0);
    assert_false(more);
    assert_string_equal(out.text, "1 t/1 not JSON 1\n");
    journal_reader_close(reader);
}

static void test_quarantine_is_bounded(void **state)
{
    struct fixture *f = *state;
    struct text out = {.len = 0};
    bool more;
    for (int i = 0; i < 10100; i++) {
        if (i % 1000 == 0) {
            batch_reset(&f->batch);
        }
        fixture_add_quarantine(f, "t", "x", 1);
        if (i % 1000 == 999 || i == 10099) {
            fixture_append(f);
        }
    }
    assert_true(fixture_status(f).quarantined == 10000);
    /* 100 KB each: 64 MB hold 655 of them, and nothing else. */
    static char big[100 * 1024];
    for (int i = 0; i < 700; i++) {
        if (i % 100 == 0) {
            batch_reset(&f->batch);
        }
        fixture_add_quarantine(f, "t", big, sizeof big);
        if (i % 100 == 99) {
            fixture_append(f);
        }
    }
    assert_true(fixture_status(f).quarantined == 655);
    fixture_reopen(f);
    assert_true(fixture_status(f).quarantined == 655);
    struct journal_reader *reader = fixture_reader(f);
    struct journal_list list = {.limit = 1};
    assert_int_equal(journal_read_quarantine(reader, &list, take_quarantine, &out, &more, NULL), 0);
    assert_string_equal(out.text, "10800 t not JSON 102400\n");
    journal_reader_close(reader);
}

static void test_rates(void **state)
{
    struct fixture *f = *state;
    static const unsigned rows[] = {700, 0, 3, 300, 1}; /* by second */
    uint64_t counts[5];
    for (size_t second = 0; second < ARRAY_SIZE(rows); second++) {
        f->now_us = FIXTURE_NOW_US + (int64_t)second * 1000000 + 500000;
        batch_reset(&f->batch);
        for (unsigned i = 0; i < rows[second]; i++) {
            ADD(f, .dedupe_none = true);
        }
        fixture_append(f);
    }
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_read_rates(reader, FIXTURE_NOW_US, 1000000, counts, 5, NULL), 0);
    for (size_t i = 0; i < 5; i++) {
        assert_int_equal(counts[i], rows[i]);
    }
    /* What lies outside is not counted. */
    assert_int_equal(journal_read_rates(reader, FIXTURE_NOW_US + 2000000, 1000000, counts, 2, NULL),
                     0);
    assert_true(counts[0] == 3 && counts[1] == 300);
    journal_reader_close(reader);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_sources_by_name),       TEST(test_incidents), TEST(test_quarantine),
        TEST(test_quarantine_is_bounded), TEST(test_rates),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
