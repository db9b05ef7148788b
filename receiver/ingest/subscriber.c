#include "receiver/ingest/subscriber.h"

#include <poll.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/str.h"

#define CLOSE_WAIT_MS 1000

struct subscriber {
    const struct ingest_settings *settings;
    struct subscriber_handlers handlers;
    void *context;
    struct mqtt_client *client;
    struct session session;
    int pending[SESSION_MAX_FILTERS]; /* message id of each SUBSCRIBE; 0: answered */
    bool subscribed;
    const char *denied;
};

/* All filters are granted: from now on a broker without this session has lost it. */
static void finish_subscription(struct subscriber *s)
{
    struct err e = {0};

    s->subscribed = true;
    if (session_save(&s->session, s->settings->mqtt, s->settings->filters, &e) < 0)
        log_warning("ingest", "the session could not be remembered", LOG_STR("reason", e.msg));
    log_info("ingest", "subscribed", LOG_STR("filter", s->settings->filters[0]));
    s->handlers.changed(s->context);
}

static void unsubscribe_removed(struct subscriber *s)
{
    for (size_t i = 0; s->session.filters[i]; i++) {
        bool wanted = false;
        for (size_t k = 0; s->settings->filters[k]; k++)
            wanted |= str_equal(s->settings->filters[k], s->session.filters[i]);
        if (!wanted && mqtt_client_unsubscribe(s->client, s->session.filters[i]) == 0)
            log_info("ingest", "unsubscribed", LOG_STR("filter", s->session.filters[i]));
    }
}

static void subscribe_all(struct subscriber *s)
{
    s->subscribed = false;
    s->denied = NULL;
    for (size_t i = 0; s->settings->filters[i]; i++) {
        const char *filter = s->settings->filters[i];
        int qos = str_equal(filter, s->settings->fleeting_filter) ? 0 : 1;
        if (mqtt_client_subscribe(s->client, filter, qos, &s->pending[i]) < 0) {
            mqtt_client_drop(s->client, "the subscription could not be sent");
            return;
        }
    }
}

/*
 * A session that the broker kept holds its subscriptions too. Subscribing again would make it send
 * retained messages again, and one without a producer's id would be stored twice.
 */
static void on_connected(void *context, bool session_present)
{
    struct subscriber *s = context;
    bool expected = session_is_expected(&s->session, s->settings->mqtt);

    log_info("ingest", "connected to the broker", LOG_STR("broker", s->settings->mqtt->broker_url),
             LOG_BOOL("session_present", session_present));
    if (expected && !session_present)
        s->handlers.session_lost(s->context);
    if (expected && session_present && session_has_filters(&s->session, s->settings->filters)) {
        s->subscribed = true;
        s->handlers.changed(s->context);
        return;
    }
    if (expected && session_present)
        unsubscribe_removed(s);
    subscribe_all(s);
    s->handlers.changed(s->context);
}

static void log_refusal(const struct subscriber *s, const char *reason, int64_t next_attempt_ms)
{
    struct mqtt_status status;
    struct log_field security = {.kind = LOG_FIELD_END};

    mqtt_client_status(s->client, &status);
    if (status.security)
        security = LOG_SECURITY;
    log_warning("ingest", "not connected to the broker",
                LOG_STR("broker", s->settings->mqtt->broker_url), LOG_STR("reason", reason),
                LOG_INT("next_attempt_ms", next_attempt_ms), security);
}

static void on_disconnected(void *context, const char *reason, int64_t next_attempt_ms)
{
    struct subscriber *s = context;

    s->subscribed = false;
    if (next_attempt_ms >= 0)
        log_refusal(s, reason, next_attempt_ms);
    s->handlers.changed(s->context);
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    struct subscriber *s = context;
    bool waiting = false;

    for (size_t i = 0; s->settings->filters[i]; i++) {
        if (s->pending[i] == mid) {
            s->pending[i] = 0;
            if (granted_qos > 2) {
                s->denied = s->settings->filters[i];
                log_error("ingest", "the broker refused a subscription", LOG_SECURITY,
                          LOG_STR("filter", s->denied));
            }
        }
        waiting |= s->pending[i] != 0;
    }
    if (!waiting && !s->denied)
        finish_subscription(s);
    else
        s->handlers.changed(s->context);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    struct subscriber *s = context;
    s->handlers.message(s->context, message);
}

int subscriber_new(const struct ingest_settings *settings, const char *dir,
                   const struct subscriber_handlers *handlers, void *context,
                   struct subscriber **ret_subscriber, struct err *e)
{
    static const struct mqtt_handlers mqtt_handlers = {
        .connected = on_connected,
        .disconnected = on_disconnected,
        .message = on_message,
        .subscribed = on_subscribed,
    };
    struct mqtt_client_settings client = {
        .options = settings->mqtt,
        .address = settings->address,
        .clean_session = false,
        .random = settings->random,
    };

    struct subscriber *s = calloc(1, sizeof(*s));
    if (!s)
        return FAIL(e, ENOMEM, "out of memory");
    s->settings = settings;
    s->handlers = *handlers;
    s->context = context;
    int r = session_open(dir, &s->session, e);
    if (r == 0)
        r = mqtt_client_new(&client, &mqtt_handlers, s, &s->client, e);
    if (r < 0) {
        subscriber_free(s);
        return r;
    }
    *ret_subscriber = s;
    return 0;
}

static void close_in_order(struct mqtt_client *client)
{
    int64_t deadline = clock_monotonic_ms() + CLOSE_WAIT_MS;

    mqtt_client_close(client);
    while (!mqtt_client_is_closed(client) && clock_monotonic_ms() < deadline) {
        struct pollfd fd = {.fd = mqtt_client_fd(client), .events = mqtt_client_events(client)};
        if (poll(&fd, 1, 50) < 0)
            break;
        mqtt_client_tick(client, clock_monotonic_ms());
        mqtt_client_write(client);
    }
}

void subscriber_free(struct subscriber *s)
{
    if (!s)
        return;
    if (s->client) {
        close_in_order(s->client);
        mqtt_client_free(s->client);
    }
    session_deinit(&s->session);
    free(s);
}

int subscriber_fd(const struct subscriber *s)
{
    return mqtt_client_fd(s->client);
}

short subscriber_events(const struct subscriber *s)
{
    return mqtt_client_events(s->client);
}

int64_t subscriber_deadline(const struct subscriber *s)
{
    return mqtt_client_deadline(s->client);
}

void subscriber_tick(struct subscriber *s, int64_t now_ms)
{
    mqtt_client_tick(s->client, now_ms);
}

size_t subscriber_read(struct subscriber *s, size_t max)
{
    return mqtt_client_read(s->client, max);
}

void subscriber_acknowledge(struct subscriber *s)
{
    mqtt_client_write(s->client);
}

void subscriber_refuse(struct subscriber *s, const char *reason)
{
    mqtt_client_drop(s->client, reason);
}

void subscriber_status(const struct subscriber *s, struct subscriber_status *ret_status)
{
    mqtt_client_status(s->client, &ret_status->mqtt);
    ret_status->subscribed = s->subscribed;
    ret_status->denied = s->denied;
    ret_status->validity = *mqtt_client_validity(s->client);
}
