#include "receiver/api/query_job.h"

#include "common/base/str.h"
#include "common/http/problem.h"
#include "receiver/api/query_params.h"
#include "receiver/api/walk.h"

#define STEP_ROWS     65536
#define STEP_ROWS_MAX (STEP_ROWS * 4)
#define GROW_MS       250  /* a step that took less may be longer */
#define SEARCH_MS     4000 /* no further step after this */

static const struct problem other_epoch = {
    .status = 400, .code = "other-epoch", .title = "Cursor of another journal"};

/* True if the cursor is of the journal that is open; else answers. */
static bool check_cursor(struct http_request *request, const char *name, struct cursor cursor,
                         uint32_t epoch)
{
    if (cursor.epoch == epoch)
        return true;
    struct problem problem = other_epoch;
    problem.parameter = name;
    http_problem(request, &problem,
                 "'%s' is a cursor of epoch %08x; the journal's is %08x: read again from its start",
                 name, cursor.epoch, epoch);
    return false;
}

static bool check_cursors(struct http_request *request, const struct query *query, uint32_t epoch)
{
    return (!(query->given & QUERY_AFTER) || check_cursor(request, "after", query->after, epoch)) &&
           (!(query->given & QUERY_BEFORE) ||
            check_cursor(request, "before", query->before, epoch));
}

void query_job_run(struct api *api, struct http_request *request, const struct read_job_ops *ops,
                   unsigned keys, const char *type)
{
    struct query query;
    struct journal_status status;
    if (query_params_parse(request, keys, &query) < 0)
        return;
    struct query_job *job = read_job_new(api, request, ops);
    if (job == NULL)
        return;
    journal_status(api->settings.journal, &status);
    if (!check_cursors(request, &query, status.last.epoch)) {
        read_job_free(&job->base);
        return;
    }
    job->clock = api->settings.clock;
    job->epoch = status.last.epoch;
    job->first_seq = status.first.seq;
    job->newest_seq = status.last.seq;
    if (type != NULL && str_copy(query.type, sizeof(query.type), type))
        query.given |= QUERY_TYPE;
    job->query = query;
    read_job_paginate(api, &job->base, query.ascending ? "after" : "before", query.limit);
    read_job_start(api, &job->base);
}

static void set_next(struct query_job *job, uint64_t seq)
{
    char position[CURSOR_TEXT_SIZE];
    cursor_format((struct cursor){job->epoch, seq}, position);
    page_set_next(&job->base.page, position);
}

/* One step. > 0: the page is complete, and `next` is set where there is one. */
static int read_step(struct query_job *job, struct journal_reader *reader, struct walk *walk,
                     uint64_t rows, int (*each)(void *job, const struct record *record),
                     struct cursor *last, struct err *e)
{
    bool is_first = walk->is_first;
    uint64_t place = walk_place(walk);
    struct journal_page page;
    struct query step;
    walk_step(walk, rows, &step);
    step.limit = job->query.limit - job->rows; /* 0 asks whether there is one more */
    int rc = journal_read(reader, &step, each, job, &page, e);
    if (rc < 0)
        return rc;
    job->rows += (unsigned)page.rows;
    /* What was read goes up to the first step's end, or where it goes upwards to the last's. */
    if (is_first || job->query.ascending)
        *last = page.last;
    if (!page.more && !job->base.page.is_full)
        return walk->is_last;
    set_next(job, page.rows > 0 ? job->last_seq : place);
    return 1;
}

int query_job_read(struct query_job *job, struct journal_reader *reader,
                   int (*each)(void *job, const struct record *record), struct cursor *ret_last,
                   struct err *e)
{
    int64_t start_ms = job->clock->monotonic_ms(job->clock->context);
    uint64_t rows = STEP_ROWS;
    struct walk walk;
    walk_init(&walk, &job->query, job->first_seq, job->newest_seq);
    for (;;) {
        int64_t step_ms = job->clock->monotonic_ms(job->clock->context);
        int rc = read_step(job, reader, &walk, rows, each, ret_last, e);
        if (rc != 0)
            return rc < 0 ? rc : 0;
        int64_t now_ms = job->clock->monotonic_ms(job->clock->context);
        if (now_ms - start_ms > SEARCH_MS || atomic_load(&job->base.is_abandoned))
            break;
        if (now_ms - step_ms < GROW_MS && rows < STEP_ROWS_MAX)
            rows *= 2;
    }
    set_next(job, walk_place(&walk));
    return 0;
}
