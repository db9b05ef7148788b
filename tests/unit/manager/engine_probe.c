/*
 * What the integration tests ask an engine by our own library:
 *
 *     engine_probe SOCKET pull IMAGE [IDLE_MS [REGISTRY_CONFIG]]
 *
 * A line of JSON for each progress and one for the result.
 */
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"
#include "manager/engine/pull.h"

struct probe {
    struct engine *engine;
    struct pull_settings settings;
    struct pull *pull;
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

static void on_changed(void *context, enum engine_state state, const char *reason)
{
    struct probe *probe = context;
    struct err e = {0};

    say("{\"state\":\"%s\",\"reason\":\"%s\"}\n", state == ENGINE_UP ? "up" : "down", reason);
    if (state != ENGINE_UP || probe->pull)
        return;
    if (pull_start(probe->engine, &probe->settings, &probe->pull, &e) < 0) {
        (void)fprintf(stderr, "%s\n", e.msg);
        exit(1);
    }
}

int main(int argc, char *argv[])
{
    struct probe probe = {0};
    uv_loop_t *loop = uv_default_loop();
    struct err e = {0};
    int64_t idle_ms = 0;

    if (argc < 4 || !str_equal(argv[2], "pull") ||
        (argc > 4 && str_parse_int(argv[4], 0, 1000000, &idle_ms) < 0)) {
        (void)fprintf(stderr, "usage: %s SOCKET pull IMAGE [IDLE_MS [REGISTRY_CONFIG]]\n", argv[0]);
        return 2;
    }
    probe.settings = (struct pull_settings){
        .image = argv[3],
        .idle_ms = idle_ms,
        .registry_config = argc > 5 ? argv[5] : NULL,
        .progress = on_progress,
        .done = on_done,
        .context = &probe,
    };
    const struct engine_settings settings = {
        .loop = loop, .socket = argv[1], .changed = on_changed, .context = &probe};
    if (engine_new(&settings, &probe.engine, &e) < 0) {
        (void)fprintf(stderr, "%s\n", e.msg);
        return 1;
    }
    uv_run(loop, UV_RUN_DEFAULT);
    engine_free(probe.engine);
    return uv_loop_close(loop) == 0 ? 0 : 1;
}
