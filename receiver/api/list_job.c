#include "receiver/api/list_job.h"

struct list_job {
    struct read_job base;
    const struct list_resource *resource;
    struct list_params params;
    int64_t last_id;
};

struct buf *list_job_begin_row(struct list_job *job, int64_t id, size_t len)
{
    struct buf *body = &job->base.body;
    if (!page_begin_item(&job->base.page, body, len))
        return NULL;
    job->last_id = id;
    return body;
}

static int read_list(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct list_job *job = (struct list_job *)base;
    const struct journal_list list = list_params_get(&job->params);
    bool more;
    buf_appendf(&base->body, "{\"%s\":[", job->resource->name);
    int rc = job->resource->read(job, reader, &list, &more, e);
    if (rc < 0)
        return rc;
    if (more || base->page.is_full)
        page_set_next_id(&base->page, job->last_id);
    buf_append_str(&base->body, "],");
    page_append_next(&base->page, &base->body);
    buf_append_char(&base->body, '}');
    return 0;
}

void list_job_run(struct api *api, struct http_request *request,
                  const struct list_resource *resource)
{
    static const struct read_job_ops ops = {read_list, "application/json", sizeof(struct list_job)};
    struct list_params params = LIST_PARAMS_INIT;
    if (!params_parse(request, resource->known, resource->known_count, &params))
        return;
    struct list_job *job = read_job_new(api, request, &ops);
    if (job == NULL)
        return;
    job->resource = resource;
    job->params = params;
    read_job_paginate(api, &job->base, "before", (unsigned)params.limit);
    read_job_start(api, &job->base);
}
