#include "probe.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PATIENCE_MS 15000

static void on_connected(void *context, bool session_present)
{
    struct probe *p = context;
    int mid;

    p->connected++;
    p->session_present = session_present;
    if (p->subscribe)
        assert_int_equal(mqtt_client_subscribe(p->client, p->subscribe, 1, &mid), 0);
}

static void on_disconnected(void *context, const char *reason, int64_t next_attempt_ms)
{
    struct probe *p = context;
    struct mqtt_status status;

    mqtt_client_status(p->client, &status);
    p->disconnected++;
    p->security = status.security;
    p->next_attempt_ms = next_attempt_ms;
    snprintf(p->reason, sizeof(p->reason), "%s", reason);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    struct probe *p = context;

    assert_true(p->message_count < PROBE_MESSAGES);
    snprintf(p->messages[p->message_count++], sizeof(p->messages[0]), "%.*s", (int)message->size,
             (const char *)message->payload);
    if (p->drop_at_message) {
        mqtt_client_drop(p->client, "the test wants it again");
        assert_int_equal(mqtt_client_publish(p->client, "a", "b", 1, 1, false, NULL), -ENOTCONN);
    }
}

static void on_published(void *context, int mid)
{
    struct probe *p = context;
    (void)mid;
    p->published++;
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    struct probe *p = context;
    (void)mid;
    p->subscribed++;
    p->granted_qos = granted_qos;
}

static const struct mqtt_handlers handlers = {
    .connected = on_connected,
    .disconnected = on_disconnected,
    .message = on_message,
    .published = on_published,
    .subscribed = on_subscribed,
};

void probe_init(struct probe *probe, uint16_t port, const char *client_id)
{
    *probe = (struct probe){.max_messages = 100};
    snprintf(probe->url, sizeof(probe->url), "mqtt://127.0.0.1:%u", port);
    probe->options = (struct mqtt_options){.client_id = client_id, .keepalive_s = 60};
    probe->options.broker_url = probe->url;
}

static void start(struct probe *probe, struct mqtt_client_settings *settings)
{
    struct err e = {0};

    settings->options = &probe->options;
    settings->random = &random_kernel;
    if (mqtt_options_check(&probe->options, &settings->address, &e) < 0 ||
        mqtt_client_new(settings, &handlers, probe, &probe->client, &e) < 0)
        fail_msg("%s", e.msg);
}

void probe_start(struct probe *probe, bool clean_session)
{
    start(probe, &(struct mqtt_client_settings){.clean_session = clean_session});
}

void probe_start_with_will(struct probe *probe, const char *topic, const char *payload)
{
    struct mqtt_client_settings settings = {.clean_session = true};

    settings.will.topic = topic;
    settings.will.payload = payload;
    settings.will.size = strlen(payload);
    start(probe, &settings);
}

void probe_deinit(struct probe *probe)
{
    mqtt_client_free(probe->client);
    probe->client = NULL;
}

static void note_duration(struct probe *probe, int64_t start_ms)
{
    int64_t took_ms = clock_monotonic_ms() - start_ms;
    if (took_ms > probe->longest_call_ms)
        probe->longest_call_ms = took_ms;
}

void probe_turn(struct probe *probe, int wait_ms, int64_t ahead_ms)
{
    struct mqtt_client *c = probe->client;
    struct pollfd p = {.fd = mqtt_client_fd(c), .events = mqtt_client_events(c)};
    int64_t left_ms = mqtt_client_deadline(c) - clock_monotonic_ms();

    if (left_ms < wait_ms)
        wait_ms = left_ms > 0 ? (int)left_ms : 0;
    poll(&p, 1, wait_ms);
    int64_t start_ms = clock_monotonic_ms();
    mqtt_client_tick(c, start_ms + ahead_ms);
    mqtt_client_read(c, probe->max_messages);
    if (!probe->hold_writes)
        mqtt_client_write(c);
    note_duration(probe, start_ms);
}

void probe_until(struct probe *probe, const unsigned *counter, unsigned wanted)
{
    int64_t end_ms = clock_monotonic_ms() + PATIENCE_MS;

    while (*counter < wanted) {
        if (clock_monotonic_ms() > end_ms)
            fail_msg("waited in vain for %u, it is %u; last reason: %s", wanted, *counter,
                     probe->reason);
        probe_turn(probe, 20, 0);
    }
}

void probe_publish(struct probe *probe, const char *topic, const char *text)
{
    unsigned published = probe->published;
    int mid;

    assert_int_equal(mqtt_client_publish(probe->client, topic, text, strlen(text), 1, false, &mid),
                     0);
    probe_until(probe, &probe->published, published + 1);
}
