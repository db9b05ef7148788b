#include "broadcaster/publisher.h"

#include <assert.h>
#include <stdio.h>

#include "broadcaster/outbox.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/mqtt/client.h"
#include "common/mqtt/pump.h"
#include "common/mqtt/rights.h"

#define PAYLOAD_MAX        8192
#define OVERFLOW_PERIOD_MS 10000
#define LOGGED_SOURCES     10 /* above it a line for each message helps nobody */

struct publisher {
    struct publisher_settings settings;
    struct outbox *outbox;
    struct mqtt_client *client;
    struct mqtt_pump *pump;
    struct mqtt_rights *rights;
    uv_check_t end_of_turn; /* for the ledger */
    struct buf payload;
    struct buf data;
    struct log_limit overflows;
    bool connected;
    bool finishing;
    bool stopped;
};

/* ---- out ---- */

bool publisher_logs_messages(const struct broadcaster_config *config)
{
    return config->profile->log_message && config->sources <= LOGGED_SOURCES && config->rate == 0;
}

static void log_sent(const struct publisher *p, const struct message *message,
                     const struct message_name *name)
{
    const struct broadcaster_config *config = p->settings.config;

    if (publisher_logs_messages(config))
        log_info("broadcaster", config->profile->log_message, LOG_STR("source", name->source),
                 LOG_STR("id", name->id), LOG_INT("next_in_ms", message->next_in_ms));
}

/* 0, or the client's error: the message stays the next one. */
static int publish(struct publisher *p, const struct message *message)
{
    const struct profile *profile = p->settings.config->profile;
    struct message_name name;
    int mid;

    message_name(message, profile, p->settings.sources, &name);
    buf_reset(&p->payload);
    message_encode(message, profile, p->settings.sources, &p->data, &p->payload);
    if (buf_failed(&p->payload) || buf_failed(&p->data))
        return -ENOMEM;
    int r =
        mqtt_client_publish(p->client, name.topic, p->payload.data, p->payload.len, 1, false, &mid);
    if (r < 0)
        return r;
    struct message sent = *message;
    if (outbox_sent(p->outbox, mid)) {
        metric_add(p->settings.counters->republished, 1);
    } else {
        metric_add(p->settings.counters->published, 1);
        log_sent(p, &sent, &name);
    }
    return 0;
}

static void publish_waiting(struct publisher *p)
{
    const struct message *message;

    /* Without memory the next acknowledgement, or the next message, tries again. */
    while (p->connected && (message = outbox_next(p->outbox)) && publish(p, message) == 0)
        ;
}

void publisher_flush(struct publisher *publisher)
{
    publish_waiting(publisher);
    mqtt_pump_wake(publisher->pump);
}

void publisher_put(struct publisher *publisher, const struct message *message)
{
    struct publisher *p = publisher;
    uint64_t suppressed;

    if (outbox_put(p->outbox, message))
        return;
    metric_add(p->settings.counters->overflow, 1);
    if (log_limit_pass(&p->overflows, clock_monotonic_ms(), OVERFLOW_PERIOD_MS, &suppressed))
        log_warning("broadcaster",
                    "the outbox is full: new messages are lost, the receiver will see the hole",
                    LOG_INT("lost", suppressed + 1),
                    LOG_INT("lost_since_start", metric_value(p->settings.counters->overflow)),
                    LOG_INT("outbox_messages", outbox_count(p->outbox)));
}

/* ---- in ---- */

/* Without a connection nobody waits for one in order to repeat what was delivered before. */
static void close_when_settled(struct publisher *p)
{
    bool settled = p->connected ? outbox_is_settled(p->outbox) : outbox_undelivered(p->outbox) == 0;

    if (p->finishing && settled)
        mqtt_client_close(p->client);
}

static void on_connected(void *context, bool session_present)
{
    struct publisher *p = context;

    p->connected = true;
    metric_set(p->settings.counters->connected, 1);
    log_info("broadcaster", "connected to the broker",
             LOG_STR("broker", p->settings.config->mqtt.broker_url),
             LOG_BOOL("session_present", session_present),
             LOG_INT("waiting", outbox_count(p->outbox)));
    mqtt_rights_connected(p->rights);
    publish_waiting(p);
    close_when_settled(p);
}

static void on_disconnected(void *context, const char *reason, int64_t next_attempt_ms)
{
    struct publisher *p = context;
    struct mqtt_status status;

    p->connected = false;
    mqtt_rights_disconnected(p->rights);
    metric_set(p->settings.counters->connected, 0);
    if (next_attempt_ms < 0) {
        p->settings.closed(p->settings.context);
        return;
    }
    outbox_rewind(p->outbox);
    mqtt_client_status(p->client, &status);
    log_warning("broadcaster", "not connected to the broker",
                LOG_STR("broker", p->settings.config->mqtt.broker_url), LOG_STR("reason", reason),
                LOG_INT("next_attempt_ms", next_attempt_ms),
                LOG_INT("waiting", outbox_undelivered(p->outbox)),
                status.security ? LOG_SECURITY : LOG_STR("security", NULL));
}

static void on_published(void *context, int mid)
{
    struct publisher *p = context;
    struct message message;

    if (outbox_acknowledge(p->outbox, mid, clock_monotonic_ms(), &message) == OUTBOX_FIRST) {
        metric_add(p->settings.counters->acknowledged, 1);
        if (p->settings.ledger) {
            struct message_name name;
            message_name(&message, p->settings.config->profile, p->settings.sources, &name);
            ledger_add(p->settings.ledger, name.source, name.id);
        }
    }
    publish_waiting(p);
    close_when_settled(p);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    const struct publisher *p = context;
    (void)mqtt_rights_message(p->rights, message);
}

static void on_end_of_turn(uv_check_t *check)
{
    const struct publisher *p = check->data;
    ledger_flush(p->settings.ledger);
}

/* ---- life ---- */

static int start_client(uv_loop_t *loop, struct publisher *p, struct err *e)
{
    static const struct mqtt_handlers handlers = {
        .connected = on_connected,
        .disconnected = on_disconnected,
        .message = on_message,
        .published = on_published,
    };
    const struct mqtt_client_settings settings = {
        .options = &p->settings.config->mqtt,
        .address = p->settings.config->mqtt_address,
        .clean_session = false,
        .max_inflight = OUTBOX_MAX_IN_FLIGHT,
        .random = &random_kernel,
    };

    int r = mqtt_client_new(&settings, &handlers, p, &p->client, e);
    if (r == 0)
        r = mqtt_pump_new(loop, p->client, &p->pump, e);
    if (r == 0)
        r = mqtt_rights_new(
            &(struct mqtt_rights_settings){
                .loop = loop,
                .client = p->client,
                .pump = p->pump,
                .name = p->settings.config->source,
                .component = "broadcaster",
            },
            &p->rights, e);
    return r;
}

int publisher_new(uv_loop_t *loop, const struct publisher_settings *settings,
                  struct publisher **ret_publisher, struct err *e)
{
    const struct broadcaster_config *config = settings->config;
    struct publisher *p AUTO(publisher_free) = calloc(1, sizeof(*p));

    if (!p ||
        outbox_new((size_t)config->outbox_messages, config->republish_window_ms, &p->outbox) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    p->settings = *settings;
    p->payload = BUF_INIT(PAYLOAD_MAX);
    p->data = BUF_INIT(PAYLOAD_MAX);
    p->stopped = true;
    int r = start_client(loop, p, e);
    if (r < 0)
        return r;
    p->stopped = false;
    uv_check_init(loop, &p->end_of_turn);
    p->end_of_turn.data = p;
    uv_check_start(&p->end_of_turn, on_end_of_turn);
    *ret_publisher = TAKE(p);
    return 0;
}

void publisher_stop(struct publisher *publisher)
{
    if (!publisher || publisher->stopped)
        return;
    publisher->stopped = true;
    mqtt_rights_free(TAKE(publisher->rights));
    mqtt_pump_free(TAKE(publisher->pump));
    uv_close((uv_handle_t *)&publisher->end_of_turn, NULL);
}

void publisher_free(struct publisher *publisher)
{
    if (!publisher)
        return;
    assert(publisher->stopped);
    mqtt_client_free(publisher->client);
    outbox_free(publisher->outbox);
    buf_deinit(&publisher->payload);
    buf_deinit(&publisher->data);
    free(publisher);
}

void publisher_finish(struct publisher *publisher)
{
    publisher->finishing = true;
    close_when_settled(publisher);
    mqtt_pump_wake(publisher->pump);
}

void publisher_close(struct publisher *publisher)
{
    mqtt_client_close(publisher->client);
    mqtt_pump_wake(publisher->pump);
}

size_t publisher_kept(const struct publisher *publisher)
{
    return outbox_count(publisher->outbox);
}

size_t publisher_undelivered(const struct publisher *publisher)
{
    return outbox_undelivered(publisher->outbox);
}

const struct validity *publisher_validity(const struct publisher *publisher)
{
    return mqtt_client_validity(publisher->client);
}

bool publisher_is_ready(const struct publisher *publisher, char *reason, size_t size)
{
    const char *missing = mqtt_rights_missing(publisher->rights);
    struct mqtt_status status;
    struct err e = {0};

    if (!publisher->connected) {
        mqtt_client_status(publisher->client, &status);
        (void)snprintf(reason, size, "not connected to the broker%s%s", status.reason ? ": " : "",
                       status.reason ? status.reason : "");
    } else if (missing) {
        (void)snprintf(reason, size, "%s", missing);
    } else if (validity_check(publisher_validity(publisher), clock_wall_us() / 1000000, &e) < 0) {
        (void)snprintf(reason, size, "%s", e.msg);
    }
    return publisher->connected && !missing;
}
