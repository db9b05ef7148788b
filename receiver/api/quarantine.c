/* GET /api/v1/quarantine */

#include <inttypes.h>

#include "receiver/api/json_values.h"
#include "receiver/api/list_params.h"
#include "receiver/api/read_job.h"
#include "receiver/api/routes.h"

#define SHOWN_BYTES 1024 /* of a payload */
#define ROW_BYTES   4096 /* about what a row takes */

struct quarantine_job {
    struct read_job base;
    struct list_params params;
    int64_t last_id;
};

static const struct param known[] = {{"before", list_params_set_before},
                                     {"limit", list_params_set_limit}};

static void append_row(void *context, const struct journal_quarantine_row *row)
{
    struct quarantine_job *job = context;
    struct buf *body = &job->base.body;
    if (!page_begin_item(&job->base.page, body, ROW_BYTES))
        return;
    buf_appendf(body, "{\"id\":%" PRId64 ",\"received\":", row->id);
    json_append_time(body, row->recorded_us);
    buf_append_str(body, ",\"topic\":");
    buf_append_json(body, row->topic);
    buf_append_str(body, ",\"reason\":");
    buf_append_json(body, row->reason);
    buf_appendf(body, ",\"size_bytes\":%zu,\"payload_base64\":", row->size);
    json_append_base64(body, row->payload, row->size < SHOWN_BYTES ? row->size : SHOWN_BYTES);
    buf_append_char(body, '}');
    job->last_id = row->id;
}

static int read_quarantine(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct quarantine_job *job = (struct quarantine_job *)base;
    const struct journal_list list = list_params_get(&job->params);
    bool more;
    buf_append_str(&base->body, "{\"quarantine\":[");
    int rc = journal_read_quarantine(reader, &list, append_row, job, &more, e);
    if (rc < 0)
        return rc;
    if (more || base->page.is_full)
        page_set_next_id(&base->page, job->last_id);
    buf_append_str(&base->body, "],");
    page_append_next(&base->page, &base->body);
    buf_append_char(&base->body, '}');
    return 0;
}

void quarantine_get(void *context, struct http_request *request)
{
    static const struct read_job_ops ops = {read_quarantine, "application/json",
                                            sizeof(struct quarantine_job)};
    struct list_params params = LIST_PARAMS_INIT;
    if (!params_parse(request, known, ARRAY_SIZE(known), &params))
        return;
    struct quarantine_job *job = read_job_new(context, request, &ops);
    if (job == NULL)
        return;
    job->params = params;
    read_job_paginate(context, &job->base, "before", (unsigned)params.limit);
    read_job_start(context, &job->base);
}
