#include "receiver/api/read_job.h"

#include "common/http/problem.h"

#define READ_TIMEOUT_MS 10000

static const struct problem busy = {
    .status = 503, .code = "busy", .title = "Too busy", .retry_after_s = "1"};
static const struct problem no_journal = {.status = 503,
                                          .code = "journal-unavailable",
                                          .title = "The journal cannot be read",
                                          .retry_after_s = "5"};
static const struct problem timed_out = {
    .status = 503, .code = "query-timeout", .title = "The query took too long"};
static const struct problem not_found = {.status = 404, .code = "not-found", .title = "Not found"};
static const struct problem failed = {
    .status = 500, .code = "read-failed", .title = "The journal could not be read"};

void read_job_free(struct read_job *job)
{
    page_deinit(&job->page);
    buf_deinit(&job->body);
    free(job);
}

void *read_job_new(struct api *api, struct http_request *request, const struct read_job_ops *ops)
{
    struct journal_status status;
    journal_status(api->settings.journal, &status);
    if (!status.is_open) {
        http_problem(request, &no_journal, "the journal is %s%s%s",
                     journal_state_name(status.state), *status.reason ? ": " : "", status.reason);
        return NULL;
    }
    struct read_job *job = calloc(1, ops->size);
    if (job == NULL) {
        http_problem(request, &busy, "no memory for another read; try again");
        return NULL;
    }
    job->ops = ops;
    job->request = request;
    job->read_time = api->read_time;
    job->body = BUF_INIT(PAGE_MAX_BYTES);
    return job;
}

void read_job_paginate(struct api *api, struct read_job *job, const char *key, unsigned limit)
{
    page_init(&job->page, job->request, key, limit, http_server_answer_bytes(api->server));
}

static void job_work(void *context, struct journal_reader *reader)
{
    struct read_job *job = context;
    job->had_reader = reader != NULL;
    if (reader == NULL || atomic_load(&job->is_abandoned))
        return;
    int64_t start_us = clock_monotonic_us();
    journal_reader_set_timeout(reader, READ_TIMEOUT_MS);
    job->outcome = job->ops->read(job, reader, &job->err);
    metric_observe(job->read_time, (double)(clock_monotonic_us() - start_us) / 1e6);
}

static void answer_failure(struct read_job *job)
{
    struct http_request *request = job->request;
    switch (job->outcome) {
    case -ETIMEDOUT:
        http_problem(request, &timed_out,
                     "the query was stopped after %d s; narrow it by since, until, source or type",
                     READ_TIMEOUT_MS / 1000);
        break;
    case -ENOENT:
        http_problem(request, &not_found, "%s", job->err.msg);
        break;
    default:
        log_error("api", "read failed", LOG_STR("path", http_request_path(request)),
                  LOG_STR("reason", job->err.msg));
        http_problem(request, &failed, "%s", job->err.msg);
    }
}

static void answer(struct read_job *job)
{
    if (!job->had_reader) {
        http_problem(job->request, &no_journal, "the journal is not open");
        return;
    }
    if (job->outcome < 0) {
        answer_failure(job);
        return;
    }
    char link[PAGE_LINK_SIZE];
    struct http_header headers[3] = {{"Cache-Control", "no-store"}};
    if (page_format_link(&job->page, link))
        headers[1] = (struct http_header){"Link", link};
    http_respond_buf(job->request, 200, job->ops->content_type, &job->body, headers);
}

static void job_done(void *context)
{
    struct read_job *job = context;
    if (job->request != NULL)
        answer(job);
    read_job_free(job);
}

/* The job stays until its read has ended: job_done frees it. */
static void client_left(void *context)
{
    struct read_job *job = context;
    job->request = NULL;
    atomic_store(&job->is_abandoned, true);
}

void read_job_start(struct api *api, struct read_job *job)
{
    if (reads_submit(api->settings.reads, READS_REST, job_work, job_done, job) == 0) {
        http_request_defer(job->request, client_left, job);
        return;
    }
    http_problem(job->request, &busy, "too many reads are waiting; try again");
    read_job_free(job);
}
