#pragma once

/*
 * Whether the broker lets us publish events: a message to ourselves at each connection. MQTT 3.1.1
 * acknowledges a publish that an access list denies, so nothing else would tell.
 *
 * It goes to bellbuoy/events/<name>/check: the same pattern as events, and a kind that no receiver
 * keeps. Brokers without access lists pass it as any other. Where it does not come back in 5 s it
 * is tried again every 30 s; where the broker ends the connection instead, three times and no more.
 *
 * The client's owner calls connected, disconnected and message from the handlers of these names.
 */

#include <stdbool.h>
#include <uv.h>

#include "common/mqtt/client.h"
#include "common/mqtt/pump.h"

#define MQTT_RIGHTS_KIND "check" /* the topic's last level */

struct mqtt_rights;

struct mqtt_rights_settings {
    uv_loop_t *loop;
    struct mqtt_client *client; /* borrowed, as all here */
    struct mqtt_pump *pump;
    const char *name;      /* of a machine or service; made a level of a topic */
    const char *component; /* for log lines */
};

MUST_CHECK int mqtt_rights_new(const struct mqtt_rights_settings *settings,
                               struct mqtt_rights **ret_rights, struct err *e);
/* By uv_close: the loop must run once more. Accepts NULL. */
void mqtt_rights_free(struct mqtt_rights *rights);

void mqtt_rights_connected(struct mqtt_rights *rights);
void mqtt_rights_disconnected(struct mqtt_rights *rights); /* accepts NULL */
/* True if the message was the check's. */
bool mqtt_rights_message(struct mqtt_rights *rights, const struct mqtt_message *message);

/* The right that is missing, as a sentence; NULL as long as none is known to be. */
const char *mqtt_rights_missing(const struct mqtt_rights *rights);
