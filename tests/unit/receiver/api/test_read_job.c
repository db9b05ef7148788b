#include "receiver/api/read_job.h"

#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#include "common/http/problem.h"

/* ---- the server, the journal and the pool, as far as a job knows them ---- */

struct http_request {
    unsigned answers;
    unsigned status;
    char text[256]; /* the code of a problem, or the body */
    char link[PAGE_LINK_SIZE];
    void (*gone)(void *context);
    void *context;
};

static struct {
    bool is_open;
    bool is_full;
    void (*work)(void *job, struct journal_reader *reader);
    void (*done)(void *job);
    void *job;
    unsigned reads;
} world;

void http_problem(struct http_request *request, const struct problem *problem, const char *fmt, ...)
{
    (void)fmt;
    request->answers++;
    request->status = problem->status;
    snprintf(request->text, sizeof(request->text), "%s", problem->code);
}

void http_respond_buf(struct http_request *request, unsigned status, const char *content_type,
                      struct buf *body, const struct http_header *headers)
{
    (void)content_type;
    request->answers++;
    request->status = status;
    snprintf(request->text, sizeof(request->text), "%s", body->data);
    for (; headers->name != NULL; headers++)
        if (strcmp(headers->name, "Link") == 0)
            snprintf(request->link, sizeof(request->link), "%s", headers->value);
}

void http_request_defer(struct http_request *request, void (*gone)(void *context), void *context)
{
    request->gone = gone;
    request->context = context;
}

const char *http_request_path(const struct http_request *request)
{
    (void)request;
    return "/x";
}

void http_request_each_query(struct http_request *request,
                             void (*each)(void *context, const char *name, const char *value),
                             void *context)
{
    (void)request;
    (void)each;
    (void)context;
}

size_t http_server_answer_bytes(const struct http_server *server)
{
    (void)server;
    return 0;
}

void journal_status(struct journal *journal, struct journal_status *ret_status)
{
    (void)journal;
    *ret_status = (struct journal_status){.state = JOURNAL_FULL, .is_open = world.is_open};
}

const char *journal_state_name(enum journal_state state)
{
    (void)state;
    return "full";
}

void journal_reader_set_timeout(struct journal_reader *reader, int64_t timeout_ms)
{
    (void)reader;
    assert_in_range(timeout_ms, 1000, 10000);
}

int reads_submit(struct reads *reads, enum reads_lane lane,
                 void (*work)(void *job, struct journal_reader *reader), void (*done)(void *job),
                 void *job)
{
    (void)reads;
    assert_int_equal(lane, READS_REST);
    if (world.is_full)
        return -EBUSY;
    world.work = work;
    world.done = done;
    world.job = job;
    return 0;
}

void metric_observe(struct metric *metric, double value)
{
    (void)metric;
    (void)value;
}

/* ---- a resource ---- */

struct test_job {
    struct read_job base;
    int outcome;
};

static int read_test(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct test_job *job = (struct test_job *)base;

    assert_non_null(reader);
    world.reads++;
    buf_append_str(&base->body, "the body");
    page_set_next_id(&base->page, 7);
    return job->outcome < 0 ? FAIL(e, -job->outcome, "as told") : 0;
}

static const struct read_job_ops ops = {read_test, "text/plain", sizeof(struct test_job)};
static char reader; /* somewhere to point to */
#define READER ((struct journal_reader *)&reader)

static struct api api;

static int reset(void **state)
{
    (void)state;
    memset(&world, 0, sizeof(world));
    world.is_open = true;
    return 0;
}

static void start(struct http_request *request, int outcome)
{
    struct test_job *job = read_job_new(&api, request, &ops);

    assert_non_null(job);
    job->outcome = outcome;
    read_job_paginate(&api, &job->base, "before", 50);
    read_job_start(&api, &job->base);
}

static void finish(struct journal_reader *with)
{
    world.work(world.job, with);
    world.done(world.job);
}

static void test_answer(void **state)
{
    struct http_request request = {0};

    (void)state;
    start(&request, 0);
    assert_int_equal(request.answers, 0);
    finish(READER);
    assert_int_equal(request.answers, 1);
    assert_int_equal(request.status, 200);
    assert_string_equal(request.text, "the body");
    assert_string_equal(request.link, "</x?before=7&limit=50>; rel=\"next\"");
}

static void test_failures(void **state)
{
    static const struct {
        int outcome;
        unsigned status;
        const char *code;
    } cases[] = {
        {-ETIMEDOUT, 503, "query-timeout"},
        {-ENOENT, 404, "not-found"},
        {-EIO, 500, "read-failed"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct http_request request = {0};
        start(&request, cases[i].outcome);
        finish(READER);
        assert_int_equal(request.answers, 1);
        assert_int_equal(request.status, cases[i].status);
        assert_string_equal(request.text, cases[i].code);
    }
}

static void test_journal_not_open(void **state)
{
    struct http_request request = {0};

    (void)state;
    world.is_open = false;
    assert_null(read_job_new(&api, &request, &ops));
    assert_int_equal(request.status, 503);
    assert_string_equal(request.text, "journal-unavailable");
}

/* It was open when the request came. */
static void test_no_reader(void **state)
{
    struct http_request request = {0};

    (void)state;
    start(&request, 0);
    finish(NULL);
    assert_int_equal(request.answers, 1);
    assert_string_equal(request.text, "journal-unavailable");
    assert_int_equal(world.reads, 0);
}

static void test_full_queue(void **state)
{
    struct http_request request = {0};

    (void)state;
    world.is_full = true;
    start(&request, 0);
    assert_int_equal(request.answers, 1);
    assert_int_equal(request.status, 503);
    assert_string_equal(request.text, "busy");
    assert_null(request.gone);
}

static void test_client_leaves_before_the_read(void **state)
{
    struct http_request request = {0};

    (void)state;
    start(&request, 0);
    request.gone(request.context);
    finish(READER);
    assert_int_equal(request.answers, 0);
    assert_int_equal(world.reads, 0);
}

static void test_client_leaves_during_the_read(void **state)
{
    struct http_request request = {0};

    (void)state;
    start(&request, -EIO);
    world.work(world.job, READER);
    request.gone(request.context);
    world.done(world.job);
    assert_int_equal(request.answers, 0);
    assert_int_equal(world.reads, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(test_answer, reset),
        cmocka_unit_test_setup(test_failures, reset),
        cmocka_unit_test_setup(test_journal_not_open, reset),
        cmocka_unit_test_setup(test_no_reader, reset),
        cmocka_unit_test_setup(test_full_queue, reset),
        cmocka_unit_test_setup(test_client_leaves_before_the_read, reset),
        cmocka_unit_test_setup(test_client_leaves_during_the_read, reset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
