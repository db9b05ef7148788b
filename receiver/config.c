#include "receiver/config.h"

#include <stddef.h>

#include "common/base/str.h"
#include "common/mqtt/topic.h"
#include "receiver/nodes/topic.h"

#define AT(member) offsetof(struct receiver_config, member)

static const struct option http_table[] = {
    {.name = "listen-address",
     .type = OPTION_STRING,
     .offset = AT(listen_address),
     .fallback = "127.0.0.1",
     .value_name = "ADDRESS",
     .help = "Numeric address to serve HTTP on; 0.0.0.0 or :: for all."},
    {.name = "port",
     .type = OPTION_INTEGER,
     .offset = AT(port),
     .fallback = "5000",
     .min = 0,
     .max = 65535,
     .value_name = "PORT",
     .help = "TCP port of HTTP; 0 takes a free one, which the log names."},
    {.name = "allow-host",
     .type = OPTION_LIST,
     .offset = AT(allow_host),
     .value_name = "NAME,...",
     .help = "Host names that requests may bear beside localhost, such as an Ingress has."},
    {.name = "token-file",
     .type = OPTION_STRING,
     .offset = AT(token_file),
     .value_name = "FILE",
     .help = "File with the token for sending messages; without it sending is off."},
    {.name = "max-clients",
     .type = OPTION_INTEGER,
     .offset = AT(max_clients),
     .fallback = "10000",
     .min = 1,
     .max = 1000000,
     .value_name = "N",
     .help = "Streams at once; one more is told to come back later."},
    {.name = "heartbeat-ms",
     .type = OPTION_INTEGER,
     .offset = AT(heartbeat_ms),
     .fallback = "15000",
     .min = 100,
     .max = 3600000,
     .value_name = "MS",
     .help = "Time between two heartbeats on a quiet stream."},
    {.name = "client-timeout-ms",
     .type = OPTION_INTEGER,
     .offset = AT(client_timeout_ms),
     .fallback = "120000",
     .min = 1000,
     .max = 3600000,
     .value_name = "MS",
     .help = "A client that acknowledges nothing for so long is gone, and its room is free."},
};

static const struct option ingest_table[] = {
    {.name = "subscribe",
     .type = OPTION_LIST,
     .offset = AT(subscribe),
     .fallback = "bellbuoy/events/#",
     .value_name = "FILTER,...",
     .help = "Topic filters to keep messages of; they must not overlap."},
    {.name = "max-payload-bytes",
     .type = OPTION_SIZE,
     .offset = AT(max_payload_bytes),
     .fallback = "262144",
     .min = 1024,
     .max = 16 << 20,
     .value_name = "BYTES",
     .help = "Largest message that is understood; a larger one is put into quarantine."},
};

static const struct option journal_table[] = {
    {.name = "data-dir",
     .type = OPTION_STRING,
     .offset = AT(data_dir),
     .fallback = "./data",
     .value_name = "DIR",
     .help = "Folder of the journal; made if it is missing."},
    {.name = "retention-age",
     .type = OPTION_DURATION,
     .offset = AT(retention_age_ms),
     .fallback = "30d",
     .min = 0,
     .max = INT64_MAX / 1000,
     .value_name = "TIME",
     .help = "Messages older than this are removed, such as 12h or 30d; 0 keeps all."},
    {.name = "retention-size",
     .type = OPTION_SIZE,
     .offset = AT(retention_bytes),
     .fallback = "1GB",
     .min = 0,
     .max = INT64_MAX,
     .value_name = "BYTES",
     .help = "The oldest messages are removed above this size, such as 500MB; 0 keeps all."},
};

static const char *const node_filters[] = {NODE_FILTER_REPORT, NODE_FILTER_PRESENCE,
                                           NODE_FILTER_PROGRESS};

static bool is_covered(const struct option_list *filters, const char *filter)
{
    for (size_t i = 0; i < filters->count; i++)
        if (topic_filter_covers(filters->items[i], filter))
            return true;
    return false;
}

void config_filters(const struct receiver_config *config,
                    const char *filters[static CONFIG_FILTERS_SIZE])
{
    size_t count = 0;
    for (size_t i = 0; i < config->subscribe.count; i++)
        filters[count++] = config->subscribe.items[i];
    for (size_t i = 0; i < ARRAY_SIZE(node_filters); i++)
        if (!is_covered(&config->subscribe, node_filters[i]))
            filters[count++] = node_filters[i];
    filters[count] = NULL;
}

/* Ours are left out where the user's give the same; in part they must not. */
static int check_node_filters(const struct option_list *filters, struct err *e)
{
    for (size_t i = 0; i < filters->count; i++)
        for (size_t k = 0; k < ARRAY_SIZE(node_filters); k++)
            if (topic_filters_overlap(filters->items[i], node_filters[k]) &&
                !is_covered(filters, node_filters[k]))
                return FAIL(e, EINVAL,
                            "--subscribe: '%s' overlaps '%s', which the receiver subscribes to by "
                            "itself, and some brokers would send a message twice",
                            filters->items[i], node_filters[k]);
    return 0;
}

static int check_filters(const struct option_list *filters, struct err *e)
{
    if (filters->count == 0 || filters->count > CONFIG_SUBSCRIBE_MAX)
        return FAIL(e, EINVAL, "--subscribe takes 1 to %d topic filters, it has %zu",
                    CONFIG_SUBSCRIBE_MAX, filters->count);
    for (size_t i = 0; i < filters->count; i++) {
        if (!topic_filter_is_valid(filters->items[i]))
            return FAIL(e, EINVAL,
                        "--subscribe: '%s' is no topic filter: + stands for one whole level, # for "
                        "all levels at the end",
                        filters->items[i]);
        for (size_t k = 0; k < i; k++) {
            if (topic_filters_overlap(filters->items[i], filters->items[k]))
                return FAIL(e, EINVAL,
                            "--subscribe: '%s' and '%s' overlap, and some brokers would send a "
                            "message twice",
                            filters->items[k], filters->items[i]);
        }
    }
    return check_node_filters(filters, e);
}

static int check(struct receiver_config *config, struct err *e)
{
    if (!config->mqtt.client_id)
        config->mqtt.client_id = "bellbuoy-receiver";
    int r = mqtt_options_check(&config->mqtt, &config->mqtt_address, e);
    return r < 0 ? r : check_filters(&config->subscribe, e);
}

int config_load(int argc, char **argv, char **environment, struct receiver_config *ret_config,
                struct options **ret_options, struct err *e)
{
    const struct option_group groups[] = {
        {"HTTP", http_table, ARRAY_SIZE(http_table), ret_config},
        {"Messages", ingest_table, ARRAY_SIZE(ingest_table), ret_config},
        {"Journal", journal_table, ARRAY_SIZE(journal_table), ret_config},
        {"Broker", mqtt_option_table, mqtt_option_count, &ret_config->mqtt},
        {"Log", log_option_table, log_option_count, &ret_config->log},
    };
    const struct options_program program = {
        .name = "receiver",
        .summary = "Keeps every message of the broker durably and relays it live to browsers.",
        .groups = groups,
        .group_count = ARRAY_SIZE(groups),
    };

    int r = options_load(&program, argc, argv, environment, ret_options, e);
    if (r != OPTIONS_RUN)
        return r;
    int checked = check(ret_config, e);
    if (checked < 0)
        options_free(TAKE(*ret_options));
    return checked < 0 ? checked : r;
}
