#pragma once

/*
 * The ingest thread's MQTT client: keeps the persistent session and its subscriptions, and hands
 * each message on. What it reads is acknowledged by subscriber_acknowledge() only.
 */

#include "common/mqtt/client.h"
#include "receiver/ingest/ingest.h"
#include "receiver/ingest/session.h"

struct subscriber;

struct subscriber_handlers {
    void (*message)(void *context, const struct mqtt_message *message);
    /* The broker had no session where one was expected. */
    void (*session_lost)(void *context);
    void (*changed)(
        void *context); /* connection or subscriptions: subscriber_status() is worth a look */
};

MUST_CHECK int subscriber_new(const struct ingest_settings *settings, const char *dir,
                              const struct subscriber_handlers *handlers, void *context,
                              struct subscriber **ret_subscriber, struct err *e);
/* Disconnects in order, for at most a second. */
void subscriber_free(struct subscriber *subscriber);

int subscriber_fd(const struct subscriber *subscriber);
short subscriber_events(const struct subscriber *subscriber);
int64_t subscriber_deadline(const struct subscriber *subscriber);

void subscriber_tick(struct subscriber *subscriber, int64_t now_ms);
/* Hands on up to `max` messages; returns how many. */
size_t subscriber_read(struct subscriber *subscriber, size_t max);
/* Acknowledges all that was read: it must be durable. */
void subscriber_acknowledge(struct subscriber *subscriber);
/* Acknowledges nothing: the broker will send again. */
void subscriber_refuse(struct subscriber *subscriber, const char *reason);

struct subscriber_status {
    struct mqtt_status mqtt;
    bool subscribed;    /* every filter is granted */
    const char *denied; /* a filter that the broker refused; NULL: none */
    struct validity validity;
};
void subscriber_status(const struct subscriber *subscriber, struct subscriber_status *ret_status);
