#pragma once

/* The receiver's options: one table, in the order of --help. */

#include <stdint.h>

#include "common/base/options.h"
#include "common/mqtt/settings.h"
#include "receiver/ingest/session.h"

/* Topic filters that a user may give: those of the nodes come beside them. */
#define CONFIG_SUBSCRIBE_MAX (SESSION_MAX_FILTERS - 3)
#define CONFIG_FILTERS_SIZE  (SESSION_MAX_FILTERS + 1)

struct receiver_config {
    struct log_options log;
    struct mqtt_options mqtt;
    struct mqtt_address mqtt_address; /* of mqtt.broker_url, checked */
    const char *listen_address;
    int64_t port;
    struct option_list allow_host;
    const char *token_file;
    int64_t max_clients;
    int64_t heartbeat_ms;
    int64_t client_timeout_ms;
    struct option_list subscribe;
    int64_t max_payload_bytes;
    const char *data_dir;
    int64_t retention_age_ms;
    int64_t retention_bytes;
};

/*
 * As options_load, for the receiver: an options_outcome, or -EINVAL with the message for stderr.
 * What `ret_config` points to lives as long as *ret_options.
 */
MUST_CHECK int config_load(int argc, char **argv, char **environment,
                           struct receiver_config *ret_config, struct options **ret_options,
                           struct err *e);

/* All that is subscribed to: the user's filters, and those of the nodes that they do not cover.
 * Borrowed from the configuration, ended by NULL. */
void config_filters(const struct receiver_config *config,
                    const char *filters[static CONFIG_FILTERS_SIZE]);
