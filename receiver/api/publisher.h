#pragma once

/*
 * Publishes to the broker and tells when it has acknowledged: an MQTT client of its own (client id
 * "<client-id>-publish", no session), so that what is sent never waits behind the ingest's commits.
 * Loop's thread only.
 */

#include <stdbool.h>
#include <uv.h>

#include "common/base/clock.h"
#include "common/base/error.h"
#include "common/base/random.h"
#include "common/mqtt/client.h"

struct publisher;

#define PUBLISHER_PENDING_MAX    64
#define PUBLISHER_ACK_TIMEOUT_MS 5000

enum publish_outcome {
    PUBLISH_ACKNOWLEDGED,
    PUBLISH_TIMED_OUT,    /* no PUBACK in time: it may still come */
    PUBLISH_DISCONNECTED, /* before the PUBACK: the broker has the message or has it not */
};
typedef void publish_done(void *context, enum publish_outcome outcome);

/* `options`, `clock` and `random` are borrowed. */
MUST_CHECK int publisher_new(uv_loop_t *loop, const struct mqtt_options *options,
                             const struct mqtt_address *address, const struct clock *clock,
                             const struct random_source *random, struct publisher **ret_publisher,
                             struct err *e);
/* Calls `done` for all that is pending (PUBLISH_DISCONNECTED). By uv_close: the loop must run once
 * more. */
void publisher_free(struct publisher *publisher);

/* Messages that wait for their acknowledgement. */
size_t publisher_pending(const struct publisher *publisher);
bool publisher_is_connected(const struct publisher *publisher);
/* The right that it lacks, as a sentence; NULL as long as none is known to be lacking. */
const char *publisher_missing_right(const struct publisher *publisher);

/*
 * Publishes with QoS 1; `done` is called once, later. -ENOTCONN with the broker's reason, -EBUSY
 * when PUBLISHER_PENDING_MAX wait for their acknowledgement, -EMSGSIZE, -ENOMEM.
 */
MUST_CHECK int publisher_publish(struct publisher *publisher, const char *topic,
                                 const void *payload, size_t size, publish_done *done,
                                 void *context, struct err *e);
