#include "common/mqtt/rights.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/log.h"
#include "common/base/random.h"
#include "common/mqtt/topic.h"

#define ANSWER_MS       5000
#define AGAIN_MS        30000
#define INTERRUPTED_MAX 3

enum state {
    UNKNOWN,
    ASKED, /* until the message comes back, or ANSWER_MS */
    GRANTED,
    DENIED,
};

struct mqtt_rights {
    struct mqtt_rights_settings settings;
    uv_timer_t timer;
    enum state state;
    bool known_missing;   /* by the last check that ended */
    unsigned interrupted; /* checks in a row that ended with the connection */
    char topic[TOPIC_SIZE];
    char payload[40];
    char missing[TOPIC_SIZE + 128];
};

static void on_timer(uv_timer_t *timer);

static void ask(struct mqtt_rights *r)
{
    int mid;

    (void)snprintf(r->payload, sizeof(r->payload), "{\"check\":\"%016" PRIx64 "\"}", random_u64());
    /* QoS 0: what is late is of no use, and no session must keep it. */
    if (mqtt_client_subscribe(r->settings.client, r->topic, 0, &mid) < 0 ||
        mqtt_client_publish(r->settings.client, r->topic, r->payload, strlen(r->payload), 0, false,
                            &mid) < 0)
        return; /* without a connection: the next one asks again */
    r->state = ASKED;
    uv_timer_start(&r->timer, on_timer, ANSWER_MS, 0);
}

static void deny(struct mqtt_rights *r)
{
    r->state = DENIED;
    if (!r->known_missing)
        log_error(r->settings.component,
                  "the broker does not let us publish events: what is sent does not arrive",
                  LOG_STR("reason", r->missing), LOG_SECURITY);
    r->known_missing = true;
    uv_timer_start(&r->timer, on_timer, AGAIN_MS, 0);
}

static void on_timer(uv_timer_t *timer)
{
    struct mqtt_rights *r = timer->data;

    if (r->state == ASKED) {
        deny(r);
        return;
    }
    ask(r);
    mqtt_pump_wake(r->settings.pump);
}

void mqtt_rights_connected(struct mqtt_rights *rights)
{
    rights->state = UNKNOWN;
    if (rights->interrupted < INTERRUPTED_MAX)
        ask(rights);
}

void mqtt_rights_disconnected(struct mqtt_rights *rights)
{
    if (!rights)
        return;
    uv_timer_stop(&rights->timer);
    if (rights->state == ASKED && ++rights->interrupted == INTERRUPTED_MAX)
        log_warning(rights->settings.component,
                    "whether the broker lets us publish events could not be found out: it ends the "
                    "connection instead",
                    LOG_STR("topic", rights->topic));
    rights->state = UNKNOWN;
}

bool mqtt_rights_message(struct mqtt_rights *rights, const struct mqtt_message *message)
{
    struct mqtt_rights *r = rights;

    if (strcmp(message->topic, r->topic) != 0)
        return false;
    if (r->state != ASKED || message->size != strlen(r->payload) ||
        memcmp(message->payload, r->payload, message->size) != 0)
        return true; /* of an earlier check, or of one who bears our name */
    log_write(r->known_missing ? LOG_INFO : LOG_DEBUG, r->settings.component,
              "the broker lets us publish events",
              (const struct log_field[]){LOG_STR("topic", r->topic), LOG_END});
    r->state = GRANTED;
    r->known_missing = false;
    r->interrupted = 0;
    uv_timer_stop(&r->timer);
    int unsubscribed = mqtt_client_unsubscribe(r->settings.client, r->topic);
    (void)unsubscribed; /* one that stays costs little */
    return true;
}

const char *mqtt_rights_missing(const struct mqtt_rights *rights)
{
    return rights->known_missing ? rights->missing : NULL;
}

int mqtt_rights_new(const struct mqtt_rights_settings *settings, struct mqtt_rights **ret_rights,
                    struct err *e)
{
    char level[TOPIC_LEVEL_SIZE];
    struct mqtt_rights *r = calloc(1, sizeof(*r));

    if (!r)
        return FAIL(e, ENOMEM, "out of memory");
    r->settings = *settings;
    topic_level_format(level, settings->name);
    (void)snprintf(r->topic, sizeof(r->topic), "bellbuoy/events/%s/" MQTT_RIGHTS_KIND, level);
    (void)snprintf(r->missing, sizeof(r->missing),
                   "the broker's access list denies this user to publish or to read %s", r->topic);
    uv_timer_init(settings->loop, &r->timer);
    r->timer.data = r;
    *ret_rights = r;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void mqtt_rights_free(struct mqtt_rights *rights)
{
    if (rights)
        uv_close((uv_handle_t *)&rights->timer, on_closed);
}
