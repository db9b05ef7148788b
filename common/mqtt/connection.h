#pragma once

/*
 * One connection to one address of the broker: a fresh libmosquitto handle, from the TCP connect to
 * its end. It never comes back; the client makes another. Internal to common/mqtt.
 *
 * libmosquitto's own loop is not used: it blocks, and its select() fails above 1024 descriptors.
 */

#include <stdbool.h>
#include <stddef.h>

#include "common/mqtt/client.h"

struct connection;

enum connection_phase {
    CONNECTION_TCP,   /* not connected yet */
    CONNECTION_TLS,   /* handshake */
    CONNECTION_LOGIN, /* until the CONNACK */
    CONNECTION_UP,
    CONNECTION_CLOSING, /* a DISCONNECT is queued */
    CONNECTION_CLOSED,  /* it was written */
};

struct connection_events {
    void (*up)(void *context, bool session_present);
    void (*message)(void *context, const struct mqtt_message *message);
    void (*published)(void *context, int mid);
    void (*subscribed)(void *context, int mid, int granted_qos);
};

struct connection_settings {
    const struct mqtt_client_settings *mqtt;
    const char *address;       /* numeric */
    const char *password;      /* NULL: none; copied */
    struct validity *validity; /* with TLS set to that of the certificates that were read */
    const struct connection_events *events;
    void *context;
};

/* Starts to connect. Errors, here and below, are sentences for a person; code EACCES means that
 * credentials or a certificate were refused. */
MUST_CHECK int connection_new(const struct connection_settings *settings,
                              struct connection **ret_connection, struct err *e);
/* Closes without writing: what is queued, acknowledgements too, goes with it. */
void connection_free(struct connection *connection);

enum connection_phase connection_phase(const struct connection *connection);
int connection_fd(const struct connection *connection);
short connection_poll_events(const struct connection *connection);
bool connection_wants_write(const struct connection *connection);

/* These go on with whatever phase it is in; a negative return means that the connection is over.
 * Events run inside. */
MUST_CHECK int connection_read(struct connection *connection, size_t max_messages,
                               size_t *ret_messages, struct err *e);
MUST_CHECK int connection_write(struct connection *connection, struct err *e);
MUST_CHECK int connection_check_keepalive(struct connection *connection, struct err *e);

/* From within an event: reads no further and delivers nothing more. */
void connection_stop(struct connection *connection);

/* While up; as in client.h. */
MUST_CHECK int connection_publish(struct connection *connection, const char *topic,
                                  const void *payload, size_t size, int qos, bool retain,
                                  int *ret_mid);
MUST_CHECK int connection_subscribe(struct connection *connection, const char *filter, int qos,
                                    int *ret_mid);
MUST_CHECK int connection_unsubscribe(struct connection *connection, const char *filter);
void connection_close(struct connection *connection);
