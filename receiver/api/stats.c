/* GET /api/v1/stats */

#include <inttypes.h>

#include "receiver/api/json_values.h"
#include "receiver/api/params.h"
#include "receiver/api/routes.h"
#include "receiver/api/state.h"

#define STATS_MAX_BYTES 16384

static void append_receiver(struct buf *body, const struct api *api)
{
    const struct clock *clock = api->settings.clock;
    buf_append_str(body, "\"version\":");
    buf_append_json(body, api->settings.version);
    buf_append_str(body, ",\"instance\":");
    buf_append_json(body, api->settings.instance);
    buf_append_str(body, ",\"started\":");
    json_append_time(body, api->started_us);
    buf_appendf(body, ",\"uptime_seconds\":%" PRId64,
                (clock->monotonic_ms(clock->context) - api->started_ms) / 1000);
}

static void append_journal(struct buf *body, const struct api *api,
                           const struct journal_status *status)
{
    buf_appendf(body,
                "\"journal\":{\"state\":\"%s\",\"reason\":", journal_state_name(status->state));
    buf_append_json(body, status->reason[0] ? status->reason : NULL);
    if (status->is_open) {
        buf_appendf(body, ",\"epoch\":\"%08" PRIx32 "\",\"first\":", status->last.epoch);
        if (status->events > 0)
            json_append_cursor(body, status->first);
        else
            buf_append_str(body, "null");
        buf_append_str(body, ",\"last\":");
        json_append_cursor(body, status->last);
    } else {
        buf_append_str(body, ",\"epoch\":null,\"first\":null,\"last\":null");
    }
    buf_appendf(body,
                ",\"events\":%" PRIu64 ",\"size_bytes\":%" PRId64
                ",\"retention_age_seconds\":%" PRId64 ",\"retention_size_bytes\":%" PRId64 "}",
                status->events, status->size_bytes, api->settings.retention_age_ms / 1000,
                api->settings.retention_bytes);
}

static void append_broker(struct buf *body, const struct api *api,
                          const struct ingest_status *status)
{
    static const char *const states[] = {[MQTT_WAITING] = "waiting",
                                         [MQTT_CONNECTING] = "connecting",
                                         [MQTT_CONNECTED] = "connected"};
    buf_appendf(body, "\"broker\":{\"state\":\"%s\",\"reason\":", states[status->broker]);
    buf_append_json(body, status->broker_reason[0] ? status->broker_reason : NULL);
    buf_append_str(body, ",\"url\":");
    buf_append_json(body, api->settings.mqtt->broker_url);
    buf_append_str(body, ",\"since\":");
    json_append_time(body, status->broker_since_us);
    if (status->next_attempt_ms < 0)
        buf_append_str(body, ",\"next_attempt_ms\":null}");
    else
        buf_appendf(body, ",\"next_attempt_ms\":%" PRId64 "}", status->next_attempt_ms);
}

static void append_totals(struct buf *body, const struct ingest_status *ingest,
                          const struct journal_status *journal)
{
    buf_appendf(body,
                "\"totals\":{\"stored\":%" PRIu64 ",\"duplicates\":%" PRIu64
                ",\"quarantined\":%" PRIu64 ",\"missing\":%" PRIu64 ",\"incidents_open\":%" PRIu64
                "}",
                ingest->stored, ingest->duplicates, journal->quarantined, journal->missing,
                journal->incidents_open);
}

static void append_rate(struct buf *body, const struct api *api)
{
    uint64_t counts[INGEST_RATE_STEPS];
    int64_t until_us = 0;
    size_t steps = 0;
    if (api->settings.ingest != NULL)
        steps = ingest_rates(api->settings.ingest, counts, &until_us);
    buf_appendf(body, "\"rate\":{\"step_seconds\":%d,\"until\":", INGEST_RATE_STEP_US / 1000000);
    json_append_time(body, until_us);
    buf_append_str(body, ",\"counts\":[");
    for (size_t i = 0; i < steps; i++)
        buf_appendf(body, "%s%" PRIu64, i == 0 ? "" : ",", counts[i]);
    buf_append_str(body, "]}");
}

void stats_get(void *context, struct http_request *request)
{
    static const struct http_header headers[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    struct api *api = context;
    if (!params_none(request))
        return;
    struct journal_status journal;
    journal_status(api->settings.journal, &journal);
    struct ingest_status ingest = {.broker = MQTT_CONNECTING, .next_attempt_ms = -1};
    if (api->settings.ingest != NULL)
        ingest_status(api->settings.ingest, &ingest);
    struct streams_counts clients = streams_count(api->settings.streams);

    struct buf body = BUF_INIT(STATS_MAX_BYTES);
    buf_append_char(&body, '{');
    append_receiver(&body, api);
    buf_append_char(&body, ',');
    append_journal(&body, api, &journal);
    buf_append_char(&body, ',');
    append_broker(&body, api, &ingest);
    buf_appendf(&body, ",\"clients\":{\"live\":%u,\"replaying\":%u,\"max\":%u},", clients.live,
                clients.replaying, clients.max);
    append_totals(&body, &ingest, &journal);
    buf_append_char(&body, ',');
    append_rate(&body, api);
    buf_append_char(&body, '}');
    http_respond_buf(request, 200, "application/json", &body, headers);
    buf_deinit(&body);
}
