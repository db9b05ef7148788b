/* GET /healthz, /readyz and /metrics */

#include <stdio.h>

#include "common/base/clock.h"
#include "receiver/api/params.h"
#include "receiver/api/routes.h"
#include "receiver/api/state.h"

#define READYZ_MAX_BYTES  4096
#define METRICS_MAX_BYTES ((size_t)1 << 20)

static const struct http_header no_store[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};

struct check {
    const char *name;
    bool ok;
    char reason[512]; /* "": none */
};

/* What does not hinder the reading of what is stored: that the next connection will fail, or that
 * nothing can be sent. */
static void warn(const struct api *api, const struct ingest_status *status, struct check *check)
{
    const char *missing = api->publish ? publisher_missing_right(api->publish) : NULL;
    struct err e = {0};
    if (validity_check(&status->validity, clock_wall_us() / 1000000, &e) < 0)
        snprintf(check->reason, sizeof(check->reason), "%s", e.msg);
    else if (missing != NULL)
        snprintf(check->reason, sizeof(check->reason), "%s", missing);
}

static void check_broker(struct api *api, struct check *ret_check)
{
    struct ingest_status status = {.broker = MQTT_CONNECTING};
    ret_check->name = "broker";
    if (api->settings.ingest != NULL)
        ingest_status(api->settings.ingest, &status);
    ret_check->ok = status.broker == MQTT_CONNECTED && status.subscribed;
    if (status.broker_reason[0] != '\0')
        snprintf(ret_check->reason, sizeof(ret_check->reason), "%s", status.broker_reason);
    else if (!ret_check->ok)
        snprintf(ret_check->reason, sizeof(ret_check->reason), "%s",
                 status.broker == MQTT_CONNECTED ? "the subscription is not granted yet"
                                                 : "not connected yet");
    if (ret_check->ok)
        warn(api, &status, ret_check);
}

static void check_journal(struct api *api, struct check *ret_check)
{
    struct journal_status status;
    journal_status(api->settings.journal, &status);
    ret_check->name = "journal";
    /* A damaged journal still takes what comes; the reason says that it is damaged. */
    ret_check->ok = status.state == JOURNAL_OK || status.state == JOURNAL_DAMAGED;
    if (status.reason[0] != '\0')
        snprintf(ret_check->reason, sizeof(ret_check->reason), "%s", status.reason);
    else if (!ret_check->ok)
        snprintf(ret_check->reason, sizeof(ret_check->reason), "the journal is %s",
                 journal_state_name(status.state));
}

void healthz_get(void *context, struct http_request *request)
{
    (void)context;
    if (params_none(request))
        http_respond_static(request, 200, "text/plain; charset=utf-8", "ok\n", 3, no_store);
}

void readyz_get(void *context, struct http_request *request)
{
    if (!params_none(request))
        return;
    struct check checks[2] = {0};
    check_broker(context, &checks[0]);
    check_journal(context, &checks[1]);
    bool ready = checks[0].ok && checks[1].ok;

    struct buf body = BUF_INIT(READYZ_MAX_BYTES);
    buf_appendf(&body, "{\"ready\":%s,\"checks\":[", ready ? "true" : "false");
    for (size_t i = 0; i < ARRAY_SIZE(checks); i++) {
        buf_appendf(&body, "%s{\"name\":\"%s\",\"ok\":%s,\"reason\":", i == 0 ? "" : ",",
                    checks[i].name, checks[i].ok ? "true" : "false");
        buf_append_json(&body, checks[i].reason[0] ? checks[i].reason : NULL);
        buf_append_char(&body, '}');
    }
    buf_append_str(&body, "]}");
    http_respond_buf(request, ready ? 200 : 503, "application/json", &body, no_store);
    buf_deinit(&body);
}

void metrics_get(void *context, struct http_request *request)
{
    struct api *api = context;
    if (!params_none(request))
        return;
    struct buf body = BUF_INIT(METRICS_MAX_BYTES);
    metrics_write(api->settings.metrics, &body);
    http_respond_buf(request, 200, METRICS_CONTENT_TYPE, &body, no_store);
    buf_deinit(&body);
}
