#include "manager/reconcile/verify.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/reconcile/tail.h"

#define LOOK_AGAIN_MS 5000 /* in case an event was missed */

struct verify {
    struct verify_settings settings;
    uv_timer_t timer;
    struct engine_call *look;
    struct tail *tail;
    struct failure failure;
    int64_t started_ms;
    bool again; /* something happened while it looked */
    char container[65];
};

static void on_closed(uv_handle_t *handle)
{
    struct verify *v = handle->data;

    free(v);
}

void verify_cancel(struct verify *v)
{
    if (!v)
        return;
    engine_cancel(TAKE(v->look));
    tail_cancel(TAKE(v->tail));
    uv_close((uv_handle_t *)&v->timer, on_closed);
}

static void finish(struct verify *v, const struct failure *failure)
{
    v->settings.done(v->settings.context, failure);
    verify_cancel(v);
}

/* ---- what went wrong, with its last words ---- */

static void on_tail(void *context, const char *text)
{
    struct verify *v = context;

    v->tail = NULL;
    failure_set_engine(&v->failure, text);
    finish(v, &v->failure);
}

static void fail(struct verify *v, enum reason_code code, const char *message, bool stale)
{
    failure_set(&v->failure, v->settings.op, code, message, NULL);
    v->failure.stale = stale;
    uv_timer_stop(&v->timer);
    if (tail_start(v->settings.engine, v->container, on_tail, v, &v->tail, NULL) < 0)
        finish(v, &v->failure);
}

/* ---- looking ---- */

static void look(struct verify *v);

static void on_timer(uv_timer_t *timer)
{
    look(timer->data);
}

static void look_in(struct verify *v, int64_t ms)
{
    if (ms < 1)
        ms = 1;
    uv_timer_start(&v->timer, on_timer, (uint64_t)(ms < LOOK_AGAIN_MS ? ms : LOOK_AGAIN_MS), 0);
}

/* With these the engine leaves it at that, too. */
static bool ends_well(const struct service *service)
{
    return service->one_shot || str_equal(service->limits.restart, "no") ||
           str_equal(service->limits.restart, "on-failure");
}

/* Not every engine says so by itself. */
static const char *memory_hint(const struct service *service, const struct inspection *now)
{
    if (now->oom_killed)
        return ": it needs more memory than its limit";
    return now->exit_code == 137 && service->limits.memory_bytes > 0
               ? ": it was killed, perhaps for needing more memory than its limit"
               : "";
}

/* One that ran before this plan was made may have been stopped by a call whose reply nobody waits
 * for any more, as of a manager that was killed, or by a person. It is started once more, and that
 * is its own. */
static void judge_ended(struct verify *v, const struct inspection *now)
{
    const struct service *service = v->settings.op->service;
    char message[160];

    if (now->exit_code == 0 && !now->oom_killed && ends_well(service)) {
        finish(v, NULL);
        return;
    }
    double seconds = (double)(now->finished_us - now->started_us) / 1e6;
    (void)snprintf(message, sizeof(message), "it ended with code %lld after %.1f s%s",
                   (long long)now->exit_code, seconds < 0 ? 0 : seconds, memory_hint(service, now));
    fail(v, now->oom_killed ? REASON_OOM : REASON_EXITED, message, v->settings.op->found_running);
}

static void judge_health(struct verify *v, const struct inspection *now)
{
    const struct service *service = v->settings.op->service;
    int64_t within_ms = service->healthy_within_ns / 1000000;
    int64_t left_ms = within_ms - (clock_monotonic_ms() - v->started_ms);
    char message[160];

    if (str_equal(now->health, "healthy")) {
        finish(v, NULL);
    } else if (str_equal(now->health, "unhealthy")) {
        fail(v, REASON_UNHEALTHY, "its health check failed", false);
    } else if (left_ms <= 0) {
        (void)snprintf(message, sizeof(message), "it was not healthy within %lld s",
                       (long long)(within_ms / 1000));
        fail(v, REASON_UNHEALTHY, message, false);
    } else {
        look_in(v, left_ms);
    }
}

/* By the container's own time, so that a restart of the manager does not ask for it once more; by
 * ours where the clock went back. */
static void judge_uptime(struct verify *v, const struct inspection *now)
{
    int64_t min_ms = v->settings.op->service->min_uptime_ns / 1000000;
    int64_t up_ms = (clock_wall_us() - now->started_us) / 1000;
    int64_t waited_ms = clock_monotonic_ms() - v->started_ms;

    if (up_ms >= min_ms || waited_ms >= min_ms)
        finish(v, NULL);
    else
        look_in(v, min_ms - (up_ms > waited_ms ? up_ms : waited_ms));
}

static void judge(struct verify *v, const struct inspection *now)
{
    const struct service *service = v->settings.op->service;

    if (!now->running)
        judge_ended(v, now);
    else if (service->has_healthcheck && !str_equal(now->health, "none"))
        judge_health(v, now);
    else if (service->one_shot)
        look_in(v, LOOK_AGAIN_MS);
    else
        judge_uptime(v, now);
}

static void on_looked(void *context, const struct engine_reply *reply)
{
    struct verify *v = context;
    cJSON *inspected AUTO(cJSON_Delete) = NULL;
    bool again = v->again;

    v->look = NULL;
    v->again = false;
    if (reply->status == 404) {
        failure_set(&v->failure, v->settings.op, REASON_EXITED, "somebody removed it", NULL);
        finish(v, &v->failure);
    } else if (!engine_reply_ok(reply)) {
        failure_set(&v->failure, v->settings.op, REASON_ENGINE_DOWN, "the engine did not answer",
                    reply->message);
        finish(v, &v->failure);
    } else if (again) {
        look(v);
    } else if (json_parse(reply->body, reply->size, JSON_MAX_DEPTH, &inspected, NULL) < 0) {
        look_in(v, LOOK_AGAIN_MS);
    } else {
        struct inspection now = inspection_read(inspected);
        judge(v, &now);
    }
}

static void look(struct verify *v)
{
    char path[128];

    if (v->look || v->tail) {
        v->again = true;
        return;
    }
    (void)snprintf(path, sizeof(path), "/containers/%s/json", v->container);
    if (engine_call(v->settings.engine, &(struct engine_request){.method = "GET", .path = path},
                    on_looked, v, &v->look) < 0)
        look_in(v, LOOK_AGAIN_MS);
}

void verify_wake(struct verify *v, const char *container)
{
    if (!container || str_equal(container, v->container))
        look(v);
}

int verify_start(const struct verify_settings *settings, struct verify **ret_verify, struct err *e)
{
    struct verify *v = calloc(1, sizeof(*v));

    if (!v)
        return FAIL(e, ENOMEM, "out of memory");
    v->settings = *settings;
    v->started_ms = clock_monotonic_ms();
    if (!str_copy(v->container, sizeof(v->container), settings->container)) {
        free(v);
        return FAIL(e, EINVAL, "'%s' is no container's id", settings->container);
    }
    uv_timer_init(settings->loop, &v->timer);
    v->timer.data = v;
    look_in(v, 1);
    *ret_verify = v;
    return 0;
}
