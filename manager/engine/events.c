#include "manager/engine/events.h"

#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/random.h"
#include "manager/engine/internal.h"
#include "manager/engine/json_lines.h"
#include "manager/engine/url.h"

#define PROJECT_LABEL   "io.bellbuoy.project"
#define PATH_SIZE       2048
#define BACKOFF_BASE_MS 100
#define BACKOFF_CAP_MS  10000

/* All but what comes with each run of a health check (exec_create, exec_start, exec_die) and with
 * people who only look (attach, top, resize). */
static const char filters[] =
    "{\"type\":[\"container\",\"network\",\"image\"],"
    "\"event\":[\"create\",\"start\",\"restart\",\"stop\",\"die\",\"kill\",\"oom\",\"pause\","
    "\"unpause\",\"destroy\",\"remove\",\"rename\",\"update\",\"health_status\",\"connect\","
    "\"disconnect\",\"pull\",\"load\",\"import\",\"tag\",\"untag\",\"delete\"]}";

struct events {
    struct events_settings settings;
    struct engine_call *call;
    struct json_lines lines;
    uv_timer_t retry;
    unsigned attempt;
};

static void subscribe(struct events *events);

static const char *text_or_empty(const cJSON *object, const char *name)
{
    const char *text = "";

    return json_get_string(object, "", name, &text, NULL) == 0 ? text : "";
}

static void on_event(void *context, const cJSON *event)
{
    struct events *events = context;
    const cJSON *actor = NULL, *attributes = NULL;

    if (json_get_object(event, "", "Actor", &actor, NULL) != 0)
        return;
    bool has_attributes = json_get_object(actor, "", "Attributes", &attributes, NULL) == 0;
    events->settings.event(events->settings.context, text_or_empty(event, "Type"),
                           text_or_empty(event, "Action"), text_or_empty(actor, "ID"),
                           has_attributes ? text_or_empty(attributes, PROJECT_LABEL) : "");
}

static void on_data(void *context, const char *bytes, size_t size)
{
    struct events *events = context;

    if (size > 0) {
        json_lines_feed(&events->lines, bytes, size);
        return;
    }
    events->attempt = 0;
    events->settings.ready(events->settings.context);
}

static void on_retry(uv_timer_t *timer)
{
    subscribe(timer->data);
}

static void retry_later(struct events *events)
{
    int64_t wait_ms =
        random_backoff_ms(&random_kernel, events->attempt++, BACKOFF_BASE_MS, BACKOFF_CAP_MS);

    uv_timer_start(&events->retry, on_retry, (uint64_t)wait_ms, 0);
}

static void on_done(void *context, const struct engine_reply *reply)
{
    struct events *events = context;

    (void)reply; /* the engine's state tells why */
    events->call = NULL;
    json_lines_reset(&events->lines);
    retry_later(events);
}

static void subscribe(struct events *events)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_SIZE);
    int64_t now_us = clock_wall_us();

    if (events->call || engine_state(events->settings.engine) == ENGINE_DOWN)
        return; /* events_engine_up() comes */
    /* The engine sends its header a moment before it subscribes us: what falls between comes from
     * its memory of the last 256 events. */
    buf_appendf(&path, "/events?since=%lld.%06lld&filters=", (long long)(now_us / 1000000),
                (long long)(now_us % 1000000));
    url_append(&path, filters);
    const struct engine_request request = {.method = "GET", .path = path.data, .timeout_ms = -1};
    if (buf_failed(&path) || engine_stream(events->settings.engine, &request, on_data, on_done,
                                           events, &events->call) < 0)
        retry_later(events);
}

int events_new(const struct events_settings *settings, struct events **ret_events, struct err *e)
{
    struct events *events = calloc(1, sizeof(*events));

    if (!events)
        return FAIL(e, ENOMEM, "out of memory");
    events->settings = *settings;
    json_lines_init(&events->lines, on_event, events);
    uv_timer_init(engine_loop(settings->engine), &events->retry);
    events->retry.data = events;
    subscribe(events);
    *ret_events = events;
    return 0;
}

void events_engine_up(struct events *events)
{
    uv_timer_stop(&events->retry);
    subscribe(events);
}

static void on_closed(uv_handle_t *handle)
{
    struct events *events = handle->data;

    json_lines_deinit(&events->lines);
    free(events);
}

void events_free(struct events *events)
{
    if (!events)
        return;
    engine_cancel(TAKE(events->call));
    json_lines_stop(&events->lines);
    uv_close((uv_handle_t *)&events->retry, on_closed);
}
