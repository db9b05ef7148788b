/* GET /api/v1/incidents */

#include <inttypes.h>
#include <stdio.h>

#include "common/base/str.h"
#include "receiver/api/json_values.h"
#include "receiver/api/list_job.h"
#include "receiver/api/routes.h"

#define ROW_BYTES 1024 /* about what one takes */

static const char *const kinds[] = {"sequence_hole", "session_lost", "journal_replaced",
                                    "journal_failed", "journal_damaged"};

static int set_kind(void *target, const char *value, struct err *e)
{
    struct list_params *params = target;
    for (size_t i = 0; i < ARRAY_SIZE(kinds); i++)
        if (str_equal(kinds[i], value) && str_copy(params->kind, sizeof(params->kind), value))
            return 0;
    return FAIL(e, EINVAL, "'kind' must be %s, %s, %s, %s or %s, not '%.40s'", kinds[0], kinds[1],
                kinds[2], kinds[3], kinds[4], value);
}

static const struct param known[] = {{"kind", set_kind},
                                     {"source", list_params_set_source},
                                     {"before", list_params_set_before},
                                     {"limit", list_params_set_limit}};

static void append_hole(struct buf *body, const struct journal_incident_row *row)
{
    if (row->missing == 0)
        buf_append_str(body, ",\"from\":null,\"to\":null,\"missing\":null");
    else
        buf_appendf(body, ",\"from\":%" PRIu64 ",\"to\":%" PRIu64 ",\"missing\":%" PRIu64,
                    row->from, row->to, row->missing);
}

static void append_incident(void *context, const struct journal_incident_row *row)
{
    struct buf *body = list_job_begin_row(context, row->id, ROW_BYTES);
    if (body == NULL)
        return;
    buf_appendf(body, "{\"id\":%" PRId64 ",\"kind\":", row->id);
    buf_append_json(body, row->kind);
    buf_append_str(body, ",\"source\":");
    buf_append_json(body, row->source);
    buf_append_str(body, ",\"bootid\":");
    buf_append_json(body, row->bootid);
    append_hole(body, row);
    buf_append_str(body, ",\"opened\":");
    json_append_time(body, row->opened_us);
    buf_append_str(body, ",\"closed\":");
    json_append_time(body, row->closed_us);
    buf_append_str(body, ",\"detail\":");
    buf_append_json(body, row->detail);
    buf_append_char(body, '}');
}

static int read_incidents(struct list_job *job, struct journal_reader *reader,
                          const struct journal_list *list, bool *ret_more, struct err *e)
{
    return journal_read_incidents(reader, list, append_incident, job, ret_more, e);
}

void incidents_get(void *context, struct http_request *request)
{
    static const struct list_resource incidents = {"incidents", known, ARRAY_SIZE(known),
                                                   read_incidents};
    list_job_run(context, request, &incidents);
}
