/* GET /api/v1/readings: charging sessions as plain objects */

#include <string.h>

#include "common/base/json.h"
#include "receiver/api/json_values.h"
#include "receiver/api/query_job.h"
#include "receiver/api/routes.h"

#define READING_KEYS                                                                               \
    (QUERY_SOURCE | QUERY_SINCE | QUERY_UNTIL | QUERY_AFTER | QUERY_BEFORE | QUERY_LIMIT |         \
     QUERY_ORDER)
#define NUMBER_SIZE 64

static const char *const number_names[] = {"timestamp", "energy_delivered_in_kwh",
                                           "duration_in_seconds", "session_cost_in_cents"};

struct reading {
    const char *source;
    const char *session_id;
    int64_t time_us;
    char numbers[ARRAY_SIZE(number_names)][NUMBER_SIZE]; /* as JSON */
};

/* False for an event without the shape of a session. The reading borrows from `event`. */
static bool get_reading(const cJSON *event, struct reading *ret_reading)
{
    const cJSON *data = json_member(event, "data");
    const char *time = cJSON_GetStringValue(json_member(event, "time"));
    if (time == NULL)
        time = cJSON_GetStringValue(json_member(event, "recordedtime"));
    if (!cJSON_IsObject(data) || time == NULL ||
        clock_parse_us(time, strlen(time), &ret_reading->time_us) < 0)
        return false;
    ret_reading->source = cJSON_GetStringValue(json_member(event, "source"));
    ret_reading->session_id = cJSON_GetStringValue(json_member(data, "session_id"));
    for (size_t i = 0; i < ARRAY_SIZE(number_names); i++) {
        cJSON *number = cJSON_GetObjectItemCaseSensitive(data, number_names[i]);
        if (!cJSON_IsNumber(number) ||
            !cJSON_PrintPreallocated(number, ret_reading->numbers[i], NUMBER_SIZE, false))
            return false;
    }
    return ret_reading->source != NULL && ret_reading->session_id != NULL;
}

static void append_reading(struct buf *body, struct cursor cursor, const struct reading *reading)
{
    buf_append_str(body, "{\"cursor\":");
    json_append_cursor(body, cursor);
    buf_append_str(body, ",\"source\":");
    buf_append_json(body, reading->source);
    buf_append_str(body, ",\"time\":");
    json_append_time(body, reading->time_us);
    buf_append_str(body, ",\"session_id\":");
    buf_append_json(body, reading->session_id);
    for (size_t i = 0; i < ARRAY_SIZE(number_names); i++)
        buf_appendf(body, ",\"%s\":%s", number_names[i], reading->numbers[i]);
    buf_append_char(body, '}');
}

static int append_row(void *context, const struct record *record)
{
    struct query_job *job = context;
    cJSON *event AUTO(cJSON_Delete) = NULL;
    struct reading reading;
    struct err e;
    if (json_parse(record->json, record->len, JSON_MAX_DEPTH, &event, &e) < 0 ||
        !get_reading(event, &reading)) {
        job->last_seq = record->seq; /* a row of the page, but no reading */
        return 0;
    }
    if (!page_begin_item(&job->base.page, &job->base.body, record->len))
        return 1;
    append_reading(&job->base.body, (struct cursor){job->epoch, record->seq}, &reading);
    job->last_seq = record->seq;
    return 0;
}

static int read_readings(struct read_job *base, struct journal_reader *reader, struct err *e)
{
    struct cursor last;
    buf_append_str(&base->body, "{\"readings\":[");
    int rc = query_job_read((struct query_job *)base, reader, append_row, &last, e);
    if (rc < 0)
        return rc;
    buf_append_str(&base->body, "],");
    page_append_next(&base->page, &base->body);
    buf_append_char(&base->body, '}');
    return 0;
}

void readings_get(void *context, struct http_request *request)
{
    static const struct read_job_ops ops = {read_readings, "application/json",
                                            sizeof(struct query_job)};
    query_job_run(context, request, &ops, READING_KEYS, EVENT_TYPE_SESSION);
}
