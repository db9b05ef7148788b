#pragma once

/* The manager's options: one table, in the order of --help. */

#include "common/base/options.h"
#include "common/http/admin_options.h"
#include "common/mqtt/settings.h"
#include "common/mqtt/topic.h"
#include "manager/desired/safety.h"
#include "manager/report/report.h"

#define NODE_NAME_SIZE 129
#define GROUPS_MAX     16

struct manager_config {
    struct log_options log;
    struct admin_options admin;
    struct mqtt_options mqtt;
    struct mqtt_address mqtt_address; /* of mqtt.broker_url, checked */
    const char *node;                 /* never NULL once loaded */
    struct option_list group_texts;
    struct report_group groups[GROUPS_MAX]; /* of group_texts */
    size_t group_count;
    const char *state_dir;
    const char *docker_socket;
    const char *registry_config;  /* NULL: none */
    int64_t image_gc_interval_ms; /* 0: never */
    int64_t image_gc_min_age_ms;
    const char *secrets_dir; /* NULL: none */
    struct option_list allow, allow_bind;
    struct safety safety; /* of these */
    char host_name[NODE_NAME_SIZE];
    char client_id[TOPIC_LEVEL_SIZE + 32];
    char group_names[GROUPS_MAX][TOPIC_LEVEL_SIZE];
};

/*
 * As options_load, for the manager: an options_outcome, or < 0 with the message for stderr.
 * `ret_config` stays where it is: pointers in it lead into it and into *ret_options.
 */
MUST_CHECK int config_load(int argc, char **argv, char **environment,
                           struct manager_config *ret_config, struct options **ret_options,
                           struct err *e);
