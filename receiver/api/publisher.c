#include "receiver/api/publisher.h"

#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/mqtt/pump.h"
#include "common/mqtt/rights.h"

struct pending {
    int mid;
    int64_t deadline_ms;
    publish_done *done;
    void *context;
};

struct publisher {
    struct mqtt_options options; /* with a client id of our own */
    char *client_id;
    const struct clock *clock;
    struct mqtt_client *client;
    struct mqtt_pump *pump;
    struct mqtt_rights *rights;
    uv_timer_t *timer; /* runs out with the oldest pending message; freed by its close */
    struct pending pending[PUBLISHER_PENDING_MAX]; /* oldest first */
    size_t count;
    bool is_connected;
};

static int64_t now_ms(const struct publisher *p)
{
    return p->clock->monotonic_ms(p->clock->context);
}

/* Takes it out before it is told: `done` may publish again. */
static void finish(struct publisher *p, size_t i, enum publish_outcome outcome)
{
    struct pending one = p->pending[i];
    p->count--;
    memmove(&p->pending[i], &p->pending[i + 1], (p->count - i) * sizeof(one));
    one.done(one.context, outcome);
}

static void finish_all(struct publisher *p)
{
    while (p->count > 0)
        finish(p, 0, PUBLISH_DISCONNECTED);
}

static void on_timer(uv_timer_t *timer)
{
    struct publisher *p = timer->data;
    int64_t now = now_ms(p);
    while (p->count > 0 && p->pending[0].deadline_ms <= now)
        finish(p, 0, PUBLISH_TIMED_OUT);
    if (p->count > 0)
        uv_timer_start(timer, on_timer, (uint64_t)(p->pending[0].deadline_ms - now), 0);
}

static void on_connected(void *context, bool session_present)
{
    struct publisher *p = context;
    (void)session_present;
    p->is_connected = true;
    mqtt_rights_connected(p->rights);
    log_debug("publisher", "connected", LOG_STR("client_id", p->client_id));
}

/* The ingest's client says the same of the same broker, so a line for each attempt is not wanted;
 * nor is one at our own end. */
static void on_disconnected(void *context, const char *reason, int64_t next_attempt_ms)
{
    struct publisher *p = context;
    if (p->is_connected && next_attempt_ms >= 0)
        log_warning("publisher", "connection lost", LOG_STR("reason", reason),
                    LOG_INT("next_attempt_ms", next_attempt_ms), LOG_INT("pending", p->count));
    p->is_connected = false;
    mqtt_rights_disconnected(p->rights);
    finish_all(p);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    const struct publisher *p = context;
    (void)mqtt_rights_message(p->rights, message);
}

static void on_published(void *context, int mid)
{
    struct publisher *p = context;
    for (size_t i = 0; i < p->count; i++) {
        if (p->pending[i].mid == mid) {
            finish(p, i, PUBLISH_ACKNOWLEDGED);
            return;
        }
    }
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    (void)context;
    (void)mid;
    (void)granted_qos;
}

static int make_client(struct publisher *p, uv_loop_t *loop, const struct mqtt_address *address,
                       const struct random_source *random, struct err *e)
{
    static const struct mqtt_handlers handlers = {
        .connected = on_connected,
        .disconnected = on_disconnected,
        .message = on_message,
        .published = on_published,
        .subscribed = on_subscribed,
    };
    const struct mqtt_client_settings settings = {
        .options = &p->options,
        .address = *address,
        .clean_session = true,
        .max_inflight = PUBLISHER_PENDING_MAX,
        .random = random,
    };
    static const char suffix[] = "-publish";
    size_t size = strlen(p->options.client_id) + sizeof(suffix);
    p->client_id = malloc(size);
    if (p->client_id == NULL)
        return FAIL(e, ENOMEM, "out of memory");
    snprintf(p->client_id, size, "%s%s", p->options.client_id, suffix);
    p->options.client_id = p->client_id;
    int rc = mqtt_client_new(&settings, &handlers, p, &p->client, e);
    if (rc == 0)
        rc = mqtt_pump_new(loop, p->client, &p->pump, e);
    if (rc < 0)
        return rc;
    return mqtt_rights_new(
        &(struct mqtt_rights_settings){
            .loop = loop,
            .client = p->client,
            .pump = p->pump,
            .name = p->client_id,
            .component = "publisher",
        },
        &p->rights, e);
}

int publisher_new(uv_loop_t *loop, const struct mqtt_options *options,
                  const struct mqtt_address *address, const struct clock *clock,
                  const struct random_source *random, struct publisher **ret_publisher,
                  struct err *e)
{
    struct publisher *p = calloc(1, sizeof(*p));
    uv_timer_t *timer = malloc(sizeof(*timer));
    if (p == NULL || timer == NULL) {
        free(p);
        free(timer);
        return FAIL(e, ENOMEM, "out of memory");
    }
    uv_timer_init(loop, timer);
    timer->data = p;
    p->timer = timer;
    p->options = *options;
    p->clock = clock;
    int rc = make_client(p, loop, address, random, e);
    if (rc < 0) {
        publisher_free(p);
        return rc;
    }
    *ret_publisher = p;
    return 0;
}

static void free_handle(uv_handle_t *handle)
{
    free(handle);
}

void publisher_free(struct publisher *p)
{
    if (p == NULL)
        return;
    finish_all(p);
    uv_close((uv_handle_t *)p->timer, free_handle);
    mqtt_rights_free(p->rights);
    if (p->pump != NULL)
        mqtt_pump_free(p->pump);
    if (p->client != NULL) {
        mqtt_client_close(p->client);
        mqtt_client_write(p->client);
    }
    mqtt_client_free(p->client);
    free(p->client_id);
    free(p);
}

size_t publisher_pending(const struct publisher *p)
{
    return p->count;
}

const char *publisher_missing_right(const struct publisher *p)
{
    return mqtt_rights_missing(p->rights);
}

bool publisher_is_connected(const struct publisher *p)
{
    return p->is_connected;
}

int publisher_publish(struct publisher *p, const char *topic, const void *payload, size_t size,
                      publish_done *done, void *context, struct err *e)
{
    int mid;
    if (p->count == PUBLISHER_PENDING_MAX)
        return FAIL(e, EBUSY, "%d messages wait for the broker's acknowledgement already",
                    PUBLISHER_PENDING_MAX);
    int rc = mqtt_client_publish(p->client, topic, payload, size, 1, false, &mid);
    if (rc == -ENOTCONN) {
        struct mqtt_status status;
        mqtt_client_status(p->client, &status);
        return FAIL(e, ENOTCONN, "not connected to the broker%s%s", status.reason ? ": " : "",
                    status.reason ? status.reason : "");
    }
    if (rc < 0)
        return FAIL(e, -rc, "the message could not be sent: %s", strerror(-rc));
    p->pending[p->count++] =
        (struct pending){mid, now_ms(p) + PUBLISHER_ACK_TIMEOUT_MS, done, context};
    if (p->count == 1)
        uv_timer_start(p->timer, on_timer, PUBLISHER_ACK_TIMEOUT_MS, 0);
    mqtt_pump_wake(p->pump);
    return 0;
}
