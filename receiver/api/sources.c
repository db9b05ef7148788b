/* GET /api/v1/sources */

#include <inttypes.h>

#include "common/base/str.h"
#include "receiver/api/json_values.h"
#include "receiver/api/params.h"
#include "receiver/api/read_job.h"
#include "receiver/api/routes.h"

#define SOURCES_LIMIT 1000 /* default and most */
#define SOURCE_BYTES  1024 /* about what one takes */

struct sources_params {
    char after[EVENT_SOURCE_MAX + 1]; /* "": from the first */
    int64_t limit;
};

struct sources_job {
    struct read_job base;
    struct sources_params params;
    uint32_t epoch;
    char last[EVENT_SOURCE_MAX + 1];
};

static int set_after(void *target, const char *value, struct err *e)
{
    struct sources_params *params = target;
    if (!event_source_expand(value, params->after, sizeof(params->after)))
        return FAIL(e, EINVAL, "'after' must be a source of at most %d bytes", EVENT_SOURCE_MAX);
    return 0;
}

static int set_limit(void *target, const char *value, struct err *e)
{
    struct sources_params *params = target;
    return param_parse_int("limit", value, 1, SOURCES_LIMIT, &params->limit, e);
}

static const struct param known[] = {{"limit", set_limit}, {"after", set_after}};

static void append_source(void *context, const struct journal_source *source)
{
    struct sources_job *job = context;
    struct buf *body = &job->base.body;
    if (!page_begin_item(&job->base.page, body, SOURCE_BYTES))
        return;
    buf_append_str(body, "{\"source\":");
    buf_append_json(body, source->source);
    buf_appendf(body, ",\"count\":%" PRIu64 ",\"first_seen\":", source->count);
    json_append_time(body, source->first_seen_us);
    buf_append_str(body, ",\"last_seen\":");
    json_append_time(body, source->last_seen_us);
    buf_append_str(body, ",\"last_type\":");
    buf_append_json(body, source->last_type);
    buf_append_str(body, ",\"last_cursor\":");
    json_append_cursor(body, (struct cursor){job->epoch, source->last_seq});
    buf_append_str(body, ",\"color\":");
    buf_append_json(body, source->color);
    buf_append_str(body, ",\"bootid\":");
    buf_append_json(body, source->bootid);
    buf_append_str(body, ",\"last_sequence\":");
    if (source->last_sequence == EVENT_NO_SEQUENCE)
        buf_append_str(body, "null");
    else
        buf_appendf(body, "%" PRIu64, source->last_sequence);
    buf_appendf(body, ",\"missing\":%" PRIu64 ",\"late\":%" PRIu64 ",\"duplicates\":%" PRIu64 "}",
                source->missing, source->late, source->duplicates);
    if (!str_copy(job->last, sizeof(job->last), source->source))
        body->failed = true;
}

static int read_sources(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct sources_job *job = (struct sources_job *)base;
    const char *after = *job->params.after ? job->params.after : NULL;
    bool more;
    buf_append_str(&base->body, "{\"sources\":[");
    int rc = journal_read_sources(reader, after, (unsigned)job->params.limit, append_source, job,
                                  &more, e);
    if (rc < 0)
        return rc;
    if (more || base->page.is_full)
        page_set_next(&base->page, job->last);
    buf_append_str(&base->body, "],");
    page_append_next(&base->page, &base->body);
    buf_append_char(&base->body, '}');
    return 0;
}

void sources_get(void *context, struct http_request *request)
{
    static const struct read_job_ops ops = {read_sources, "application/json",
                                            sizeof(struct sources_job)};
    struct api *api = context;
    struct sources_params params = {.limit = SOURCES_LIMIT};
    if (!params_parse(request, known, ARRAY_SIZE(known), &params))
        return;
    struct sources_job *job = read_job_new(api, request, &ops);
    if (job == NULL)
        return;
    struct journal_status status;
    journal_status(api->settings.journal, &status);
    job->epoch = status.last.epoch;
    job->params = params;
    read_job_paginate(api, &job->base, "after", (unsigned)params.limit);
    read_job_start(api, &job->base);
}
