/* GET /api/v1/events/{cursor} */

#include <inttypes.h>

#include "common/http/problem.h"
#include "receiver/api/params.h"
#include "receiver/api/read_job.h"
#include "receiver/api/routes.h"

static const struct problem bad_cursor = {
    .status = 400, .code = "invalid-cursor", .title = "Invalid cursor"};
static const struct problem not_found = {.status = 404, .code = "not-found", .title = "Not found"};

struct event_job {
    struct read_job base;
    struct cursor cursor;
};

static int append_event(void *context, const struct record *record)
{
    struct event_job *job = context;
    buf_append(&job->base.body, record->json, record->len);
    return 0;
}

static int read_event(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct event_job *job = (struct event_job *)base;
    int rc = journal_read_one(reader, job->cursor.seq, append_event, job, e);
    if (rc == -ENOENT)
        return FAIL(e, ENOENT, "there is no event %08x-%" PRIu64 " (or no longer)",
                    job->cursor.epoch, job->cursor.seq);
    return rc;
}

/* 404 for what can never have been in this journal. */
static bool check_epoch(struct api *api, struct http_request *request, struct cursor cursor)
{
    struct journal_status status;
    journal_status(api->settings.journal, &status);
    if (cursor.epoch == status.last.epoch)
        return true;
    http_problem(request, &not_found, "the event is of epoch %08x; the journal's is %08x",
                 cursor.epoch, status.last.epoch);
    return false;
}

void event_get(void *context, struct http_request *request)
{
    static const struct read_job_ops ops = {read_event, "application/cloudevents+json",
                                            sizeof(struct event_job)};
    struct cursor cursor;
    if (!params_none(request))
        return;
    if (cursor_parse(http_request_path_parameter(request), &cursor) < 0) {
        http_problem(request, &bad_cursor,
                     "the last level of the path must be a cursor such as 5f3a9c01-1204, not "
                     "'%.40s'",
                     http_request_path_parameter(request));
        return;
    }
    struct event_job *job = read_job_new(context, request, &ops);
    if (job == NULL)
        return;
    if (!check_epoch(context, request, cursor)) {
        read_job_free(&job->base);
        return;
    }
    job->cursor = cursor;
    read_job_start(context, &job->base);
}
