#pragma once

/* The receiver's options: one table, in the order of --help. */

#include <stdint.h>

#include "common/base/options.h"
#include "common/mqtt/settings.h"

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
