#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>

#include "receiver/journal/reads.h"
#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One writes, two read, one looks at the status: all at once. */

#define BATCHES    150
#define BATCH_ROWS 20

struct shared {
    struct fixture *f;
    atomic_bool done;
    atomic_bool wrong;
};

static int follow(void *context, const struct record *record)
{
    uint64_t *last = context;
    if (record->seq != *last + 1) {
        return 1;
    }
    *last = record->seq;
    return 0;
}

/* Follows the journal from cursor to cursor, as a stream does. */
static void *read_all(void *context)
{
    struct shared *shared = context;
    struct journal_reader *reader = NULL;
    struct query query;
    uint64_t last = 0;
    query_init(&query);
    query.ascending = true;
    query.given = QUERY_AFTER;
    query.limit = 100;
    if (journal_reader_open(shared->f->journal, &reader, NULL) < 0) {
        shared->wrong = true;
        return NULL;
    }
    while (last < (uint64_t)BATCHES * BATCH_ROWS && !shared->wrong) {
        struct journal_page page;
        query.after.seq = last;
        if (journal_read(reader, &query, follow, &last, &page, NULL) < 0 || page.position != last) {
            shared->wrong = true;
        }
    }
    if (journal_check(shared->f->journal, reader, NULL) < 0) {
        shared->wrong = true;
    }
    journal_reader_close(reader);
    return NULL;
}

static void *watch(void *context)
{
    struct shared *shared = context;
    uint64_t last = 0;
    while (!shared->done) {
        struct journal_status status = fixture_status(shared->f);
        bool good = status.state == JOURNAL_OK && status.last.seq >= last &&
                    status.events == status.last.seq && status.last.seq % BATCH_ROWS == 0;
        if (!good) {
            shared->wrong = true;
        }
        last = status.last.seq;
    }
    return NULL;
}

static void test_all_at_once(void **state)
{
    struct shared shared = {.f = *state};
    pthread_t threads[3];
    assert_int_equal(pthread_create(&threads[0], NULL, read_all, &shared), 0);
    assert_int_equal(pthread_create(&threads[1], NULL, read_all, &shared), 0);
    assert_int_equal(pthread_create(&threads[2], NULL, watch, &shared), 0);
    for (int i = 0; i < BATCHES; i++) {
        batch_reset(&shared.f->batch);
        for (int j = 0; j < BATCH_ROWS; j++) {
            ADD(shared.f, .bootid = "b", .sequence = shared.f->ids + 1);
        }
        fixture_append(shared.f);
        (void)journal_maintain(shared.f->journal);
    }
    (void)pthread_join(threads[0], NULL);
    (void)pthread_join(threads[1], NULL);
    shared.done = true;
    (void)pthread_join(threads[2], NULL);
    assert_false(shared.wrong);
}

/* ---- reads.h ---- */

struct gate {
    pthread_mutex_t mutex;
    pthread_cond_t opened;
    bool open;
};

struct job {
    struct gate *gate; /* waited for by the work; NULL: not */
    unsigned *order;   /* counted up by each done */
    unsigned done_as;
    bool had_reader, worked;
    atomic_bool started;
};

static void gate_open(struct gate *gate)
{
    (void)pthread_mutex_lock(&gate->mutex);
    gate->open = true;
    (void)pthread_cond_broadcast(&gate->opened);
    (void)pthread_mutex_unlock(&gate->mutex);
}

static void work(void *context, struct journal_reader *reader)
{
    struct job *job = context;
    if (job->gate) {
        (void)pthread_mutex_lock(&job->gate->mutex);
        while (!job->gate->open) {
            (void)pthread_cond_wait(&job->gate->opened, &job->gate->mutex);
        }
        (void)pthread_mutex_unlock(&job->gate->mutex);
    }
    job->worked = true;
    job->had_reader = reader != NULL;
}

static void done(void *context)
{
    struct job *job = context;
    job->done_as = ++*job->order;
}

#define GATE                                                                                       \
    {                                                                                              \
        PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, false                                 \
    }

static void test_a_lane_does_not_wait_for_the_other(void **state)
{
    struct fixture *f = *state;
    struct gate gate = GATE;
    struct reads *reads;
    uv_loop_t loop;
    unsigned order = 0;
    struct job slow[4], quick = {.order = &order};
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(reads_new(&loop, f->journal, &reads), 0);
    for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
        slow[i] = (struct job){.gate = &gate, .order = &order};
        assert_int_equal(reads_submit(reads, READS_REST, work, done, &slow[i]), 0);
    }
    assert_int_equal(reads_submit(reads, READS_STREAM, work, done, &quick), 0);
    while (quick.done_as == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_int_equal(quick.done_as, 1);
    assert_true(quick.worked && quick.had_reader);
    gate_open(&gate);
    while (order < 5) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    for (size_t i = 0; i < ARRAY_SIZE(slow); i++) {
        assert_true(slow[i].worked && slow[i].had_reader);
    }
    reads_free(reads);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_a_full_lane_says_so(void **state)
{
    struct fixture *f = *state;
    struct gate gate = GATE;
    struct reads *reads;
    uv_loop_t loop;
    unsigned order = 0, taken = 0;
    static struct job jobs[3000];
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(reads_new(&loop, f->journal, &reads), 0);
    int r = 0;
    while (r == 0 && taken < ARRAY_SIZE(jobs)) {
        jobs[taken] = (struct job){.gate = &gate, .order = &order};
        r = reads_submit(reads, READS_REST, work, done, &jobs[taken]);
        taken += r == 0;
    }
    assert_int_equal(r, -EBUSY);
    assert_int_equal(taken, 2 + 1024);
    /* At the end those that wait are told without having worked. */
    gate_open(&gate);
    reads_free(reads);
    assert_int_equal(order, taken);
    assert_true(jobs[0].worked);
    assert_false(jobs[taken - 1].worked);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static int pass_over(void *context, const struct record *record)
{
    (void)context;
    (void)record;
    return 0;
}

/* As long as the check of a large file. */
static void work_on_and_on(void *context, struct journal_reader *reader)
{
    struct job *job = context;
    struct query query;
    struct journal_page page;
    struct err e = {0};
    int r = 0;
    query_init(&query);
    query.given = QUERY_Q;
    (void)snprintf(query.q, sizeof query.q, "no such text");
    while (r == 0) {
        r = journal_read(reader, &query, pass_over, NULL, &page, &e);
        job->started = true;
    }
    job->worked = r == -ETIMEDOUT;
}

static void test_the_end_does_not_wait_for_a_long_read(void **state)
{
    struct fixture *f = *state;
    struct reads *reads;
    uv_loop_t loop;
    unsigned order = 0;
    struct job job = {.order = &order};
    for (int i = 0; i < 2000; i++) {
        ADD(f, .source = NULL);
    }
    fixture_append(f);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(reads_new(&loop, f->journal, &reads), 0);
    assert_int_equal(reads_submit(reads, READS_REST, work_on_and_on, done, &job), 0);
    while (!job.started) {
        (void)uv_run(&loop, UV_RUN_NOWAIT);
    }
    reads_free(reads);
    assert_true(job.worked);
    assert_int_equal(uv_loop_close(&loop), 0);
}

static void test_no_reader_before_the_journal(void **state)
{
    struct fixture f;
    struct reads *reads;
    uv_loop_t loop;
    unsigned order = 0;
    struct job job = {.order = &order};
    (void)state;
    fixture_init(&f);
    struct journal_settings settings = {.dir = f.dir, .clock = &f.clock, .random = &f.random};
    assert_int_equal(journal_new(&settings, &f.journal, NULL), 0);
    assert_int_equal(uv_loop_init(&loop), 0);
    assert_int_equal(reads_new(&loop, f.journal, &reads), 0);
    assert_int_equal(reads_submit(reads, READS_REST, work, done, &job), 0);
    while (order == 0) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_true(job.worked && !job.had_reader);
    assert_int_equal(journal_open(f.journal, NULL), 0);
    assert_int_equal(reads_submit(reads, READS_REST, work, done, &job), 0);
    while (order == 1) {
        (void)uv_run(&loop, UV_RUN_ONCE);
    }
    assert_true(job.had_reader);
    reads_free(reads);
    assert_int_equal(uv_loop_close(&loop), 0);
    fixture_deinit(&f);
}

int main(void)
{
#define TEST(fn) cmocka_unit_test_setup_teardown(fn, fixture_setup, fixture_teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_all_at_once),
        TEST(test_a_lane_does_not_wait_for_the_other),
        TEST(test_a_full_lane_says_so),
        TEST(test_the_end_does_not_wait_for_a_long_read),
        cmocka_unit_test(test_no_reader_before_the_journal),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
