#pragma once

/*
 * The ingest thread: subscribes, admits, commits, acknowledges, hands on; in that order. It owns
 * the MQTT subscriber and the journal's writer. Nothing is acknowledged to the broker before it is
 * durable, and nothing is shown before it is durable.
 */

#include "common/metrics/metrics.h"
#include "common/mqtt/client.h"
#include "receiver/journal/journal.h"
#include "receiver/nodes/registry.h"
#include "receiver/stream/hub.h"

struct ingest;

struct ingest_settings {
    const struct mqtt_options *mqtt; /* borrowed, as all below */
    struct mqtt_address address;
    const char *const *filters; /* NULL-terminated topic filters, not overlapping */
    /* The one of them that is subscribed to with QoS 0, for what it gives is of no use later: the
     * broker keeps none of it for a receiver that is away. NULL: none. */
    const char *fleeting_filter;
    const char *data_dir;     /* where the broker's session is remembered */
    size_t max_payload_bytes; /* larger ones are quarantined (their first bytes) */
    struct journal *journal;
    struct registry *registry; /* takes the messages of nodes */
    struct hub *hub;
    const struct clock *clock;
    const struct random_source *random;
    struct metrics *metrics;
};

/* Starts the thread. */
MUST_CHECK int ingest_start(const struct ingest_settings *settings, struct ingest **ret_ingest,
                            struct err *e);
/* Commits what was read, acknowledges it, disconnects, joins the thread, frees. */
void ingest_stop(struct ingest *ingest);

struct ingest_status {
    enum mqtt_state broker;
    char broker_reason[256]; /* "" when connected */
    int64_t broker_since_us;
    int64_t next_attempt_ms; /* -1 when not waiting */
    bool subscribed;
    struct validity validity; /* of our certificate and the broker's authority, with TLS */
    uint64_t stored, duplicates, quarantined; /* since start */
};
/* Any thread. */
void ingest_status(struct ingest *ingest, struct ingest_status *ret_status);

/* Counts of stored events in steps of 2 s up to now, oldest first; any thread. Returns how many. */
#define INGEST_RATE_STEPS   300
#define INGEST_RATE_STEP_US 2000000
size_t ingest_rates(struct ingest *ingest, uint64_t counts[static INGEST_RATE_STEPS],
                    int64_t *ret_until_us);
