#include "broadcaster/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#define AT(member) offsetof(struct broadcaster_config, member)

static const struct option messages_table[] = {
    {.name = "profile",
     .type = OPTION_CHOICE,
     .offset = AT(profile_index),
     .fallback = "hello",
     .choices = profile_names,
     .value_name = "NAME",
     .help = "What to play: hello (1 to 10 s apart, at random), events, or charger (sessions)."},
    {.name = "source",
     .type = OPTION_STRING,
     .offset = AT(source),
     .value_name = "NAME",
     .help = "The machine's name (default: the host's name)."},
    {.name = "sources",
     .type = OPTION_INTEGER,
     .offset = AT(sources),
     .fallback = "1",
     .min = 1,
     .max = 1000000,
     .value_name = "N",
     .help = "Plays N machines, NAME-1 to NAME-N."},
    {.name = "rate",
     .type = OPTION_INTEGER,
     .offset = AT(rate),
     .fallback = "0",
     .min = 0,
     .max = 1000000,
     .value_name = "N",
     .help = "For load: messages a second of all sources; 0 keeps the profile's own times."},
    {.name = "period-ms",
     .type = OPTION_INTEGER,
     .offset = AT(times.period_ms),
     .fallback = "200",
     .min = 1,
     .max = 86400000,
     .value_name = "MS",
     .help = "Time between two messages of a source, profile events."},
    {.name = "session-period-ms",
     .type = OPTION_INTEGER,
     .offset = AT(times.session_period_ms),
     .fallback = "60000",
     .min = 1,
     .max = 86400000,
     .value_name = "MS",
     .help = "Time between two sessions of a source, profile charger."},
};

static const struct option delivery_table[] = {
    {.name = "outbox-messages",
     .type = OPTION_INTEGER,
     .offset = AT(outbox_messages),
     .fallback = "100000",
     .min = 1,
     .max = 10000000,
     .value_name = "N",
     .help = "Messages kept for a broker that is away; beyond it new ones are counted and lost."},
    {.name = "republish-window-ms",
     .type = OPTION_INTEGER,
     .offset = AT(republish_window_ms),
     .fallback = "5000",
     .min = 0,
     .max = 3600000,
     .value_name = "MS",
     .help = "What was acknowledged this recently is published again when a connection was lost."},
    {.name = "ledger",
     .type = OPTION_STRING,
     .offset = AT(ledger),
     .value_name = "FILE",
     .help = "Appends a line '<source> <id>' for each message that the broker acknowledged."},
};

/* What is safe in a URI's path segment (RFC 3986, section 2.3) without escaping. */
static int check_source(const char *name, struct err *e)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"
                              "-._~");
    if (len == 0 || len >= SOURCE_NAME_SIZE || name[len] != '\0')
        return FAIL(e, EINVAL,
                    "--source '%.120s' must have 1 to %d characters of letters, digits, '-', '.', "
                    "'_' and '~'",
                    name, SOURCE_NAME_SIZE - 1);
    return 0;
}

static int fill_source(struct broadcaster_config *config, struct err *e)
{
    if (config->source)
        return check_source(config->source, e);
    if (gethostname(config->host_name, sizeof(config->host_name)) < 0 ||
        check_source(config->host_name, NULL) < 0)
        return FAIL(e, EINVAL, "the host's name is no name for a machine: give --source");
    config->source = config->host_name;
    return 0;
}

static void fill_client_id(struct broadcaster_config *config)
{
    char level[TOPIC_LEVEL_SIZE];

    if (config->mqtt.client_id)
        return;
    topic_level_format(level, config->source);
    (void)snprintf(config->client_id, sizeof(config->client_id), "bellbuoy-broadcaster-%s", level);
    config->mqtt.client_id = config->client_id;
}

static int check(struct broadcaster_config *config, struct err *e)
{
    config->profile = profile_at(config->profile_index);
    int r = fill_source(config, e);
    if (r < 0)
        return r;
    fill_client_id(config);
    r = mqtt_options_check(&config->mqtt, &config->mqtt_address, e);
    if (r == 0)
        r = admin_options_check(&config->admin, e);
    return r;
}

int config_load(int argc, char **argv, char **environment, struct broadcaster_config *ret_config,
                struct options **ret_options, struct err *e)
{
    const struct option_group groups[] = {
        {"Messages", messages_table, ARRAY_SIZE(messages_table), ret_config},
        {"Delivery", delivery_table, ARRAY_SIZE(delivery_table), ret_config},
        {"Broker", mqtt_option_table, mqtt_option_count, &ret_config->mqtt},
        {"Administration", admin_option_table, admin_option_count, &ret_config->admin},
        {"Log", log_option_table, log_option_count, &ret_config->log},
    };
    const struct options_program program = {
        .name = "broadcaster",
        .summary = "Plays machines that say hello, report events or charge cars, over MQTT.",
        .groups = groups,
        .group_count = ARRAY_SIZE(groups),
    };

    int r = options_load(&program, argc, argv, environment, ret_options, e);
    if (r != OPTIONS_RUN && r != OPTIONS_HEALTHCHECK)
        return r;
    int checked = check(ret_config, e);
    if (checked < 0)
        options_free(TAKE(*ret_options));
    return checked < 0 ? checked : r;
}
