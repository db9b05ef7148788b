#pragma once

/* The supervisor's options: one table, in the order of --help. */

#include "broker/certificates.h"
#include "common/base/options.h"
#include "common/http/admin_options.h"
#include "common/mqtt/settings.h"

struct broker_config {
    struct log_options log;
    struct admin_options admin;
    const char *mosquitto;
    const char *conf;
    struct certificate_files files;
    const char *health_url;
    struct mqtt_address health_address; /* of health_url, checked */
};

/*
 * As options_load, for the broker: an options_outcome, or < 0 with the message for stderr.
 * `ret_config` stays where it is: pointers in it lead into *ret_options.
 */
MUST_CHECK int config_load(int argc, char **argv, char **environment,
                           struct broker_config *ret_config, struct options **ret_options,
                           struct err *e);
