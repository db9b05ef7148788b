/* GET /api/v1/quarantine */

#include <inttypes.h>

#include "receiver/api/json_values.h"
#include "receiver/api/list_job.h"
#include "receiver/api/routes.h"

#define SHOWN_BYTES 1024 /* of a payload */
#define ROW_BYTES   4096 /* about what a row takes */

static const struct param known[] = {{"before", list_params_set_before},
                                     {"limit", list_params_set_limit}};

static void append_row(void *context, const struct journal_quarantine_row *row)
{
    struct buf *body = list_job_begin_row(context, row->id, ROW_BYTES);
    if (body == NULL)
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
}

static int read_quarantine(struct list_job *job, struct journal_reader *reader,
                           const struct journal_list *list, bool *ret_more, struct err *e)
{
    return journal_read_quarantine(reader, list, append_row, job, ret_more, e);
}

void quarantine_get(void *context, struct http_request *request)
{
    static const struct list_resource quarantine = {"quarantine", known, ARRAY_SIZE(known),
                                                    read_quarantine};
    list_job_run(context, request, &quarantine);
}
