#include "common/mqtt/connection.h"

#include <limits.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/base/str.h"
#include "common/mqtt/tls.h"

/* A peer that answers nothing that was sent is gone after this time; without it only the keepalive
 * would tell, twice its time later. */
#define UNACKNOWLEDGED_MS 30000

struct connection {
    const struct mqtt_client_settings *mqtt;
    const struct connection_events *events;
    void *context;
    struct mosquitto *mosq;
    struct tls *tls; /* NULL: plain */
    enum connection_phase phase;
    int connack;        /* the broker's return code; -1: none yet */
    unsigned unwritten; /* packets queued since the last write, about */
    size_t messages;    /* delivered */
    bool stopped;
    char endpoint[MQTT_HOST_SIZE + 96]; /* for messages */
};

static void init_library(void)
{
    mosquitto_lib_init();
}

/* ---- what libmosquitto calls ---- */

static void on_connack(struct mosquitto *mosq, void *object, int code, int flags)
{
    struct connection *c = object;

    c->connack = code;
    if (code != 0)
        return;
    c->phase = CONNECTION_UP;
    /* libmosquitto allocates and formats a line for each packet that it could log. */
    mosquitto_log_callback_set(mosq, NULL);
    c->events->up(c->context, (flags & 1) != 0);
}

static void on_message(struct mosquitto *mosq, void *object, const struct mosquitto_message *m)
{
    struct connection *c = object;

    (void)mosq;
    if (c->stopped)
        return;
    c->messages++;
    c->unwritten += m->qos > 0;
    c->events->message(c->context, &(struct mqtt_message){.topic = m->topic,
                                                          .payload = m->payload,
                                                          .size = (size_t)m->payloadlen,
                                                          .qos = m->qos,
                                                          .retain = m->retain});
}

static void on_publish(struct mosquitto *mosq, void *object, int mid)
{
    struct connection *c = object;

    (void)mosq;
    if (!c->stopped)
        c->events->published(c->context, mid);
}

static void on_subscribe(struct mosquitto *mosq, void *object, int mid, int count,
                         const int *granted)
{
    struct connection *c = object;

    (void)mosq;
    if (!c->stopped)
        c->events->subscribed(c->context, mid, count > 0 ? granted[0] : 128);
}

static void on_log(struct mosquitto *mosq, void *object, int level, const char *text)
{
    struct connection *c = object;
    const char *reason = strrchr(text, ':'); /* error:0A00010B:SSL routines::wrong version number */

    (void)mosq;
    if (c->tls && level == MOSQ_LOG_ERR && str_starts_with(text, "OpenSSL Error"))
        tls_note_error(c->tls, reason ? reason + 1 : text);
}

/* ---- reasons ---- */

static int fail_errno(const struct connection *c, int error, struct err *e)
{
    switch (error) {
    case ECONNREFUSED:
        return FAIL(e, error, "connection refused by %s", c->endpoint);
    case ETIMEDOUT:
        return FAIL(e, error, "no answer from %s", c->endpoint);
    case ECONNRESET:
    case EPIPE:
        return FAIL(e, error, "the connection to %s was reset", c->endpoint);
    case EAGAIN: /* left by a call that went well */
    case EPROTO: /* of TLS, without a reason */
    case 0:
        return FAIL(e, EIO, "the connection to %s broke", c->endpoint);
    default:
        return FAIL(e, error, "the connection to %s failed: %s", c->endpoint, strerror(error));
    }
}

/* The return codes of MQTT 3.1.1, table 3.1. */
static int fail_login(const struct connection *c, struct err *e)
{
    const struct mqtt_options *o = c->mqtt->options;

    switch (c->connack) {
    case 1:
        return FAIL(e, EPROTO, "the broker does not speak MQTT 3.1.1");
    case 2:
        return FAIL(e, EPROTO, "the broker refused the client id '%s'",
                    o->client_id ? o->client_id : "");
    case 3:
        return FAIL(e, EAGAIN, "the broker says that it is not available");
    case 4:
    case 5:
        if (!o->username && !o->cert_file)
            return FAIL(e, EACCES,
                        "the broker demands a login: give --username and --password-file");
        return FAIL(e, EACCES, "the broker refused the %s",
                    o->username ? "user name or password" : "certificate's identity");
    default:
        return FAIL(e, EPROTO, "the broker refused the connection with the unknown code %d",
                    c->connack);
    }
}

static int fail_lost(const struct connection *c, struct err *e)
{
    if (c->phase == CONNECTION_LOGIN && !c->tls)
        return FAIL(e, ECONNRESET,
                    "%s closed the connection without an answer: is it an MQTT broker, and does it "
                    "want TLS (mqtts://)?",
                    c->endpoint);
    if (c->phase < CONNECTION_UP)
        return FAIL(e, ECONNRESET, "%s closed the connection without an answer", c->endpoint);
    return FAIL(e, ECONNRESET, "the broker closed the connection");
}

/* Makes an error of what a call of libmosquitto returned; `error` is errno as that call left it. */
static int fail(const struct connection *c, int rc, int error, struct err *e)
{
    if (c->tls && tls_failure(c->tls, e))
        return -e->code;
    switch (rc) {
    case MOSQ_ERR_CONN_REFUSED:
        return fail_login(c, e);
    case MOSQ_ERR_CONN_LOST:
        return fail_lost(c, e);
    case MOSQ_ERR_ERRNO:
        return fail_errno(c, error, e);
    case MOSQ_ERR_KEEPALIVE:
        return FAIL(e, ETIMEDOUT, "the broker did not answer for %lld s",
                    (long long)c->mqtt->options->keepalive_s);
    case MOSQ_ERR_NOMEM:
        return FAIL(e, ENOMEM, "out of memory");
    case MOSQ_ERR_PROTOCOL:
    case MOSQ_ERR_MALFORMED_PACKET:
        return FAIL(e, EPROTO, "%s sent what is not MQTT 3.1.1", c->endpoint);
    default:
        return FAIL(e, EIO, "the connection to %s failed: %s", c->endpoint, mosquitto_strerror(rc));
    }
}

/* ---- making one ---- */

static void name_endpoint(struct connection *c, const char *address)
{
    const struct mqtt_address *a = &c->mqtt->address;
    bool is_ipv6 = strchr(address, ':') != NULL;
    char numeric[80];

    (void)snprintf(numeric, sizeof(numeric), "%s%.64s%s:%u", is_ipv6 ? "[" : "", address,
                   is_ipv6 ? "]" : "", a->port);
    if (str_equal(a->host, address))
        (void)snprintf(c->endpoint, sizeof(c->endpoint), "%s", numeric);
    else
        (void)snprintf(c->endpoint, sizeof(c->endpoint), "%s (%s)", a->host, numeric);
}

static int set_login(const struct connection *c, const char *password)
{
    const struct mqtt_client_settings *s = c->mqtt;
    int rc = MOSQ_ERR_SUCCESS;

    if (s->options->username)
        rc = mosquitto_username_pw_set(c->mosq, s->options->username, password);
    if (rc == MOSQ_ERR_SUCCESS && s->will.topic)
        rc = mosquitto_will_set(c->mosq, s->will.topic, (int)s->will.size, s->will.payload, 1,
                                s->will.retain);
    return rc;
}

static int set_options(const struct connection *c)
{
    struct mosquitto *m = c->mosq;
    int rc = mosquitto_int_option(m, MOSQ_OPT_PROTOCOL_VERSION, MQTT_PROTOCOL_V311);

    /* From here on only mosquitto_loop_write() writes. */
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_threaded_set(m, true);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_int_option(m, MOSQ_OPT_TCP_NODELAY, 1);
    if (rc == MOSQ_ERR_SUCCESS && c->mqtt->max_inflight > 0)
        rc = mosquitto_int_option(m, MOSQ_OPT_SEND_MAXIMUM, c->mqtt->max_inflight);
    if (rc == MOSQ_ERR_SUCCESS && c->tls) {
        rc = mosquitto_int_option(m, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0);
        if (rc == MOSQ_ERR_SUCCESS)
            rc = mosquitto_void_option(m, MOSQ_OPT_SSL_CTX, tls_context(c->tls));
    }
    return rc;
}

static void set_callbacks(const struct connection *c)
{
    mosquitto_connect_with_flags_callback_set(c->mosq, on_connack);
    mosquitto_message_callback_set(c->mosq, on_message);
    mosquitto_publish_callback_set(c->mosq, on_publish);
    mosquitto_subscribe_callback_set(c->mosq, on_subscribe);
    if (c->tls)
        mosquitto_log_callback_set(c->mosq, on_log);
}

static int start(struct connection *c, const struct connection_settings *settings, struct err *e)
{
    const struct mqtt_options *o = c->mqtt->options;
    const struct mqtt_address *a = &c->mqtt->address;
    const unsigned unacknowledged_ms = UNACKNOWLEDGED_MS;

    if (a->tls) {
        int r = tls_new(o, a->host, &c->tls, e);
        if (r < 0)
            return r;
        validity_read(tls_context(c->tls), settings->validity);
    }
    c->mosq = mosquitto_new(o->client_id, c->mqtt->clean_session, c);
    if (!c->mosq)
        return FAIL(e, errno, "no MQTT client could be made: %s", strerror(errno));
    set_callbacks(c);
    int rc = set_options(c);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = set_login(c, settings->password);
    if (rc == MOSQ_ERR_SUCCESS)
        rc = mosquitto_connect_async(c->mosq, settings->address, a->port, (int)o->keepalive_s);
    /* With a TCP connect under way 2.0.11 returns MOSQ_ERR_SUCCESS, too: the CONNECT is queued. */
    if (rc > 0)
        return fail(c, rc, errno, e);
    setsockopt(connection_fd(c), IPPROTO_TCP, TCP_USER_TIMEOUT, &unacknowledged_ms,
               sizeof(unacknowledged_ms));
    return 0;
}

int connection_new(const struct connection_settings *settings, struct connection **ret_connection,
                   struct err *e)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    struct connection *c = calloc(1, sizeof(*c));

    if (!c)
        return FAIL(e, ENOMEM, "out of memory");
    pthread_once(&once, init_library);
    c->mqtt = settings->mqtt;
    c->events = settings->events;
    c->context = settings->context;
    c->connack = -1;
    name_endpoint(c, settings->address);
    int r = start(c, settings, e);
    if (r < 0)
        connection_free(c);
    else
        *ret_connection = c;
    return r;
}

void connection_free(struct connection *connection)
{
    if (!connection)
        return;
    mosquitto_destroy(connection->mosq);
    tls_free(connection->tls);
    free(connection);
}

/* ---- before the connection is up ---- */

static bool poll_now(int fd, short events)
{
    struct pollfd p = {.fd = fd, .events = events};
    return poll(&p, 1, 0) > 0;
}

static int advance_tcp(struct connection *c, struct err *e)
{
    int fd = connection_fd(c);
    int error = 0;
    socklen_t size = sizeof(error);

    if (!poll_now(fd, POLLOUT))
        return 0;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0)
        error = errno;
    if (error == ECONNRESET && c->tls)
        (void)mosquitto_loop_read(c->mosq, 1); /* the alert that tells why may still be there */
    if (error != 0)
        return fail(c, MOSQ_ERR_ERRNO, error, e);
    c->phase = c->tls ? CONNECTION_TLS : CONNECTION_LOGIN;
    return 0;
}

/*
 * loop_read drives the handshake in every version; 2.0.11 has begun it when it started to connect.
 * It takes an end of the connection during the handshake for "not yet", over and over: look for it
 * before.
 */
static int advance_tls(struct connection *c, struct err *e)
{
    char byte;
    ssize_t n = recv(connection_fd(c), &byte, 1, MSG_PEEK | MSG_DONTWAIT);

    if (n == 0)
        return fail(c, MOSQ_ERR_CONN_LOST, 0, e);
    if (n < 0 && errno != EAGAIN && errno != EINTR)
        return fail(c, MOSQ_ERR_ERRNO, errno, e);

    int rc = mosquitto_loop_read(c->mosq, 1);
    if (rc != MOSQ_ERR_SUCCESS)
        return fail(c, rc, errno, e);
    if (SSL_is_init_finished(mosquitto_ssl_get(c->mosq)))
        c->phase = CONNECTION_LOGIN;
    return 0;
}

/* With TLS 1.3 the handshake is over for us before the broker has seen our certificate. Where it
 * refused it, the alert must be read before the CONNECT is written: that fails, and closes. */
static int read_refusal(const struct connection *c, struct err *e)
{
    if (c->phase != CONNECTION_LOGIN || !c->tls || !poll_now(connection_fd(c), POLLIN))
        return 0;
    int rc = mosquitto_loop_read(c->mosq, 1);
    return rc == MOSQ_ERR_SUCCESS ? 0 : fail(c, rc, errno, e);
}

static int advance(struct connection *c, struct err *e)
{
    int r = 0;

    if (c->phase == CONNECTION_TCP)
        r = advance_tcp(c, e);
    if (r == 0 && c->phase == CONNECTION_TLS)
        r = advance_tls(c, e);
    return r;
}

/* ---- polling, reading, writing ---- */

enum connection_phase connection_phase(const struct connection *connection)
{
    return connection->phase;
}

int connection_fd(const struct connection *connection)
{
    return mosquitto_socket(connection->mosq);
}

bool connection_wants_write(const struct connection *connection)
{
    return connection->phase >= CONNECTION_LOGIN && mosquitto_want_write(connection->mosq);
}

short connection_poll_events(const struct connection *connection)
{
    switch (connection->phase) {
    case CONNECTION_TCP:
        return POLLOUT;
    case CONNECTION_TLS:
        /* mosquitto_want_write() would have us spin until the broker answers. */
        if (SSL_want_write((const SSL *)mosquitto_ssl_get(connection->mosq)))
            return POLLIN | POLLOUT;
        return POLLIN;
    case CONNECTION_CLOSING:
        return POLLOUT;
    default:
        return connection_wants_write(connection) ? POLLIN | POLLOUT : POLLIN;
    }
}

static bool is_readable(const struct connection *c)
{
    const SSL *ssl = mosquitto_ssl_get(c->mosq);

    return (ssl && SSL_pending(ssl) > 0) || poll_now(connection_fd(c), POLLIN);
}

/*
 * Brokers leave Nagle's algorithm on, so their next small packets wait for our TCP acknowledgement
 * of the last ones, which the kernel delays by 40 ms while we have nothing to send: with a window
 * of 512 messages that was 10,000 messages a second. The kernel forgets this option again and
 * again.
 */
static void acknowledge_segments(const struct connection *c)
{
    const int on = 1;
    setsockopt(connection_fd(c), IPPROTO_TCP, TCP_QUICKACK, &on, sizeof(on));
}

int connection_read(struct connection *connection, size_t max_messages, size_t *ret_messages,
                    struct err *e)
{
    struct connection *c = connection;
    size_t before = c->messages;
    /* Acknowledgements and pings are no messages, and must not keep us here for ever. */
    size_t rounds = max_messages + 64;

    *ret_messages = 0;
    int r = advance(c, e);
    /* libmosquitto takes a packet that arrives after our DISCONNECT for a breach of protocol. */
    while (r == 0 && !c->stopped && rounds-- > 0 && c->messages - before < max_messages &&
           (c->phase == CONNECTION_LOGIN || c->phase == CONNECTION_UP) && is_readable(c)) {
        errno = 0;
        int rc = mosquitto_loop_read(c->mosq, 1);
        if (rc != MOSQ_ERR_SUCCESS || connection_fd(c) < 0)
            r = fail(c, rc == MOSQ_ERR_SUCCESS ? MOSQ_ERR_CONN_LOST : rc, errno, e);
    }
    *ret_messages = c->messages - before;
    if (r == 0)
        acknowledge_segments(c);
    return r;
}

/* Many small packets leave as few segments. */
static void set_cork(const struct connection *c, int on)
{
    if (c->unwritten > 1 && connection_fd(c) >= 0)
        setsockopt(connection_fd(c), IPPROTO_TCP, TCP_CORK, &on, sizeof(on));
}

int connection_write(struct connection *connection, struct err *e)
{
    struct connection *c = connection;

    int r = advance(c, e);
    if (r == 0)
        r = read_refusal(c, e);
    if (r < 0 || c->phase < CONNECTION_LOGIN || c->phase == CONNECTION_CLOSED)
        return r;
    if (!mosquitto_want_write(c->mosq))
        return 0;
    set_cork(c, 1);
    errno = 0;
    int rc = mosquitto_loop_write(c->mosq, 1);
    if (rc != MOSQ_ERR_SUCCESS)
        return fail(c, rc, errno, e);
    set_cork(c, 0);
    c->unwritten = 0;
    if (c->phase == CONNECTION_CLOSING && connection_fd(c) < 0)
        c->phase = CONNECTION_CLOSED;
    return 0;
}

int connection_check_keepalive(struct connection *connection, struct err *e)
{
    if (connection->phase != CONNECTION_UP)
        return 0;
    int rc = mosquitto_loop_misc(connection->mosq);
    return rc == MOSQ_ERR_SUCCESS ? 0 : fail(connection, rc, errno, e);
}

void connection_stop(struct connection *connection)
{
    connection->stopped = true;
}

/* ---- sending ---- */

static int negative_errno(int rc)
{
    switch (rc) {
    case MOSQ_ERR_SUCCESS:
        return 0;
    case MOSQ_ERR_NOMEM:
        return -ENOMEM;
    case MOSQ_ERR_PAYLOAD_SIZE:
    case MOSQ_ERR_OVERSIZE_PACKET:
        return -EMSGSIZE;
    case MOSQ_ERR_NO_CONN:
    case MOSQ_ERR_CONN_LOST:
        return -ENOTCONN;
    default:
        return -EINVAL;
    }
}

int connection_publish(struct connection *connection, const char *topic, const void *payload,
                       size_t size, int qos, bool retain, int *ret_mid)
{
    if (size > INT_MAX)
        return -EMSGSIZE;
    connection->unwritten++;
    return negative_errno(
        mosquitto_publish(connection->mosq, ret_mid, topic, (int)size, payload, qos, retain));
}

int connection_subscribe(struct connection *connection, const char *filter, int qos, int *ret_mid)
{
    return negative_errno(mosquitto_subscribe(connection->mosq, ret_mid, filter, qos));
}

int connection_unsubscribe(struct connection *connection, const char *filter)
{
    return negative_errno(mosquitto_unsubscribe(connection->mosq, NULL, filter));
}

void connection_close(struct connection *connection)
{
    connection->phase = CONNECTION_CLOSING;
    (void)mosquitto_disconnect(connection->mosq);
}
