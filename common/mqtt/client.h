#pragma once

/*
 * An MQTT 3.1.1 client over libmosquitto with a poll loop of the caller's: nothing here blocks, and
 * nothing starts a thread that outlives a name look-up. The client connects, and connects again
 * with full-jitter backoff, by itself; each connection is a fresh libmosquitto handle, so that no
 * queue of the library outlives the connection that it belongs to.
 *
 * Acknowledgements leave only in mqtt_client_write(). libmosquitto queues a PUBACK before it calls
 * on_message; since the handle is marked as threaded, mqtt_client_read() never writes. So a
 * consumer that reads a batch, commits it, and only then writes never acknowledges what is not
 * durable; one whose commit failed calls mqtt_client_drop(), which throws the queued PUBACKs away
 * with the connection, and the broker sends again.
 *
 * A turn of the caller's loop: poll mqtt_client_fd() for mqtt_client_events() until
 * mqtt_client_deadline(); then mqtt_client_tick(), mqtt_client_read(), [commit],
 * mqtt_client_write(). common/mqtt/pump.h does this in a libuv loop.
 *
 * A client belongs to one thread. Handlers run inside tick, read, write and drop; they may call
 * publish, subscribe and drop, not free.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/base/random.h"
#include "common/mqtt/settings.h"
#include "common/mqtt/validity.h"

struct mqtt_client;

struct mqtt_message {
    const char *topic;
    const void *payload; /* not NUL-terminated */
    size_t size;
    int qos;
    bool retain;
};

enum mqtt_state { MQTT_WAITING, MQTT_CONNECTING, MQTT_CONNECTED };

struct mqtt_handlers {
    void (*connected)(void *context, bool session_present);
    /*
     * A connection ended, or an attempt failed. `reason` is a sentence fit for a person; the next
     * attempt comes in `next_attempt_ms`, -1: none comes, after mqtt_client_close().
     */
    void (*disconnected)(void *context, const char *reason, int64_t next_attempt_ms);
    void (*message)(void *context, const struct mqtt_message *message);
    void (*published)(void *context, int mid);                   /* PUBACK, or written for QoS 0 */
    void (*subscribed)(void *context, int mid, int granted_qos); /* 128: refused */
};

struct mqtt_client_settings {
    const struct mqtt_options *options; /* borrowed for the client's life */
    struct mqtt_address address;
    bool clean_session;
    int max_inflight; /* QoS 1 messages of ours that are not acknowledged; 0: the library's 20 */
    const struct random_source *random;
    struct {
        const char *topic; /* NULL: no last will */
        const void *payload;
        size_t size;
        bool retain;
    } will;
};

/* Starts to connect at the next tick. -ENOMEM, -EINVAL (bad TLS files are an error of the
 * connection, not of new). */
MUST_CHECK int mqtt_client_new(const struct mqtt_client_settings *settings,
                               const struct mqtt_handlers *handlers, void *context,
                               struct mqtt_client **ret_client, struct err *e);
/* Drops the connection without a DISCONNECT (the will is sent) unless mqtt_client_close() ran. */
void mqtt_client_free(struct mqtt_client *client);
DEFINE_CLEANUP(struct mqtt_client *, mqtt_client_free);

int mqtt_client_fd(
    const struct mqtt_client *client); /* -1: none now; may change at each call below */
short mqtt_client_events(const struct mqtt_client *client);     /* POLLIN, POLLOUT */
int64_t mqtt_client_deadline(const struct mqtt_client *client); /* monotonic ms of the next tick */

/* Keepalive, time-outs, name look-ups, connection attempts. */
void mqtt_client_tick(struct mqtt_client *client, int64_t now_ms);
/* Reads until nothing is readable or about `max_messages` were handed on. Returns how many were. */
size_t mqtt_client_read(struct mqtt_client *client, size_t max_messages);
/* Writes what is queued: acknowledgements, publishes, pings. */
void mqtt_client_write(struct mqtt_client *client);
bool mqtt_client_wants_write(const struct mqtt_client *client);
/* One such turn for a program that has nothing else to do, handing on about one message at most;
 * waits until something happens or the monotonic clock is at `deadline_ms`. */
void mqtt_client_turn(struct mqtt_client *client, int64_t deadline_ms);

/* -ENOTCONN (nothing is queued while there is no connection), -EMSGSIZE, -EINVAL, -ENOMEM. */
MUST_CHECK int mqtt_client_publish(struct mqtt_client *client, const char *topic,
                                   const void *payload, size_t size, int qos, bool retain,
                                   int *ret_mid);
MUST_CHECK int mqtt_client_subscribe(struct mqtt_client *client, const char *filter, int qos,
                                     int *ret_mid);
MUST_CHECK int mqtt_client_unsubscribe(struct mqtt_client *client, const char *filter);

/* A nack: ends the connection, with all that is queued, and connects again after the backoff. At
 * once, or when the handler that calls it returns; nothing more is delivered in either case. */
void mqtt_client_drop(struct mqtt_client *client, const char *reason);
/* Queues a DISCONNECT behind what is queued and does not connect again; write until closed. */
void mqtt_client_close(struct mqtt_client *client);
bool mqtt_client_is_closed(const struct mqtt_client *client);

struct mqtt_status {
    enum mqtt_state state;
    const char *reason; /* of the last failure; NULL while connected. Valid until the next call */
    bool security;      /* that was about credentials or certificates: log it with LOG_SECURITY */
    int64_t since_us;   /* wall time of the last change of state between connected and not */
    int64_t next_attempt_ms; /* from now; -1 when not waiting */
    unsigned attempts;       /* since the last connection */
};
void mqtt_client_status(const struct mqtt_client *client, struct mqtt_status *ret_status);

/* Of the certificates that the last attempt to connect read; never NULL, none without TLS. */
const struct validity *mqtt_client_validity(const struct mqtt_client *client);
