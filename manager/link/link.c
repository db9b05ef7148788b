#include "manager/link/link.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "common/mqtt/pump.h"
#include "common/mqtt/topic.h"

#define REPORT_SOON_MS  200
#define REPORT_AGAIN_MS 60000
#define ECHO_MS         5000
#define REPLIES         "bellbuoy/reply/"

struct link {
    struct link_settings settings;
    struct mqtt_client *client;
    struct mqtt_pump *pump;
    uv_timer_t report, echo;
    char level[TOPIC_LEVEL_SIZE]; /* the node's, in topics */
    char presence[TOPIC_SIZE], reported[TOPIC_SIZE], progress[TOPIC_SIZE], command[TOPIC_SIZE];
    char *online, offline[512]; /* presence; the will's text keeps its place and length */
    char missing[TOPIC_SIZE + 64];
    bool connected, closing;
};

/* ---- out ---- */

static void publish(struct link *l, const char *topic, const char *text, int qos, bool retain)
{
    int mid;

    /* Without a connection all is told anew by the next one. */
    if (l->connected)
        (void)!mqtt_client_publish(l->client, topic, text, strlen(text), qos, retain, &mid);
}

static void on_report(uv_timer_t *timer)
{
    struct link *l = timer->data;
    cJSON *report AUTO(cJSON_Delete) =
        l->connected ? l->settings.handlers.report(l->settings.handlers.context) : NULL;
    char *text AUTO(free) = report ? cJSON_PrintUnformatted(report) : NULL;

    uv_timer_start(timer, on_report, REPORT_AGAIN_MS, 0);
    if (!text)
        return;
    publish(l, l->reported, text, 1, true);
    mqtt_pump_wake(l->pump);
}

void link_report_changed(struct link *l)
{
    if (uv_timer_get_due_in(&l->report) > REPORT_SOON_MS)
        uv_timer_start(&l->report, on_report, REPORT_SOON_MS, 0);
}

void link_tell_progress(struct link *l, char *text)
{
    if (!text)
        return;
    publish(l, l->progress, text, 0, false);
    free(text);
    mqtt_pump_wake(l->pump);
}

int link_reply(struct link *l, const char *topic, const char *text)
{
    int mid;

    if (!str_starts_with(topic, REPLIES) || !topic_level_is_valid(topic + strlen(REPLIES)))
        return -EINVAL;
    int r = mqtt_client_publish(l->client, topic, text, strlen(text), 1, false, &mid);
    mqtt_pump_wake(l->pump);
    return r;
}

/* Under MQTT 3.1.1 a publish that an access list denies is acknowledged like any other: our own
 * presence, which we hear as well, shows that it arrives. */
static void on_no_echo(uv_timer_t *timer)
{
    struct link *l = timer->data;

    (void)snprintf(l->missing, sizeof(l->missing), "the broker does not let us publish %s",
                   l->presence);
    log_error("manager", "what this node tells does not arrive", LOG_STR("reason", l->missing),
              LOG_SECURITY);
}

static void announce(struct link *l)
{
    publish(l, l->presence, l->online, 1, true);
    uv_timer_start(&l->echo, on_no_echo, ECHO_MS, 0);
}

/* ---- in ---- */

/* Padded with blanks, which JSON allows: the client has the will's address and size. */
static int make_presence(struct link *l)
{
    const struct link_settings *s = &l->settings;
    char *offline AUTO(free) = presence_make(s->node, false, s->session, clock_wall_us());

    free(l->online);
    l->online = presence_make(s->node, true, s->session, clock_wall_us());
    if (!l->online || !offline || strlen(offline) >= sizeof(l->offline))
        return -ENOMEM;
    memset(l->offline, ' ', sizeof(l->offline));
    memcpy(l->offline, offline, strlen(offline));
    l->offline[sizeof(l->offline) - 1] = '\0';
    return 0;
}

/* The state folder was lost, and with it the count: whoever knew us would take all that we say for
 * late. A new connection, since the will bears the session, too. */
static void raise_session(struct link *l, int64_t known)
{
    int64_t session = l->settings.handlers.raise_session(l->settings.handlers.context, known);

    if (session <= known)
        return;
    log_warning("manager", "the session goes on above the one that the broker knows",
                LOG_INT("known", known), LOG_INT("session", session));
    l->settings.session = session;
    if (make_presence(l) == 0)
        mqtt_client_drop(l->client, "the session was raised");
}

/* A will of an earlier session may come late, and would make us look away. */
static void on_presence(struct link *l, const struct mqtt_message *message)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;
    bool online = false;
    int64_t session = 0;

    if (message->size == 0 ||
        json_parse(message->payload, message->size, JSON_MAX_DEPTH, &json, NULL) < 0 ||
        !cJSON_IsObject(json) ||
        json_get_int(json, "", "session", 0, INT64_MAX, &session, NULL) != 0 ||
        json_get_bool(json, "", "online", &online, NULL) != 0)
        return;
    if (session == l->settings.session && online) {
        uv_timer_stop(&l->echo);
        l->missing[0] = '\0';
    } else if (session <= l->settings.session && !l->closing) {
        announce(l);
    } else if (session > l->settings.session && message->retain) {
        raise_session(l, session);
    } else if (session > l->settings.session && online) {
        log_error("manager",
                  "another manager calls itself by this node's name: give one another --node",
                  LOG_STR("node", l->settings.node), LOG_INT("session", session));
    }
}

static const struct report_group *find_group(const struct link *l, const char *name)
{
    for (size_t i = 0; i < l->settings.group_count; i++)
        if (str_equal(l->settings.groups[i].name, name))
            return &l->settings.groups[i];
    return NULL;
}

/* bellbuoy/{nodes/NODE,groups/GROUP}/desired/PROJECT */
static void on_desired(struct link *l, const struct mqtt_message *message)
{
    char kind[16], who[TOPIC_LEVEL_SIZE], project[TOPIC_LEVEL_SIZE], name[TOPIC_LEVEL_SIZE + 8];
    struct origin origin = {.name = "node", .priority = INT_MAX};
    struct err e = {0};

    if (!topic_level(message->topic, 1, kind, sizeof(kind)) ||
        !topic_level(message->topic, 2, who, sizeof(who)) ||
        !topic_level(message->topic, 4, project, sizeof(project)) || !topic_level_is_valid(project))
        return;
    if (str_equal(kind, "groups")) {
        const struct report_group *group = find_group(l, who);
        if (!group)
            return;
        (void)snprintf(name, sizeof(name), "group:%s", who);
        origin = (struct origin){.name = name, .priority = group->priority};
    }
    if (l->settings.handlers.desired(l->settings.handlers.context, project, &origin,
                                     message->payload, message->size, &e) < 0)
        mqtt_client_drop(l->client, e.msg);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    struct link *l = context;

    if (str_equal(message->topic, l->presence))
        on_presence(l, message);
    else if (str_equal(message->topic, l->command))
        l->settings.handlers.command(l->settings.handlers.context, message->payload, message->size);
    else
        on_desired(l, message);
}

/* ---- the connection ---- */

static void subscribe(struct link *l, const char *first, const char *name)
{
    char topic[TOPIC_SIZE];
    int mid, len = snprintf(topic, sizeof(topic), "bellbuoy/%s/%s/desired/+", first, name);

    if (len < 0 || (size_t)len >= sizeof(topic) ||
        mqtt_client_subscribe(l->client, topic, 1, &mid) < 0)
        mqtt_client_drop(l->client, "out of memory");
}

static void on_connected(void *context, bool session_present)
{
    struct link *l = context;
    int mid;

    (void)session_present;
    l->connected = true;
    log_info("manager", "connected to the broker", LOG_STR("broker", l->settings.mqtt->broker_url),
             LOG_STR("node", l->settings.node), LOG_INT("session", l->settings.session));
    if (mqtt_client_subscribe(l->client, l->presence, 1, &mid) < 0 ||
        mqtt_client_subscribe(l->client, l->command, 1, &mid) < 0)
        mqtt_client_drop(l->client, "out of memory");
    announce(l);
    subscribe(l, "nodes", l->level);
    for (size_t i = 0; i < l->settings.group_count; i++)
        subscribe(l, "groups", l->settings.groups[i].name);
    uv_timer_start(&l->report, on_report, 0, 0);
}

static void on_disconnected(void *context, const char *reason, int64_t next_attempt_ms)
{
    struct link *l = context;
    struct mqtt_status status;

    l->connected = false;
    uv_timer_stop(&l->echo);
    if (next_attempt_ms < 0) {
        l->settings.handlers.closed(l->settings.handlers.context);
        return;
    }
    mqtt_client_status(l->client, &status);
    log_warning("manager", "not connected to the broker: the node goes on as it is",
                LOG_STR("broker", l->settings.mqtt->broker_url), LOG_STR("reason", reason),
                LOG_INT("next_attempt_ms", next_attempt_ms),
                status.security ? LOG_SECURITY : LOG_STR("security", NULL));
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    struct link *l = context;

    (void)mid;
    if (granted_qos == 128)
        log_error("manager", "the broker refuses a subscription: desired states do not come",
                  LOG_STR("node", l->settings.node), LOG_SECURITY);
}

bool link_is_ready(const struct link *l, char *reason, size_t size)
{
    struct mqtt_status status;

    if (l->connected) {
        (void)snprintf(reason, size, "%s", l->missing);
        return l->missing[0] == '\0';
    }
    mqtt_client_status(l->client, &status);
    (void)snprintf(reason, size, "%s", status.reason ? status.reason : "connecting");
    return false;
}

const struct validity *link_validity(const struct link *l)
{
    return mqtt_client_validity(l->client);
}

/* ---- life ---- */

static int make_texts(struct link *l)
{
    const struct link_settings *s = &l->settings;
    const struct {
        char *topic;
        const char *last;
    } topics[] = {
        {l->presence, "presence"},
        {l->reported, "reported"},
        {l->progress, "progress"},
        {l->command, "command"},
    };

    topic_level_format(l->level, s->node);
    for (size_t i = 0; i < ARRAY_SIZE(topics); i++)
        (void)snprintf(topics[i].topic, TOPIC_SIZE, "bellbuoy/nodes/%s/%s", l->level,
                       topics[i].last);
    return make_presence(l);
}

static int start(struct link *l, struct err *e)
{
    static const struct mqtt_handlers handlers = {
        .connected = on_connected,
        .disconnected = on_disconnected,
        .message = on_message,
        .subscribed = on_subscribed,
    };

    if (make_texts(l) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    const struct mqtt_client_settings settings = {
        .options = l->settings.mqtt,
        .address = l->settings.address,
        .clean_session = true,
        .random = &random_kernel,
        .will = {l->presence, l->offline, strlen(l->offline), true},
    };
    int r = mqtt_client_new(&settings, &handlers, l, &l->client, e);
    return r == 0 ? mqtt_pump_new(l->settings.loop, l->client, &l->pump, e) : r;
}

int link_new(const struct link_settings *settings, struct link **ret_link, struct err *e)
{
    struct link *l = calloc(1, sizeof(*l));

    if (!l)
        return FAIL(e, ENOMEM, "out of memory");
    l->settings = *settings;
    uv_timer_init(settings->loop, &l->report);
    uv_timer_init(settings->loop, &l->echo);
    l->report.data = l->echo.data = l;
    *ret_link = l; /* half built, its owner ends it in the same way */
    return start(l, e);
}

void link_close(struct link *l)
{
    l->closing = true;
    uv_timer_stop(&l->report);
    publish(l, l->presence, l->offline, 1, true);
    mqtt_client_close(l->client);
    mqtt_pump_wake(l->pump);
}

void link_stop(struct link *l)
{
    if (!l)
        return;
    uv_close((uv_handle_t *)&l->report, NULL);
    uv_close((uv_handle_t *)&l->echo, NULL);
    mqtt_pump_free(TAKE(l->pump));
}

void link_free(struct link *l)
{
    if (!l)
        return;
    mqtt_client_free(l->client);
    free(l->online);
    free(l);
}
