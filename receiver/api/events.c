/* GET /api/v1/events */

#include "receiver/api/json_values.h"
#include "receiver/api/query_job.h"
#include "receiver/api/routes.h"

static int append_event(void *context, const struct record *record)
{
    struct query_job *job = context;
    if (!page_begin_item(&job->base.page, &job->base.body, record->len))
        return 1;
    buf_append(&job->base.body, record->json, record->len);
    job->last_seq = record->seq;
    return 0;
}

static int read_events(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct query_job *job = (struct query_job *)base;
    struct cursor last;
    buf_append_str(&base->body, "{\"events\":[");
    int rc = query_job_read(job, reader, append_event, &last, e);
    if (rc < 0)
        return rc;
    buf_append_str(&base->body, "],\"cursor\":");
    json_append_cursor(&base->body, last);
    buf_append_char(&base->body, ',');
    page_append_next(&base->page, &base->body);
    buf_append_char(&base->body, '}');
    return 0;
}

void events_get(void *context, struct http_request *request)
{
    static const struct read_job_ops ops = {read_events, "application/json",
                                            sizeof(struct query_job)};
    query_job_run(context, request, &ops, QUERY_ALL, NULL);
}
