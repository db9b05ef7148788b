#pragma once

/* The broadcaster's options: one table, in the order of --help. */

#include <stdint.h>

#include "broadcaster/profile.h"
#include "common/base/options.h"
#include "common/http/admin_options.h"
#include "common/mqtt/settings.h"
#include "common/mqtt/topic.h"

#define SOURCE_NAME_SIZE 101

struct broadcaster_config {
    struct log_options log;
    struct admin_options admin;
    struct mqtt_options mqtt;
    struct mqtt_address mqtt_address; /* of mqtt.broker_url, checked */
    int profile_index;
    const struct profile *profile;
    const char *source; /* never NULL once loaded */
    int64_t sources;
    int64_t rate; /* messages a second of all sources; 0: the profile's own times */
    struct profile_times times;
    int64_t outbox_messages;
    int64_t republish_window_ms;
    const char *ledger; /* NULL: none */
    char host_name[SOURCE_NAME_SIZE];
    char client_id[TOPIC_LEVEL_SIZE + 32];
};

/*
 * As options_load, for the broadcaster: an options_outcome, or < 0 with the message for stderr.
 * `ret_config` stays where it is: pointers in it lead into it and into *ret_options.
 */
MUST_CHECK int config_load(int argc, char **argv, char **environment,
                           struct broadcaster_config *ret_config, struct options **ret_options,
                           struct err *e);
