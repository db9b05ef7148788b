#include "receiver/api/query_job.h"

#include "common/base/str.h"
#include "common/http/problem.h"
#include "receiver/api/query_params.h"

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
    job->epoch = status.last.epoch;
    if (type != NULL && str_copy(query.type, sizeof(query.type), type))
        query.given |= QUERY_TYPE;
    job->query = query;
    read_job_paginate(api, &job->base, query.ascending ? "after" : "before", query.limit);
    read_job_start(api, &job->base);
}

int query_job_read(struct query_job *job, struct journal_reader *reader,
                   int (*each)(void *job, const struct record *record),
                   struct journal_page *ret_page, struct err *e)
{
    int rc = journal_read(reader, &job->query, each, job, ret_page, e);
    if (rc < 0)
        return rc;
    if (!ret_page->more && !job->base.page.is_full)
        return 0;
    char position[CURSOR_TEXT_SIZE];
    cursor_format((struct cursor){job->epoch, job->last_seq}, position);
    page_set_next(&job->base.page, position);
    return 0;
}
