#include <inttypes.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "receiver/query/match.h"
#include "receiver/query/sql.h"
#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ROWS 2000 /* several blocks */

static const char *const types[] = {EVENT_TYPE_HELLO, EVENT_TYPE_EVENT, "com.example.other"};

/* The rows as given, to match in memory what is also read by SQL. */
struct given {
    char source[32], data[64];
    const char *type;
    int64_t time_us, criticality;
};
static struct given given[ROWS + 1]; /* by seq */

static struct given make_given(unsigned i)
{
    struct given row = {
        .type = types[i / 700],
        .time_us = FIXTURE_NOW_US + (int64_t)i * 1000000 - (i % 97 == 0 ? 50000000 : 0),
        .criticality = i / 700 == 1 ? (int64_t)(i % 11) : EVENT_NO_NUMBER,
    };
    (void)snprintf(row.source, sizeof row.source, "/machines/%u", i < 1000 ? i % 3 : i % 40);
    (void)snprintf(row.data, sizeof row.data, "{\"text\":\"N\\u00dcMMER %u\"}", i);
    return row;
}

static int setup_rows(void **state)
{
    (void)fixture_setup(state);
    struct fixture *f = *state;
    for (unsigned i = 1; i <= ROWS; i++) {
        given[i] = make_given(i);
        ADD(f, .source = given[i].source, .type = given[i].type, .time_us = given[i].time_us,
            .data = given[i].data, .has_criticality = given[i].criticality != EVENT_NO_NUMBER,
            .criticality = given[i].criticality);
        if (i % 300 == 0 || i == ROWS) {
            fixture_append(f);
            batch_reset(&f->batch);
        }
    }
    return 0;
}

struct seqs {
    uint64_t seqs[QUERY_LIMIT_MAX + 1];
    size_t count;
    size_t stop_at;
};

static int take(void *context, const struct record *record)
{
    struct seqs *out = context;
    if (out->stop_at && out->count == out->stop_at) {
        return 1;
    }
    assert_true(record->len > 2 && record->json[record->len - 1] == '}');
    assert_non_null(record->data);
    out->seqs[out->count++] = record->seq;
    return 0;
}

static struct seqs read_rows(struct fixture *f, const struct query *query,
                             struct journal_page *ret_page)
{
    struct seqs out = {.count = 0};
    struct err e = {0};
    struct journal_reader *reader = fixture_reader(f);
    if (journal_read(reader, query, take, &out, ret_page, &e) < 0) {
        fail_msg("%s", e.msg);
    }
    journal_reader_close(reader);
    assert_true(out.count == ret_page->rows);
    return out;
}

static bool in_query(const struct query *query, uint64_t seq)
{
    const struct given *row = &given[seq];
    struct match_subject subject = {row->type,        row->source, row->time_us,
                                    row->criticality, row->data,   strlen(row->data)};
    return (!(query->given & QUERY_AFTER) || seq > query->after.seq) &&
           (!(query->given & QUERY_BEFORE) || seq < query->before.seq) &&
           query_matches(query, &subject);
}

/* The same query by the plain rule. */
static struct seqs expected_rows(const struct query *query, bool *ret_more)
{
    struct seqs out = {.count = 0};
    *ret_more = false;
    for (uint64_t i = 1; i <= ROWS; i++) {
        uint64_t seq = query->ascending ? i : ROWS + 1 - i;
        if (!in_query(query, seq)) {
            continue;
        }
        *ret_more = out.count == query->limit;
        if (*ret_more) {
            break;
        }
        out.seqs[out.count++] = seq;
    }
    return out;
}

static void set(struct query *query, const char *name, const char *value)
{
    assert_int_equal(query_set(query, query_key_find(name), value, NULL), 0);
}

/* Every mix of filters, orders and bounds gives what the same query gives in memory. */
static void test_same_as_in_memory(void **state)
{
    static const char *const pairs[][2] = {
        {"type", "event"},
        {"source", "2"},
        {"criticality_gt", "7"},
        {"since", "2026-11-20T21:48:01Z"},
        {"until", "2026-11-20T22:00:01Z"},
        {"q", "nümmer 1"},
        {"after", "5f3a9c01-255"},
        {"before", "5f3a9c01-1280"},
        {"limit", "7"},
        {"order", "asc"},
    };
    struct fixture *f = *state;
    for (unsigned mix = 0; mix < 1u << ARRAY_SIZE(pairs); mix++) {
        struct query query;
        struct journal_page page;
        bool more;
        query_init(&query);
        for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
            if (mix & 1u << i) {
                set(&query, pairs[i][0], pairs[i][1]);
            }
        }
        struct seqs want = expected_rows(&query, &more);
        struct seqs got = read_rows(f, &query, &page);
        assert_int_equal(got.count, want.count);
        assert_memory_equal(got.seqs, want.seqs, want.count * sizeof want.seqs[0]);
        assert_true(page.more == more);
        assert_true(page.first.seq == 1 && page.last.seq == ROWS);
    }
}

static void no_function(sqlite3_context *context, int argc, sqlite3_value **argv)
{
    (void)argc;
    (void)argv;
    sqlite3_result_null(context);
}

/* Every step of the plan is a search by key; nothing is scanned, sorted or indexed on the way. */
static void expect_searches(sqlite3 *db, const struct query *query)
{
    char explain[SQL_TEXT_MAX + 32];
    struct sql_statement statement;
    sqlite3_stmt *stmt;
    sql_compile(query, &statement);
    (void)snprintf(explain, sizeof explain, "EXPLAIN QUERY PLAN %s", statement.text);
    assert_int_equal(sqlite3_prepare_v2(db, explain, -1, &stmt, NULL), SQLITE_OK);
    while (sqlite3_step(stmt) == SQLITE_ROW) {
        const char *step = (const char *)sqlite3_column_text(stmt, 3);
        bool good = strncmp(step, "SEARCH ", 7) == 0 || strncmp(step, "SCALAR ", 7) == 0;
        if (!good || strstr(step, "AUTOMATIC")) {
            fail_msg("%s: %s", statement.text, step);
        }
    }
    sqlite3_finalize(stmt);
}

static void test_no_mix_scans(void **state)
{
    struct fixture *f = *state;
    char path[128];
    sqlite3 *db;
    fixture_path(f, "journal.db", path);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    sqlite3_create_function(db, "sources_hold", 2, SQLITE_UTF8, NULL, no_function, NULL, NULL);
    sqlite3_create_function(db, "data_contains", 4, SQLITE_UTF8, NULL, no_function, NULL, NULL);
    for (unsigned given_keys = 0; given_keys <= QUERY_ALL; given_keys++) {
        struct query query;
        query_init(&query);
        query.given = given_keys;
        query.ascending = given_keys & QUERY_ORDER;
        expect_searches(db, &query);
    }
    (void)sqlite3_close(db);
}

static void test_nothing_matches(void **state)
{
    static const char *const pairs[][2] = {
        {"type", "session"},
        {"source", "nobody"},
        {"criticality_gt", "10"},
        {"q", "nothing"},
        {"since", "2030-01-01T00:00:00Z"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < ARRAY_SIZE(pairs); i++) {
        struct query query;
        struct journal_page page;
        query_init(&query);
        query.ascending = true;
        set(&query, pairs[i][0], pairs[i][1]);
        (void)read_rows(f, &query, &page);
        assert_true(page.rows == 0 && !page.more);
        /* A stream need not look there again. */
        assert_true(page.position == ROWS);
    }
}

static void test_position(void **state)
{
    struct fixture *f = *state;
    struct query query;
    struct journal_page page;
    query_init(&query);
    query.ascending = true;
    query.limit = 10;
    set(&query, "after", "5f3a9c01-100");
    (void)read_rows(f, &query, &page);
    assert_true(page.more && page.position == 110);
    set(&query, "before", "5f3a9c01-105");
    (void)read_rows(f, &query, &page);
    assert_true(!page.more && page.rows == 4 && page.position == 104);
    query.given &= ~(unsigned)QUERY_BEFORE;
    set(&query, "before", "5f3a9c01-99999");
    query.limit = 1000;
    query.after.seq = 1990;
    (void)read_rows(f, &query, &page);
    assert_true(!page.more && page.rows == 10 && page.position == ROWS);
}

static void test_the_callback_stops(void **state)
{
    struct fixture *f = *state;
    struct query query;
    struct journal_page page;
    query_init(&query);
    query.ascending = true;
    set(&query, "after", "5f3a9c01-100");
    struct journal_reader *reader = fixture_reader(f);
    struct seqs out = {.stop_at = 3};
    assert_int_equal(journal_read(reader, &query, take, &out, &page, NULL), 0);
    assert_true(page.rows == 3 && page.position == 103);
    out = (struct seqs){.count = 1, .stop_at = 1};
    assert_int_equal(journal_read(reader, &query, take, &out, &page, NULL), 0);
    assert_true(page.rows == 0 && page.position == 100);
    journal_reader_close(reader);
}

static void test_one(void **state)
{
    struct fixture *f = *state;
    struct seqs out = {.count = 0};
    struct err e = {0};
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_read_one(reader, 7, take, &out, &e), 0);
    assert_true(out.count == 1 && out.seqs[0] == 7);
    assert_int_equal(journal_read_one(reader, ROWS + 1, take, &out, &e), -ENOENT);
    assert_int_equal(journal_read_one(reader, UINT64_MAX, take, &out, &e), -ENOENT);
    assert_int_equal(journal_read_one(reader, 0, take, &out, &e), -ENOENT);
    assert_int_equal(out.count, 1);
    journal_reader_close(reader);
}

/* Time goes on by a second each time it is asked for. */
static int64_t rushing_ms(void *context)
{
    return *(int64_t *)context += 1000;
}

static void test_a_read_has_a_deadline(void **state)
{
    struct fixture *f = *state;
    struct query query;
    struct journal_page page;
    struct err e = {0};
    int64_t now_ms = 0;
    query_init(&query);
    set(&query, "q", "nothing has this");
    f->clock.monotonic_ms = rushing_ms;
    f->clock.context = &now_ms;
    struct journal_reader *reader = fixture_reader(f);
    struct seqs out = {.count = 0};
    journal_reader_set_timeout(reader, 1500);
    assert_int_equal(journal_read(reader, &query, take, &out, &page, &e), -ETIMEDOUT);
    journal_reader_set_timeout(reader, 0);
    assert_int_equal(journal_read(reader, &query, take, &out, &page, &e), 0);
    journal_reader_close(reader);
    f->clock.context = f;
}

static void test_not_open(void **state)
{
    struct fixture f;
    struct journal_reader *reader = NULL;
    struct err e = {0};
    (void)state;
    fixture_init(&f);
    struct journal_settings settings = {.dir = f.dir, .clock = &f.clock, .random = &f.random};
    assert_int_equal(journal_new(&settings, &f.journal, NULL), 0);
    assert_int_equal(fixture_status(&f).state, JOURNAL_OPENING);
    assert_int_equal(journal_reader_open(f.journal, &reader, &e), -EAGAIN);
    assert_int_equal(journal_append(f.journal, &f.batch, &e), -EAGAIN);
    fixture_deinit(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_in_memory),     cmocka_unit_test(test_no_mix_scans),
        cmocka_unit_test(test_nothing_matches),       cmocka_unit_test(test_position),
        cmocka_unit_test(test_the_callback_stops),    cmocka_unit_test(test_one),
        cmocka_unit_test(test_a_read_has_a_deadline), cmocka_unit_test(test_not_open),
    };
    return cmocka_run_group_tests(tests, setup_rows, fixture_teardown);
}
