#include "broker/probe.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/mqtt/client.h"
#include "common/mqtt/pump.h"

#define ONCE_MS 3000
/* Mosquitto is near and must be found soon: the client's backoff is too long. */
#define RETRY_MS    50
#define KEEPALIVE_S 5

struct probe {
    uv_loop_t *loop;
    const struct broker_config *config;
    struct mqtt_options options;
    struct mqtt_client *client;
    struct mqtt_pump *pump;
    uv_timer_t retry;
    char reason[sizeof((struct err *)NULL)->msg]; /* of the last failure; "": none */
};

static int make_client(const struct broker_config *config, const struct mqtt_options *options,
                       const struct mqtt_handlers *handlers, void *context,
                       struct mqtt_client **ret_client, struct err *e)
{
    const struct mqtt_client_settings settings = {
        .options = options,
        .address = config->health_address,
        .clean_session = true,
        .random = &random_kernel,
    };
    return mqtt_client_new(&settings, handlers, context, ret_client, e);
}

/* ---- that stays ---- */

static void on_retry(uv_timer_t *timer);

static void on_connected(void *context, bool session_present)
{
    struct probe *p = context;

    (void)session_present;
    p->reason[0] = '\0';
}

static void on_disconnected(void *context, const char *reason, int64_t next_attempt_ms)
{
    struct probe *p = context;

    (void)next_attempt_ms;
    (void)snprintf(p->reason, sizeof(p->reason), "%s", reason);
    uv_timer_start(&p->retry, on_retry, RETRY_MS, 0);
}

static int connect_again(struct probe *p, struct err *e)
{
    static const struct mqtt_handlers handlers = {
        .connected = on_connected,
        .disconnected = on_disconnected,
    };

    mqtt_pump_free(TAKE(p->pump));
    mqtt_client_free(TAKE(p->client));
    int r = make_client(p->config, &p->options, &handlers, p, &p->client, e);
    return r < 0 ? r : mqtt_pump_new(p->loop, p->client, &p->pump, e);
}

static void on_retry(uv_timer_t *timer)
{
    struct probe *p = timer->data;
    struct err e = {0};

    if (connect_again(p, &e) < 0)
        on_disconnected(p, e.msg, 0);
}

int probe_new(uv_loop_t *loop, const struct broker_config *config, struct probe **ret_probe,
              struct err *e)
{
    struct probe *p = calloc(1, sizeof(*p));

    if (!p)
        return FAIL(e, ENOMEM, "out of memory");
    p->loop = loop;
    p->config = config;
    p->options = (struct mqtt_options){
        .broker_url = config->health_url,
        .client_id = PROBE_CLIENT_ID,
        .keepalive_s = KEEPALIVE_S,
    };
    uv_timer_init(loop, &p->retry);
    p->retry.data = p;
    *ret_probe = p;
    return connect_again(p, e);
}

void probe_stop(struct probe *probe)
{
    if (!probe)
        return;
    mqtt_pump_free(TAKE(probe->pump));
    uv_close((uv_handle_t *)&probe->retry, NULL);
}

void probe_free(struct probe *probe)
{
    if (!probe)
        return;
    mqtt_client_free(probe->client);
    free(probe);
}

bool probe_is_answered(const struct probe *probe, char *reason, size_t size)
{
    struct mqtt_status status = {.state = MQTT_WAITING};

    if (probe->client)
        mqtt_client_status(probe->client, &status);
    if (status.state == MQTT_CONNECTED)
        return true;
    (void)snprintf(reason, size, "mosquitto does not answer%s%s", probe->reason[0] ? ": " : "",
                   probe->reason);
    return false;
}

/* ---- one login ---- */

int probe_once(const struct broker_config *config, struct err *e)
{
    int64_t deadline_ms = clock_monotonic_ms() + ONCE_MS;
    char client_id[32];
    const struct mqtt_options options = {
        .broker_url = config->health_url,
        .client_id = client_id,
        .keepalive_s = KEEPALIVE_S,
    };
    struct mqtt_client *client AUTO(mqtt_client_free) = NULL;
    struct mqtt_status status = {.state = MQTT_WAITING};

    (void)snprintf(client_id, sizeof(client_id), PROBE_CLIENT_ID "-%ld", (long)getpid());
    int r = make_client(config, &options, &(struct mqtt_handlers){0}, NULL, &client, e);
    if (r < 0)
        return r;
    while (status.state != MQTT_CONNECTED && !status.reason && clock_monotonic_ms() < deadline_ms) {
        mqtt_client_turn(client, deadline_ms);
        mqtt_client_status(client, &status);
    }
    if (status.state != MQTT_CONNECTED)
        return FAIL(e, ETIMEDOUT, "no login at %s: %s", config->health_url,
                    status.reason ? status.reason : "no answer within 3 s");
    mqtt_client_close(client);
    mqtt_client_write(client);
    return 0;
}
