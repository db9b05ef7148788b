#include "receiver/journal/reads.h"

#include <stdlib.h>
#include <utlist.h>

#include "common/base/log.h"
#include "receiver/journal/reader.h"

/* libuv's pool has four threads unless told otherwise; neither lane can take them all. */
#define LANE_WORKERS 2
#define LANE_WAITING 1024
#define LANES        2

struct job {
    void (*work)(void *job, struct journal_reader *reader);
    void (*done)(void *job);
    void *job;
    struct job *prev, *next;
};

struct lane;

/* A reader and the job that it is at. */
struct worker {
    struct lane *lane;
    struct job *job; /* NULL: idle */
    struct journal_reader *reader;
    uv_work_t request;
};

struct lane {
    struct reads *reads;
    struct worker workers[LANE_WORKERS];
    struct job *waiting;
    unsigned waiting_count;
};

struct reads {
    uv_loop_t *loop;
    struct journal *journal;
    struct lane lanes[LANES];
    unsigned running;
    bool closing;
};

int reads_new(uv_loop_t *loop, struct journal *journal, struct reads **ret_reads)
{
    struct reads *reads = calloc(1, sizeof *reads);
    if (!reads) {
        return -ENOMEM;
    }
    reads->loop = loop;
    reads->journal = journal;
    for (size_t i = 0; i < LANES; i++) {
        reads->lanes[i].reads = reads;
        for (size_t j = 0; j < LANE_WORKERS; j++) {
            reads->lanes[i].workers[j].lane = &reads->lanes[i];
            reads->lanes[i].workers[j].request.data = &reads->lanes[i].workers[j];
        }
    }
    *ret_reads = reads;
    return 0;
}

/* On the pool. The reader is opened by the first job that finds the journal open. */
static void run_work(uv_work_t *request)
{
    struct worker *worker = request->data;
    struct err e = {0};
    if (!worker->reader) {
        int r = journal_reader_open(worker->lane->reads->journal, &worker->reader, &e);
        if (r < 0 && r != -EAGAIN) {
            log_warning("journal", "a reader could not be opened", LOG_STR("reason", e.msg));
        }
    }
    if (worker->reader) {
        journal_reader_set_timeout(worker->reader, 0);
    }
    worker->job->work(worker->job->job, worker->reader);
}

static void start(struct lane *lane);

static void run_done(uv_work_t *request, int status)
{
    (void)status; /* never cancelled */
    struct worker *worker = request->data;
    struct job *job = TAKE(worker->job);
    worker->lane->reads->running--;
    start(worker->lane);
    job->done(job->job);
    free(job);
}

/* Gives waiting jobs to idle workers. */
static void start(struct lane *lane)
{
    struct reads *reads = lane->reads;
    for (size_t i = 0; i < LANE_WORKERS && lane->waiting && !reads->closing; i++) {
        struct worker *worker = &lane->workers[i];
        if (worker->job) {
            continue;
        }
        struct job *job = lane->waiting;
        DL_DELETE(lane->waiting, job);
        lane->waiting_count--;
        worker->job = job;
        reads->running++;
        /* Fails only without a work function. */
        (void)uv_queue_work(reads->loop, &worker->request, run_work, run_done);
    }
}

int reads_submit(struct reads *reads, enum reads_lane lane_index,
                 void (*work)(void *job, struct journal_reader *reader), void (*done)(void *job),
                 void *context)
{
    struct lane *lane = &reads->lanes[lane_index];
    if (reads->closing || lane->waiting_count == LANE_WAITING) {
        return -EBUSY;
    }
    struct job *job = malloc(sizeof *job);
    if (!job) {
        return -ENOMEM;
    }
    *job = (struct job){work, done, context, NULL, NULL};
    DL_APPEND(lane->waiting, job);
    lane->waiting_count++;
    start(lane);
    return 0;
}

static void lane_close(struct lane *lane)
{
    struct job *job, *next;
    DL_FOREACH_SAFE(lane->waiting, job, next)
    {
        job->done(job->job);
        free(job);
    }
    for (size_t i = 0; i < LANE_WORKERS; i++) {
        journal_reader_close(lane->workers[i].reader);
    }
}

void reads_free(struct reads *reads)
{
    if (!reads) {
        return;
    }
    reads->closing = true;
    journal_stop_reads(reads->journal);
    while (reads->running > 0) {
        (void)uv_run(reads->loop, UV_RUN_ONCE);
    }
    for (size_t i = 0; i < LANES; i++) {
        lane_close(&reads->lanes[i]);
    }
    free(reads);
}
