#include "receiver/api/query_job.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/http/problem.h"
#include "receiver/api/query_params.h"

#define EPOCH 0x5f3a9c01

/* ---- a journal of many rows, few of which match, that takes its time ---- */

static struct {
    uint64_t first, last;
    const uint64_t *matches; /* ascending; ends with 0 */
    uint64_t grows_by;       /* rows that come with each read */
    int64_t read_ms;         /* of each read */
    int64_t now_ms;
    unsigned reads;
} world;

static int64_t fake_ms(void *context)
{
    (void)context;
    return world.now_ms;
}
static const struct clock fake_clock = {.monotonic_ms = fake_ms};

static bool is_within(const struct query *query, uint64_t seq)
{
    return (!(query->given & QUERY_AFTER) || seq > query->after.seq) &&
           (!(query->given & QUERY_BEFORE) || seq < query->before.seq);
}

int journal_read(struct journal_reader *reader, const struct query *query,
                 int (*each)(void *context, const struct record *record), void *context,
                 struct journal_page *ret_page, struct err *e)
{
    struct journal_page page = {.first = {EPOCH, world.first}, .last = {EPOCH, world.last}};
    size_t count = 0;

    (void)reader;
    (void)e;
    while (world.matches[count] != 0)
        count++;
    for (size_t i = 0; i < count && !page.more; i++) {
        struct record record = {
            .seq = world.matches[query->ascending ? i : count - 1 - i], .json = "x", .len = 1};
        if (!is_within(query, record.seq))
            continue;
        page.more = page.rows == query->limit;
        if (page.more || each(context, &record) > 0)
            break;
        page.rows++;
    }
    world.reads++;
    world.now_ms += world.read_ms;
    world.last += world.grows_by;
    *ret_page = page;
    return 0;
}

/* Not used here, but by what is linked. */
void http_request_each_query(struct http_request *request,
                             void (*each)(void *context, const char *name, const char *value),
                             void *context)
{
    (void)request;
    (void)each;
    (void)context;
}
const char *http_request_path(const struct http_request *request)
{
    (void)request;
    return "/x";
}
void http_problem(struct http_request *request, const struct problem *problem, const char *fmt, ...)
{
    (void)request;
    (void)problem;
    (void)fmt;
}
int query_params_parse(struct http_request *request, unsigned allowed, struct query *ret_query)
{
    (void)request;
    (void)allowed;
    (void)ret_query;
    return -EINVAL;
}
void journal_status(struct journal *journal, struct journal_status *ret_status)
{
    (void)journal;
    (void)ret_status;
}
void *read_job_new(struct api *api, struct http_request *request, const struct read_job_ops *ops)
{
    (void)api;
    (void)request;
    (void)ops;
    return NULL;
}
void read_job_paginate(struct api *api, struct read_job *job, const char *key, unsigned limit)
{
    (void)api;
    (void)job;
    (void)key;
    (void)limit;
}
void read_job_free(struct read_job *job)
{
    (void)job;
}
void read_job_start(struct api *api, struct read_job *job)
{
    (void)api;
    (void)job;
}

/* ---- a page ---- */

static int take_row(void *context, const struct record *record)
{
    struct query_job *job = context;

    if (!page_begin_item(&job->base.page, &job->base.body, record->len))
        return 1;
    buf_appendf(&job->base.body, "%" PRIu64, record->seq);
    job->last_seq = record->seq;
    return 0;
}

struct page_case {
    const char *name;
    bool ascending;
    unsigned limit;
    uint64_t last;
    uint64_t matches[6];
    int64_t read_ms;
    uint64_t grows_by;
    const char *rows;
    const char *next; /* "" on the last page */
    uint64_t cursor;
};

static const struct page_case cases[] = {
    {"newest of a short journal", false, 2, 10, {3, 5, 9}, 0, 0, "9,5", "before=5f3a9c01-5", 10},
    {"oldest of a short journal", true, 2, 10, {3, 5, 9}, 0, 0, "3,5", "after=5f3a9c01-5", 10},
    {"all of them", false, 3, 10, {3, 5, 9}, 0, 0, "9,5,3", "", 10},
    {"none", false, 3, 10, {0}, 0, 0, "", "", 10},
    /* far apart: several steps, and only the last of them knows whether there is more */
    {"down", false, 5, 1000000, {7, 500000, 999999}, 10, 0, "999999,500000,7", "", 1000000},
    {"up", true, 5, 1000000, {7, 500000, 999999}, 10, 0, "7,500000,999999", "", 1000000},
    {"down, full",
     false,
     2,
     1000000,
     {7, 500000, 999999},
     10,
     0,
     "999999,500000",
     /* the place of the step that found another: nothing matches between */
     "before=5f3a9c01-16961",
     1000000},
    {"up, full",
     true,
     2,
     1000000,
     {7, 500000, 999999},
     10,
     0,
     "7,500000",
     "after=5f3a9c01-983040",
     1000000},
    /* slow: what was found in time, and a place behind what was searched */
    {"slow, down",
     false,
     5,
     1000000,
     {7, 999999},
     2500,
     0,
     "999999",
     "before=5f3a9c01-868929",
     1000000},
    {"slow, up", true, 5, 1000000, {7, 999999}, 2500, 0, "7", "after=5f3a9c01-131072", 1000000},
    {"slow, nothing", false, 5, 1000000, {7}, 2500, 0, "", "before=5f3a9c01-868929", 1000000},
    /* rows come meanwhile: a stream goes on after what the page has seen */
    {"growing, down", false, 5, 200000, {7}, 10, 5, "7", "", 200000},
    {"growing, up", true, 5, 200000, {7}, 10, 5, "7", "", 200010},
};

static struct query_job make_job(const struct page_case *c)
{
    struct query_job job = {.clock = &fake_clock,
                            .epoch = EPOCH,
                            .first_seq = 1,
                            .newest_seq = c->last,
                            .query = {.ascending = c->ascending, .limit = c->limit}};
    job.base.body = BUF_INIT(1000);
    page_init(&job.base.page, NULL, c->ascending ? "after" : "before", c->limit, 0);
    memset(&world, 0, sizeof(world));
    world.first = 1;
    world.last = c->last;
    world.matches = c->matches;
    world.read_ms = c->read_ms;
    world.grows_by = c->grows_by;
    return job;
}

static void check(const struct page_case *c)
{
    struct query_job job = make_job(c);
    struct cursor last;
    struct err e = {0};

    assert_int_equal(query_job_read(&job, NULL, take_row, &last, &e), 0);
    const char *rows = job.base.body.data == NULL ? "" : job.base.body.data;
    if (strcmp(rows, c->rows) != 0)
        fail_msg("%s: rows %s, not %s", c->name, rows, c->rows);
    if (job.base.page.has_next != (*c->next != '\0') ||
        strstr(job.base.page.url.data, c->next) == NULL)
        fail_msg("%s: next %s, not %s", c->name, job.base.page.url.data, c->next);
    if (last.seq != c->cursor || last.epoch != EPOCH)
        fail_msg("%s: cursor %" PRIu64, c->name, last.seq);
    page_deinit(&job.base.page);
    buf_deinit(&job.base.body);
}

static void test_pages(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
        check(&cases[i]);
}

/* A reader who follows `next` sees each row once, however the pages are cut. */
static void test_walks(void **state)
{
    (void)state;
    for (int variant = 0; variant < 8; variant++) {
        struct page_case c = {.ascending = variant & 1,
                              .limit = variant & 2 ? 1 : 5,
                              .last = 1000000,
                              .matches = {7, 8, 500000, 999999},
                              .read_ms = variant & 4 ? 2500 : 0};
        struct query_job job = make_job(&c);
        unsigned seen = 0, pages = 0;
        bool has_next;
        do {
            struct cursor last;
            struct err e = {0};
            assert_int_equal(query_job_read(&job, NULL, take_row, &last, &e), 0);
            seen += job.rows;
            has_next = job.base.page.has_next;
            if (has_next) {
                const char *text = strstr(job.base.page.url.data, "=") + 1;
                struct cursor place = {EPOCH, strtoull(strchr(text, '-') + 1, NULL, 10)};
                struct query query = job.query;
                page_deinit(&job.base.page);
                buf_deinit(&job.base.body);
                job = make_job(&c);
                job.query = query;
                job.query.given |= c.ascending ? QUERY_AFTER : QUERY_BEFORE;
                *(c.ascending ? &job.query.after : &job.query.before) = place;
            }
            assert_true(++pages < 100);
        } while (has_next);
        assert_int_equal(seen, 4);
        page_deinit(&job.base.page);
        buf_deinit(&job.base.body);
    }
}

static void test_nobody_waits(void **state)
{
    struct page_case c = {.limit = 5, .last = 1000000, .matches = {7}, .read_ms = 10};
    struct query_job job = make_job(&c);
    struct cursor last;
    struct err e = {0};

    (void)state;
    atomic_store(&job.base.is_abandoned, true);
    assert_int_equal(query_job_read(&job, NULL, take_row, &last, &e), 0);
    assert_int_equal(world.reads, 1);
    page_deinit(&job.base.page);
    buf_deinit(&job.base.body);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pages),
        cmocka_unit_test(test_walks),
        cmocka_unit_test(test_nobody_waits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
