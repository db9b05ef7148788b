/*
 * What the integration tests ask an engine by our own library; what it tells, as lines of JSON:
 *
 *     engine_probe SOCKET pull IMAGE [IDLE_MS [REGISTRY_CONFIG]]   progress and result of a pull
 *     engine_probe SOCKET watch                                    state and events, until a signal
 */
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "manager/engine/events.h"
#include "manager/engine/pull.h"

#define LOOK_PERIOD_MS  200
#define LOOK_TIMEOUT_MS 500
#define ANSWER_MS       1000

struct probe {
    struct engine *engine;
    struct pull_settings pull_settings;
    bool pulls;
    struct pull *pull;
    struct events *events;
    uv_timer_t timer;
    uv_signal_t signal;
};

static void say(const char *fmt, ...) FORMAT(1, 2);

static void say(const char *fmt, ...)
{
    va_list args;

    va_start(args, fmt);
    (void)vprintf(fmt, args);
    va_end(args);
    (void)fflush(stdout);
}

static void fail(const struct err *e)
{
    (void)fprintf(stderr, "%s\n", e->msg);
    exit(1);
}

/* ---- pull ---- */

static void on_progress(void *context, const struct pull_progress *progress)
{
    (void)context;
    say("{\"current\":%lld,\"total\":%lld,\"layers\":%u,\"done\":%u}\n",
        (long long)progress->current_bytes, (long long)progress->total_bytes, progress->layers,
        progress->layers_done);
}

static void on_done(void *context, const struct pull_result *result)
{
    const struct probe *probe = context;
    AUTO(buf_deinit) struct buf message = BUF_INIT(1 << 16);

    buf_append_json(&message, result->message);
    say("{\"code\":\"%s\",\"message\":%s,\"retry_after_ms\":%lld}\n", reason_name(result->code),
        message.data, (long long)result->retry_after_ms);
    engine_stop(probe->engine);
}

static void start_pull(struct probe *probe)
{
    struct err e = {0};

    if (!probe->pull && pull_start(probe->engine, &probe->pull_settings, &probe->pull, &e) < 0)
        fail(&e);
}

/* ---- watch ---- */

static void on_event(void *context, const char *type, const char *action, const char *id,
                     const char *project)
{
    (void)context;
    say("{\"event\":\"%s %s\",\"id\":\"%s\",\"project\":\"%s\"}\n", type, action, id, project);
}

static void on_ready(void *context)
{
    (void)context;
    say("{\"ready\":true}\n");
}

static void on_looked(void *context, const struct engine_reply *reply)
{
    (void)context;
    (void)reply;
}

/* As a manager's list now and then. */
static void on_timer(uv_timer_t *timer)
{
    const struct probe *probe = timer->data;
    const struct engine_request request = {
        .method = "GET", .path = "/containers/json", .timeout_ms = LOOK_TIMEOUT_MS};

    if (engine_call(probe->engine, &request, on_looked, NULL, NULL) < 0)
        abort();
}

static void on_signal(uv_signal_t *signal, int number)
{
    struct probe *probe = signal->data;

    (void)number;
    events_free(TAKE(probe->events));
    engine_stop(probe->engine);
    uv_close((uv_handle_t *)&probe->timer, NULL);
    uv_close((uv_handle_t *)&probe->signal, NULL);
}

static void start_watch(struct probe *probe, uv_loop_t *loop)
{
    const struct events_settings settings = {
        .engine = probe->engine, .event = on_event, .ready = on_ready, .context = probe};
    struct err e = {0};

    uv_timer_init(loop, &probe->timer);
    uv_signal_init(loop, &probe->signal);
    probe->timer.data = probe;
    probe->signal.data = probe;
    uv_timer_start(&probe->timer, on_timer, LOOK_PERIOD_MS, LOOK_PERIOD_MS);
    uv_signal_start(&probe->signal, on_signal, SIGTERM);
    if (events_new(&settings, &probe->events, &e) < 0)
        fail(&e);
}

/* ---- both ---- */

static void on_changed(void *context, enum engine_state state, const char *reason)
{
    struct probe *probe = context;

    say("{\"state\":\"%s\",\"version\":\"%s\",\"reason\":\"%s\"}\n",
        state == ENGINE_UP ? "up" : "down", engine_version(probe->engine), reason);
    if (state == ENGINE_UP && probe->pulls)
        start_pull(probe);
    if (state == ENGINE_UP && probe->events)
        events_engine_up(probe->events);
}

int main(int argc, char *argv[])
{
    struct probe probe = {0};
    uv_loop_t *loop = uv_default_loop();
    struct err e = {0};
    int64_t idle_ms = 0;

    probe.pulls = argc > 3 && str_equal(argv[2], "pull");
    if ((!probe.pulls && (argc != 3 || !str_equal(argv[2], "watch"))) ||
        (argc > 4 && str_parse_int(argv[4], 0, 1000000, &idle_ms) < 0)) {
        (void)fprintf(stderr, "see the head of engine_probe.c\n");
        return 2;
    }
    probe.pull_settings = (struct pull_settings){
        .image = argv[3],
        .idle_ms = idle_ms,
        .registry_config = argc > 5 ? argv[5] : NULL,
        .progress = on_progress,
        .done = on_done,
        .context = &probe,
    };
    const struct engine_settings settings = {.loop = loop,
                                             .socket = argv[1],
                                             .changed = on_changed,
                                             .context = &probe,
                                             .answer_ms = ANSWER_MS};
    if (engine_new(&settings, &probe.engine, &e) < 0)
        fail(&e);
    if (!probe.pulls)
        start_watch(&probe, loop);
    uv_run(loop, UV_RUN_DEFAULT);
    engine_free(probe.engine);
    return uv_loop_close(loop) == 0 ? 0 : 1;
}
