#include "common/mqtt/client.h"

#include <arpa/inet.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "common/mqtt/connection.h"
#include "common/mqtt/resolver.h"

#define CONNECT_TIMEOUT_MS 10000 /* of a look-up, and from TCP's first packet to the CONNACK */
#define CLOSE_TIMEOUT_MS   2000
#define BACKOFF_BASE_MS    1000
#define BACKOFF_CAP_MS     30000
#define STOOD_MS           5000 /* a connection that ends sooner counts as a failed attempt */

enum phase {
    WAITING,    /* for the next attempt */
    RESOLVING,  /* the broker's name */
    CONNECTING, /* until the CONNACK */
    UP,
    CLOSING,
    CLOSED,
};

/*
 * One descriptor never turns into another within one call: a socket that takes the number of one
 * that was just closed would look like the same to a loop that holds it registered.
 */
struct mqtt_client {
    struct mqtt_client_settings settings;
    struct mqtt_handlers handlers;
    void *context;
    enum phase phase;
    int64_t deadline_ms; /* of the next attempt, the time-out or the keepalive, by phase */
    struct resolver *resolver;
    struct resolver_result addresses;
    size_t next_address;
    struct connection *connection;
    bool reading; /* or writing: handlers may be running */
    bool dropped; /* by a handler */
    int64_t up_since_ms;
    int64_t since_us;
    unsigned attempts; /* since the last connection */
    unsigned short_connections;
    struct err failure; /* code 0: none */
    struct secret password;
    struct validity validity; /* of the certificates as they were last read */
};

/* ---- the end of an attempt or connection ---- */

static bool may_try_next_address(const struct mqtt_client *c)
{
    bool unreachable = !c->connection || connection_phase(c->connection) == CONNECTION_TCP;
    return c->phase == CONNECTING && unreachable && c->next_address < c->addresses.count;
}

static void let_go(struct mqtt_client *c)
{
    connection_free(TAKE(c->connection));
    resolver_free(TAKE(c->resolver));
}

static void finish_close(struct mqtt_client *c)
{
    let_go(c);
    c->phase = CLOSED;
    c->deadline_ms = INT64_MAX;
    if (c->handlers.disconnected)
        c->handlers.disconnected(c->context, "closed", -1);
}

/* `failure` may be the client's own. */
static void lose(struct mqtt_client *c, const struct err *failure)
{
    int64_t now_ms = clock_monotonic_ms();

    if (c->phase == CLOSING) {
        finish_close(c);
        return;
    }
    if (may_try_next_address(c)) {
        let_go(c);
        c->phase = WAITING;
        c->deadline_ms = now_ms;
        return;
    }
    if (c->phase == UP) {
        c->short_connections = now_ms - c->up_since_ms < STOOD_MS ? c->short_connections + 1 : 0;
        c->since_us = clock_wall_us();
    }
    unsigned exponent = c->attempts + c->short_connections;
    c->attempts++;
    c->failure = *failure;
    let_go(c);
    c->addresses.count = 0;
    c->next_address = 0;
    c->phase = WAITING;
    int64_t delay_ms =
        random_backoff_ms(c->settings.random, exponent, BACKOFF_BASE_MS, BACKOFF_CAP_MS);
    c->deadline_ms = now_ms + delay_ms;
    if (c->handlers.disconnected) {
        struct err reason = c->failure; /* a handler may make the client fail again */
        c->handlers.disconnected(c->context, reason.msg, delay_ms);
    }
}

/* ---- events of the connection ---- */

/* The library looks at its keepalive when it is asked to: often enough that the broker, which
 * allows for half a keepalive more, hears from us in time. */
static int64_t next_check(const struct mqtt_client *c, int64_t now_ms)
{
    int64_t period_ms = c->settings.options->keepalive_s * 1000 / 8;
    return now_ms + (period_ms < 1000 ? 1000 : period_ms);
}

static void on_up(void *context, bool session_present)
{
    struct mqtt_client *c = context;
    int64_t now_ms = clock_monotonic_ms();

    c->phase = UP;
    c->deadline_ms = next_check(c, now_ms);
    c->up_since_ms = now_ms;
    c->since_us = clock_wall_us();
    c->attempts = 0;
    c->failure.code = 0;
    if (c->handlers.connected)
        c->handlers.connected(c->context, session_present);
}

static void on_message(void *context, const struct mqtt_message *message)
{
    struct mqtt_client *c = context;
    if (c->handlers.message)
        c->handlers.message(c->context, message);
}

static void on_published(void *context, int mid)
{
    struct mqtt_client *c = context;
    if (c->handlers.published)
        c->handlers.published(c->context, mid);
}

static void on_subscribed(void *context, int mid, int granted_qos)
{
    struct mqtt_client *c = context;
    if (c->handlers.subscribed)
        c->handlers.subscribed(c->context, mid, granted_qos);
}

/* ---- attempts ---- */

/* The last good password is used while the file cannot be read; at the first time there is none. */
static int read_password(struct mqtt_client *c, struct err *e)
{
    struct err failure = {0};

    if (!c->password.path || secret_refresh(&c->password, &failure) >= 0 || c->password.len > 0)
        return 0;
    return FAIL(e, EINVAL, "--password-file: %s", failure.msg);
}

static void connect_next(struct mqtt_client *c, int64_t now_ms)
{
    static const struct connection_events events = {
        .up = on_up,
        .message = on_message,
        .published = on_published,
        .subscribed = on_subscribed,
    };
    const char *address = c->addresses.addresses[c->next_address++];
    struct err e = {0};

    c->phase = CONNECTING;
    c->deadline_ms = now_ms + CONNECT_TIMEOUT_MS;
    int r = read_password(c, &e);
    if (r == 0)
        r = connection_new(
            &(struct connection_settings){
                .mqtt = &c->settings,
                .address = address,
                .password = c->password.path ? c->password.value : NULL,
                .validity = &c->validity,
                .events = &events,
                .context = c,
            },
            &c->connection, &e);
    if (r < 0)
        lose(c, &e);
}

static bool is_numeric(const char *host)
{
    unsigned char address[sizeof(struct in6_addr)];

    return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static void attempt(struct mqtt_client *c, int64_t now_ms)
{
    const char *host = c->settings.address.host;
    struct err e = {0};

    if (c->next_address < c->addresses.count) {
        connect_next(c, now_ms);
    } else if (is_numeric(host) &&
               str_copy(c->addresses.addresses[0], RESOLVER_ADDRESS_SIZE, host)) {
        c->addresses.count = 1;
        c->next_address = 0;
        connect_next(c, now_ms);
    } else {
        c->phase = RESOLVING;
        c->deadline_ms = now_ms + CONNECT_TIMEOUT_MS;
        if (resolver_new(host, &c->resolver, &e) < 0)
            lose(c, &e);
    }
}

static void take_addresses(struct mqtt_client *c, int64_t now_ms)
{
    struct err e = {0};
    int r = resolver_result(c->resolver, &c->addresses, &e);

    if (r == -EAGAIN) {
        if (now_ms < c->deadline_ms)
            return;
        err_set(&e, ETIMEDOUT, "name '%s' could not be resolved: no answer within %d s",
                c->settings.address.host, CONNECT_TIMEOUT_MS / 1000);
    }
    if (r < 0) {
        lose(c, &e);
        return;
    }
    let_go(c);
    c->next_address = 0;
    c->phase = WAITING;
    c->deadline_ms = now_ms;
}

static void time_out(struct mqtt_client *c)
{
    static const char *const missing[] = {
        [CONNECTION_TCP] = "no connection to",
        [CONNECTION_TLS] = "no end of the TLS handshake with",
        [CONNECTION_LOGIN] = "no answer to the login (CONNACK) from",
    };
    enum connection_phase phase = connection_phase(c->connection);
    const struct mqtt_address *a = &c->settings.address;
    struct err e = {0};

    err_set(&e, ETIMEDOUT, "%s %s:%u within %d s", missing[phase], a->host, a->port,
            CONNECT_TIMEOUT_MS / 1000);
    lose(c, &e);
}

static void check_keepalive(struct mqtt_client *c, int64_t now_ms)
{
    struct err e = {0};

    c->deadline_ms = next_check(c, now_ms);
    if (connection_check_keepalive(c->connection, &e) < 0)
        lose(c, &e);
}

void mqtt_client_tick(struct mqtt_client *client, int64_t now_ms)
{
    if (client->phase == RESOLVING)
        take_addresses(client, now_ms);
    else if (now_ms < client->deadline_ms)
        return;
    else if (client->phase == WAITING)
        attempt(client, now_ms);
    else if (client->phase == CONNECTING)
        time_out(client);
    else if (client->phase == UP)
        check_keepalive(client, now_ms);
    else if (client->phase == CLOSING)
        finish_close(client);
}

/* ---- reading and writing ---- */

/* After a call into the connection, whose handlers may have dropped it. */
static void settle(struct mqtt_client *c, int r, const struct err *e)
{
    c->reading = false;
    if (c->dropped) {
        struct err failure = c->failure;
        c->dropped = false;
        lose(c, &failure);
    } else if (r < 0) {
        lose(c, e);
    } else if (connection_phase(c->connection) == CONNECTION_CLOSED) {
        finish_close(c);
    }
}

size_t mqtt_client_read(struct mqtt_client *client, size_t max_messages)
{
    struct err e = {0};
    size_t count = 0;

    if (!client->connection || client->phase == CLOSING)
        return 0;
    client->reading = true;
    int r = connection_read(client->connection, max_messages, &count, &e);
    settle(client, r, &e);
    return count;
}

void mqtt_client_write(struct mqtt_client *client)
{
    struct err e = {0};

    if (!client->connection)
        return;
    client->reading = true;
    int r = connection_write(client->connection, &e);
    settle(client, r, &e);
}

bool mqtt_client_wants_write(const struct mqtt_client *client)
{
    return client->connection && connection_wants_write(client->connection);
}

int mqtt_client_fd(const struct mqtt_client *client)
{
    if (client->resolver)
        return resolver_fd(client->resolver);
    return client->connection ? connection_fd(client->connection) : -1;
}

short mqtt_client_events(const struct mqtt_client *client)
{
    return client->connection ? connection_poll_events(client->connection) : POLLIN;
}

int64_t mqtt_client_deadline(const struct mqtt_client *client)
{
    return client->deadline_ms;
}

/* ---- what the owner asks for ---- */

static bool can_send(const struct mqtt_client *c)
{
    return c->phase == UP && !c->dropped;
}

void mqtt_client_turn(struct mqtt_client *client, int64_t deadline_ms)
{
    struct pollfd pollfd = {.fd = mqtt_client_fd(client), .events = mqtt_client_events(client)};
    int64_t now_ms = clock_monotonic_ms();
    int64_t next_ms = mqtt_client_deadline(client);
    int64_t wait_ms = (next_ms < deadline_ms ? next_ms : deadline_ms) - now_ms;

    (void)poll(&pollfd, 1, wait_ms > 0 ? (int)wait_ms : 0);
    mqtt_client_tick(client, clock_monotonic_ms());
    mqtt_client_read(client, 1);
    mqtt_client_write(client);
}

int mqtt_client_publish(struct mqtt_client *client, const char *topic, const void *payload,
                        size_t size, int qos, bool retain, int *ret_mid)
{
    if (!can_send(client))
        return -ENOTCONN;
    return connection_publish(client->connection, topic, payload, size, qos, retain, ret_mid);
}

int mqtt_client_subscribe(struct mqtt_client *client, const char *filter, int qos, int *ret_mid)
{
    if (!can_send(client))
        return -ENOTCONN;
    return connection_subscribe(client->connection, filter, qos, ret_mid);
}

int mqtt_client_unsubscribe(struct mqtt_client *client, const char *filter)
{
    if (!can_send(client))
        return -ENOTCONN;
    return connection_unsubscribe(client->connection, filter);
}

void mqtt_client_drop(struct mqtt_client *client, const char *reason)
{
    struct err e = {0};

    if ((!client->connection && !client->resolver) || client->dropped)
        return;
    err_set(&e, ECANCELED, "%s", reason);
    if (client->reading) {
        client->dropped = true;
        client->failure = e;
        connection_stop(client->connection);
    } else {
        lose(client, &e);
    }
}

void mqtt_client_close(struct mqtt_client *client)
{
    if (client->phase >= CLOSING)
        return;
    if (can_send(client)) {
        connection_close(client->connection);
        client->phase = CLOSING;
        client->deadline_ms = clock_monotonic_ms() + CLOSE_TIMEOUT_MS;
    } else if (client->dropped) {
        client->phase = CLOSING; /* settle() ends it */
    } else {
        finish_close(client);
    }
}

bool mqtt_client_is_closed(const struct mqtt_client *client)
{
    return client->phase == CLOSED;
}

void mqtt_client_status(const struct mqtt_client *client, struct mqtt_status *ret_status)
{
    int64_t left_ms = client->deadline_ms - clock_monotonic_ms();

    *ret_status = (struct mqtt_status){
        .state = client->phase == UP || client->phase == CLOSING       ? MQTT_CONNECTED
                 : client->phase == WAITING || client->phase == CLOSED ? MQTT_WAITING
                                                                       : MQTT_CONNECTING,
        .reason = client->failure.code ? client->failure.msg : NULL,
        .security = client->failure.code == EACCES,
        .since_us = client->since_us,
        .next_attempt_ms = client->phase != WAITING ? -1
                           : left_ms < 0            ? 0
                                                    : left_ms,
        .attempts = client->attempts,
    };
}

const struct validity *mqtt_client_validity(const struct mqtt_client *client)
{
    return &client->validity;
}

int mqtt_client_new(const struct mqtt_client_settings *settings,
                    const struct mqtt_handlers *handlers, void *context,
                    struct mqtt_client **ret_client, struct err *e)
{
    if (!settings->options->client_id && !settings->clean_session)
        return FAIL(e, EINVAL, "a session that the broker keeps needs a client id (--client-id)");
    struct mqtt_client *c = calloc(1, sizeof(*c));
    if (!c)
        return FAIL(e, ENOMEM, "out of memory");
    c->settings = *settings;
    c->handlers = *handlers;
    c->context = context;
    c->phase = WAITING;
    c->deadline_ms = clock_monotonic_ms();
    c->since_us = clock_wall_us();
    c->password.path = settings->options->password_file;
    *ret_client = c;
    return 0;
}

void mqtt_client_free(struct mqtt_client *client)
{
    if (!client)
        return;
    let_go(client);
    explicit_bzero(client->password.value, sizeof(client->password.value));
    free(client);
}
