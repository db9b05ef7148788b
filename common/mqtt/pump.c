#include "common/mqtt/pump.h"

#include <poll.h>
#include <stdlib.h>

#include "common/base/clock.h"

#define MESSAGES_A_TURN 64 /* then what they led to is written, so that the broker has work */

/* libuv's handle for one descriptor of the client; it outlives the pump's interest in it until its
 * close callback. */
struct watch {
    uv_poll_t poll;
    struct mqtt_pump *pump;
    int fd;
    int events; /* 0: not started */
};

struct mqtt_pump {
    uv_loop_t *loop;
    struct mqtt_client *client;
    struct watch *watch; /* NULL: the client has no descriptor */
    uv_timer_t timer;
    uv_prepare_t prepare;
    int64_t deadline_ms; /* that the timer is set to; INT64_MAX: none */
    unsigned open_handles;
};

static void update(struct mqtt_pump *pump);

/* One turn, as common/mqtt/client.h describes it. */
static void turn(struct mqtt_pump *pump)
{
    mqtt_client_tick(pump->client, clock_monotonic_ms());
    mqtt_client_read(pump->client, MESSAGES_A_TURN);
    mqtt_client_write(pump->client);
    update(pump);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    struct watch *watch = poll->data;

    (void)events;
    if (status < 0)
        watch->events = 0; /* libuv has stopped it: the descriptor has an error to be read */
    turn(watch->pump);
}

static void on_timer(uv_timer_t *timer)
{
    struct mqtt_pump *pump = timer->data;
    pump->deadline_ms = INT64_MAX;
    turn(pump);
}

static void on_prepare(uv_prepare_t *prepare)
{
    struct mqtt_pump *pump = prepare->data;
    uv_prepare_stop(prepare);
    mqtt_client_write(pump->client);
    update(pump);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static void unwatch(struct mqtt_pump *pump)
{
    if (!pump->watch)
        return;
    uv_close((uv_handle_t *)&pump->watch->poll, on_watch_closed);
    pump->watch = NULL;
}

static void watch_fd(struct mqtt_pump *pump, int fd)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    /* Without memory the deadline still comes, and tries again. */
    if (!watch || uv_poll_init(pump->loop, &watch->poll, fd) < 0) {
        free(watch);
        return;
    }
    watch->poll.data = watch;
    watch->pump = pump;
    watch->fd = fd;
    pump->watch = watch;
}

static void update_watch(struct mqtt_pump *pump)
{
    int fd = mqtt_client_fd(pump->client);
    short wanted = mqtt_client_events(pump->client);
    int events = ((wanted & POLLIN) ? UV_READABLE : 0) | ((wanted & POLLOUT) ? UV_WRITABLE : 0);

    if (pump->watch && pump->watch->fd != fd)
        unwatch(pump);
    if (!pump->watch && fd >= 0)
        watch_fd(pump, fd);
    if (pump->watch && pump->watch->events != events) {
        uv_poll_start(&pump->watch->poll, events, on_poll);
        pump->watch->events = events;
    }
}

static void update(struct mqtt_pump *pump)
{
    int64_t deadline_ms = mqtt_client_deadline(pump->client);

    update_watch(pump);
    if (deadline_ms == pump->deadline_ms)
        return;
    pump->deadline_ms = deadline_ms;
    if (deadline_ms == INT64_MAX) {
        uv_timer_stop(&pump->timer);
        return;
    }
    int64_t wait_ms = deadline_ms - clock_monotonic_ms();
    uv_timer_start(&pump->timer, on_timer, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

int mqtt_pump_new(uv_loop_t *loop, struct mqtt_client *client, struct mqtt_pump **ret_pump,
                  struct err *e)
{
    struct mqtt_pump *pump = calloc(1, sizeof(*pump));

    if (!pump)
        return FAIL(e, ENOMEM, "out of memory");
    pump->loop = loop;
    pump->client = client;
    pump->deadline_ms = INT64_MAX;
    pump->open_handles = 2;
    uv_timer_init(loop, &pump->timer);
    uv_prepare_init(loop, &pump->prepare);
    pump->timer.data = pump;
    pump->prepare.data = pump;
    update(pump);
    *ret_pump = pump;
    return 0;
}

void mqtt_pump_wake(struct mqtt_pump *pump)
{
    uv_prepare_start(&pump->prepare, on_prepare);
    /* A drop or close ends the descriptor: libuv must forget it before it waits. */
    update(pump);
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct mqtt_pump *pump = handle->data;
    if (--pump->open_handles == 0)
        free(pump);
}

void mqtt_pump_free(struct mqtt_pump *pump)
{
    if (!pump)
        return;
    unwatch(pump);
    uv_close((uv_handle_t *)&pump->timer, on_handle_closed);
    uv_close((uv_handle_t *)&pump->prepare, on_handle_closed);
}
