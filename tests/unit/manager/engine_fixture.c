#include "engine_fixture.h"

#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "common/base/str.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATIENCE_MS 30000

/* What is waited for may come before the turn's own wait, which would then go on. */
static uv_loop_t *turning;

void scene_break(void)
{
    uv_stop(turning);
}

void scene_turn(struct scene *s)
{
    turning = &s->loop;
    uv_run(&s->loop, UV_RUN_ONCE);
}

static void on_impatient(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("waited in vain");
}

void scene_init(struct scene *s)
{
    *s = (struct scene){0};
    uv_loop_init(&s->loop);
    uv_timer_init(&s->loop, &s->patience);
}

void scene_stop(struct scene *s)
{
    engine_stop(s->engine);
    uv_run(&s->loop, UV_RUN_NOWAIT);
    engine_free(TAKE(s->engine));
}

void scene_deinit(struct scene *s)
{
    engine_stop(s->engine);
    uv_close((uv_handle_t *)&s->patience, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    engine_free(s->engine);
    assert_int_equal(uv_loop_close(&s->loop), 0); /* nothing was left open */
}

/* A socket outlives an engine that was killed. */
static bool somebody_listens(const char *path)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool connected = false;

    assert_int_not_equal(fd, -1);
    if (strlen(path) < sizeof(address.sun_path)) {
        (void)snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
        connected = connect(fd, (const struct sockaddr *)&address, sizeof(address)) == 0;
    }
    close(fd);
    return connected;
}

const char *scene_real_socket(void)
{
    const char *host = getenv("DOCKER_HOST");
    const char *path = host && str_starts_with(host, "unix://") ? host + strlen("unix://")
                                                                : "/var/run/docker.sock";

    return somebody_listens(path) ? path : NULL;
}

static void on_changed(void *context, enum engine_state state, const char *reason)
{
    struct scene *s = context;

    scene_break();
    (void)snprintf(s->reason, sizeof(s->reason), "%s", reason);
    if (state == ENGINE_UP)
        s->ups++;
    else
        s->downs++;
}

void scene_start(struct scene *s, const char *socket, int64_t answer_ms)
{
    const struct engine_settings settings = {
        .loop = &s->loop,
        .socket = socket,
        .changed = on_changed,
        .context = s,
        .answer_ms = answer_ms,
    };
    struct err e = {0};

    if (engine_new(&settings, &s->engine, &e) < 0)
        fail_msg("%s", e.msg);
}

static void be_patient(struct scene *s)
{
    uv_update_time(&s->loop);
    uv_timer_start(&s->patience, on_impatient, PATIENCE_MS, 0);
}

void scene_wait_up(struct scene *s)
{
    be_patient(s);
    while (engine_state(s->engine) != ENGINE_UP)
        scene_turn(s);
    uv_timer_stop(&s->patience);
}

void scene_wait_down(struct scene *s, unsigned downs)
{
    be_patient(s);
    while (s->downs < downs)
        scene_turn(s);
    uv_timer_stop(&s->patience);
}

void scene_wait_parts(struct scene *s, const struct outcome *outcome, unsigned parts)
{
    be_patient(s);
    while (outcome->data_parts < parts)
        scene_turn(s);
    uv_timer_stop(&s->patience);
}

void scene_wait(struct scene *s, const bool *flag)
{
    be_patient(s);
    while (!*flag)
        scene_turn(s);
    uv_timer_stop(&s->patience);
}

void on_outcome(void *context, const struct engine_reply *reply)
{
    struct outcome *outcome = context;

    scene_break();
    assert_false(outcome->done);
    outcome->done = true;
    outcome->call = NULL;
    outcome->status = reply->status;
    outcome->timed_out = reply->timed_out;
    outcome->size = reply->size;
    outcome->body = strdup(reply->body);
    assert_int_equal(strlen(reply->body), reply->size);
    (void)snprintf(outcome->message, sizeof(outcome->message), "%s", reply->message);
}

void on_outcome_data(void *context, const char *bytes, size_t size)
{
    struct outcome *outcome = context;

    (void)bytes;
    scene_break();
    assert_false(outcome->done);
    assert_true((size == 0) == (outcome->data_parts == 0));
    outcome->data_parts++;
    outcome->data_bytes += size;
}

void scene_call(struct scene *s, const char *method, const char *path, const char *body,
                struct outcome *ret_outcome)
{
    const struct engine_request request = {.method = method, .path = path, .body = body};

    *ret_outcome = (struct outcome){0};
    assert_int_equal(engine_call(s->engine, &request, on_outcome, ret_outcome, &ret_outcome->call),
                     0);
    assert_false(ret_outcome->done);
    scene_wait(s, &ret_outcome->done);
}

void outcome_deinit(struct outcome *outcome)
{
    free(outcome->body);
}
