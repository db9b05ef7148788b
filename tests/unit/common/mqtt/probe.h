#pragma once

/* An mqtt_client that writes down what happens to it, driven by a poll loop of the test's. */

#include <stdbool.h>

#include "broker.h"
#include "common/mqtt/client.h"

#define PROBE_MESSAGES 64

struct probe {
    struct mqtt_options options;
    char url[64];
    struct mqtt_client *client;
    bool hold_writes;      /* read without writing: nothing is acknowledged */
    bool drop_at_message;  /* from within the handler */
    size_t max_messages;   /* of one read */
    const char *subscribe; /* when connected; NULL: nothing */
    unsigned connected;    /* how often, as all that follow */
    unsigned disconnected;
    unsigned published;
    unsigned subscribed;
    int granted_qos;
    bool session_present;
    char reason[384];
    bool security;
    int64_t next_attempt_ms;
    unsigned message_count;
    char messages[PROBE_MESSAGES][32];
    int64_t longest_call_ms; /* of any into the client */
};

/* Options for the broker's port on 127.0.0.1; to be changed before probe_start(). */
void probe_init(struct probe *probe, uint16_t port, const char *client_id);
void probe_start(struct probe *probe, bool clean_session);
void probe_start_with_will(struct probe *probe, const char *topic, const char *payload);
void probe_deinit(struct probe *probe);

/* One turn of the loop; waits up to `wait_ms` for the socket. `ahead_ms` is added to the time that
 * the client is told. */
void probe_turn(struct probe *probe, int wait_ms, int64_t ahead_ms);
/* Turns until `*counter >= wanted`; fails the test after 15 s. */
void probe_until(struct probe *probe, const unsigned *counter, unsigned wanted);
void probe_publish(struct probe *probe, const char *topic, const char *text);
