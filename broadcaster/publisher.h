#pragma once

/*
 * Hands messages to the broker and hears of it: the outbox's one user, an MQTT client pumped by the
 * loop, the ledger. One long-lived session under a fixed client id, QoS 1.
 */

#include <stdbool.h>
#include <uv.h>

#include "broadcaster/config.h"
#include "broadcaster/counters.h"
#include "broadcaster/ledger.h"
#include "broadcaster/message.h"
#include "common/mqtt/validity.h"

struct publisher;

struct publisher_settings {
    const struct broadcaster_config *config;
    const struct sources *sources;
    struct counters *counters;
    struct ledger *ledger;         /* NULL: none */
    void (*closed)(void *context); /* after publisher_close() or publisher_finish() */
    void *context;
};

/* All that the settings point to is borrowed. */
MUST_CHECK int publisher_new(uv_loop_t *loop, const struct publisher_settings *settings,
                             struct publisher **ret_publisher, struct err *e);
/* The loop must run once more before publisher_free(). */
void publisher_stop(struct publisher *publisher);
void publisher_free(struct publisher *publisher);
DEFINE_CLEANUP(struct publisher *, publisher_free);

/* Takes a message; one that finds no room is counted and logged. Nothing leaves before
 * publisher_flush(). */
void publisher_put(struct publisher *publisher, const struct message *message);
void publisher_flush(struct publisher *publisher);

/* Closes once everything was acknowledged. */
void publisher_finish(struct publisher *publisher);
/* Closes with what is written by now. */
void publisher_close(struct publisher *publisher);

/* True where each message has a log line of its own. */
bool publisher_logs_messages(const struct broadcaster_config *config);
size_t publisher_kept(const struct publisher *publisher);
size_t publisher_undelivered(const struct publisher *publisher);
const struct validity *publisher_validity(const struct publisher *publisher);
/* Connected, and may publish; else why not in `reason`, which may also warn of what will come. */
bool publisher_is_ready(const struct publisher *publisher, char *reason, size_t size);
