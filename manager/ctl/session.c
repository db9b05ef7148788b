#include "manager/ctl/session.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "common/mqtt/client.h"
#include "common/mqtt/topic.h"
#include "manager/ctl/forward.h"

#define QOS               1
#define FILTERS_MAX       1024
#define ANSWER_TIMEOUT_MS 10000 /* of the broker */
#define CLOSE_TIMEOUT_MS  2000

struct session {
    const struct flags *flags;
    struct mqtt_options options;
    struct mqtt_client *client;
    struct forward *forward; /* NULL: none */
    char forwarded_url[64];
    session_message_fn *on_message;
    void *context;
    char id[32];
    char reply_topic[TOPIC_SIZE];
    char *filters[FILTERS_MAX];
    size_t filter_count;
    char marker[24]; /* the message to ourselves that is awaited */
    bool marker_seen, acknowledged, refused;
    int mid; /* of the publish that is awaited */
};

/* ---- what the client tells ---- */

static bool subscribe(struct session *s, const char *filter)
{
    int mid;

    return mqtt_client_subscribe(s->client, filter, QOS, &mid) == 0;
}

/* At a later connection: what was subscribed is so again. */
static void on_connected(void *context, bool session_present)
{
    struct session *s = context;

    (void)session_present;
    for (size_t i = 0; i < s->filter_count; i++)
        (void)subscribe(s, s->filters[i]); /* without memory it hears nothing and times out */
}

static void on_client_message(void *context, const struct mqtt_message *message)
{
    struct session *s = context;

    if (strcmp(message->topic, s->reply_topic) == 0 && message->size == strlen(s->marker) &&
        memcmp(message->payload, s->marker, message->size) == 0)
        s->marker_seen = true;
    else
        s->on_message(s->context, message->topic, message->payload, message->size);
}

static void on_published(void *context, int mid)
{
    struct session *s = context;

    s->acknowledged = s->acknowledged || mid == s->mid;
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    struct session *s = context;

    (void)mid;
    s->refused = s->refused || granted_qos > 2;
}

/* ---- waiting ---- */

void session_turn(struct session *session, int64_t deadline_ms)
{
    mqtt_client_turn(session->client, deadline_ms);
}

const char *session_trouble(const struct session *session)
{
    struct mqtt_status status;

    mqtt_client_status(session->client, &status);
    return status.state == MQTT_CONNECTED ? NULL : status.reason ? status.reason : "not connected";
}

static int await(struct session *s, const bool *done, int64_t timeout_ms, struct err *e)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;

    while (!*done) {
        const char *trouble = session_trouble(s);
        if (trouble)
            return FAIL(e, ENOTCONN, "the connection to %s was lost: %s", s->options.broker_url,
                        trouble);
        if (clock_monotonic_ms() >= deadline_ms)
            return FAIL(e, ETIMEDOUT, "no answer from %s within %" PRId64 " s",
                        s->options.broker_url, timeout_ms / 1000);
        session_turn(s, deadline_ms);
    }
    return 0;
}

static int connect_to_broker(struct session *s, struct err *e)
{
    int64_t timeout_ms = s->flags->connect_timeout_ms;
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    struct mqtt_status status = {.state = MQTT_WAITING};

    while (status.state != MQTT_CONNECTED) {
        if (clock_monotonic_ms() >= deadline_ms)
            return FAIL(e, ETIMEDOUT, "no connection to %s within %g s (--connect-timeout)",
                        s->options.broker_url, (double)timeout_ms / 1000);
        session_turn(s, deadline_ms);
        mqtt_client_status(s->client, &status);
        if (status.reason)
            return FAIL(e, status.security ? EACCES : ECONNREFUSED,
                        "no connection to %s (--broker-url): %s", s->options.broker_url,
                        status.reason);
    }
    return 0;
}

/* ---- life ---- */

/* The broker's certificate is for localhost too: such is what the operator connects to. */
static int forward(struct session *s, struct err *e)
{
    struct mqtt_address address;
    int r = mqtt_url_parse(s->options.broker_url, &address, e);

    if (r == 0)
        r = forward_open(&(struct forward_settings){.service = s->flags->kube_service,
                                                    .kube_context = s->flags->kube_context,
                                                    .port = address.port,
                                                    .timeout_ms = s->flags->connect_timeout_ms},
                         &s->forward, e);
    if (r < 0)
        return r;
    (void)snprintf(s->forwarded_url, sizeof s->forwarded_url, "%s://localhost:%u",
                   address.tls ? "mqtts" : "mqtt", forward_port(s->forward));
    s->options.broker_url = s->forwarded_url;
    return 0;
}

static int start(struct session *s, struct err *e)
{
    static const struct mqtt_handlers handlers = {
        .connected = on_connected,
        .message = on_client_message,
        .published = on_published,
        .subscribed = on_subscribed,
    };
    struct mqtt_client_settings settings = {
        .options = &s->options,
        .clean_session = true,
        .random = &random_kernel,
    };

    (void)snprintf(s->id, sizeof s->id, "buoyctl-%016" PRIx64, random_u64());
    (void)snprintf(s->reply_topic, sizeof s->reply_topic, "bellbuoy/reply/%s", s->id);
    s->options = s->flags->mqtt;
    s->options.client_id = s->id;
    int r = s->flags->kube_service ? forward(s, e) : 0;
    if (r == 0)
        r = mqtt_options_check(&s->options, &settings.address, e);
    if (r == 0)
        r = mqtt_client_new(&settings, &handlers, s, &s->client, e);
    return r < 0 ? r : connect_to_broker(s, e);
}

int session_open(const struct flags *flags, session_message_fn *on_message, void *context,
                 struct session **ret_session, struct err *e)
{
    struct session *s AUTO(session_free) = calloc(1, sizeof *s);

    if (!s)
        return FAIL(e, ENOMEM, "out of memory");
    s->flags = flags;
    s->on_message = on_message;
    s->context = context;
    int r = start(s, e);
    if (r < 0)
        return r;
    *ret_session = TAKE(s);
    return 0;
}

void session_free(struct session *session)
{
    struct session *s = session;

    if (!s)
        return;
    if (s->client) {
        int64_t deadline_ms = clock_monotonic_ms() + CLOSE_TIMEOUT_MS;
        mqtt_client_close(s->client);
        while (!mqtt_client_is_closed(s->client) && clock_monotonic_ms() < deadline_ms)
            mqtt_client_turn(s->client, deadline_ms);
        mqtt_client_free(s->client);
    }
    forward_free(s->forward);
    for (size_t i = 0; i < s->filter_count; i++)
        free(s->filters[i]);
    free(s);
}

const char *session_reply_topic(const struct session *session)
{
    return session->reply_topic;
}

const struct validity *session_validity(const struct session *session)
{
    return mqtt_client_validity(session->client);
}

/* ---- messages ---- */

static int add_filter(struct session *s, const char *filter, struct err *e)
{
    for (size_t i = 0; i < s->filter_count; i++) {
        if (strcmp(s->filters[i], filter) == 0)
            return 0;
    }
    if (s->filter_count == FILTERS_MAX)
        return FAIL(e, E2BIG, "more than %d topics at a time: name fewer nodes", FILTERS_MAX);
    s->filters[s->filter_count] = strdup(filter);
    if (!s->filters[s->filter_count])
        return FAIL(e, ENOMEM, "out of memory");
    s->filter_count++;
    return subscribe(s, filter) ? 0 : FAIL(e, ENOTCONN, "cannot subscribe to %s", filter);
}

int session_listen(struct session *session, const char *const *filters, struct err *e)
{
    struct session *s = session;
    int r = add_filter(s, s->reply_topic, e);

    for (; r == 0 && *filters; filters++)
        r = add_filter(s, *filters, e);
    if (r < 0)
        return r;
    s->marker_seen = false;
    s->refused = false;
    (void)snprintf(s->marker, sizeof s->marker, "\"%016" PRIx64 "\"", random_u64());
    r = session_publish(s, s->reply_topic, s->marker, strlen(s->marker), false, e);
    if (r == 0)
        r = await(s, &s->marker_seen, ANSWER_TIMEOUT_MS, e);
    if (r == -ETIMEDOUT)
        err_set(e, ETIMEDOUT,
                "the broker at %s did not pass on a message to ourselves: the user must have the "
                "right to read and write bellbuoy/reply/+",
                s->options.broker_url);
    if (r == 0 && s->refused)
        r = FAIL(e, EACCES, "the broker at %s refused a subscription: the user lacks the right",
                 s->options.broker_url);
    return r;
}

int session_publish(struct session *session, const char *topic, const char *payload, size_t size,
                    bool retain, struct err *e)
{
    struct session *s = session;

    s->acknowledged = false;
    int r = mqtt_client_publish(s->client, topic, payload, size, QOS, retain, &s->mid);
    if (r < 0)
        return FAIL(e, -r, "cannot publish to %s: %s", topic, strerror(-r));
    r = await(s, &s->acknowledged, ANSWER_TIMEOUT_MS, e);
    if (r < 0)
        err_context(e, "publishing to %s", topic);
    return r;
}
