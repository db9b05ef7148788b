#include "broker/config.h"

#include <stddef.h>
#include <string.h>
#include <unistd.h>

#define AT(member) offsetof(struct broker_config, member)

static const struct option mosquitto_table[] = {
    {.name = "mosquitto",
     .type = OPTION_STRING,
     .offset = AT(mosquitto),
     .fallback = "/usr/sbin/mosquitto",
     .value_name = "FILE",
     .help = "The program to run."},
    {.name = "conf",
     .type = OPTION_STRING,
     .offset = AT(conf),
     .fallback = "/etc/bellbuoy/broker/mosquitto.conf",
     .value_name = "FILE",
     .help = "Its settings; they should log to stderr, without times."},
    {.name = "health-url",
     .type = OPTION_STRING,
     .offset = AT(health_url),
     .fallback = "mqtt://127.0.0.1:1883",
     .value_name = "URL",
     .help = "The listener where a login without certificate shows that it answers."},
};

static const struct option certificates_table[] = {
    {.name = "ca-file",
     .type = OPTION_STRING,
     .offset = AT(files.authority),
     .fallback = "/etc/bellbuoy/tls/ca.crt",
     .value_name = "FILE",
     .help = "The authority that clients must have a certificate of; a change restarts Mosquitto."},
    {.name = "cert-file",
     .type = OPTION_STRING,
     .offset = AT(files.certificate),
     .fallback = "/etc/bellbuoy/tls/tls.crt",
     .value_name = "FILE",
     .help = "The broker's own certificate, with its chain; empty for a broker without TLS."},
    {.name = "key-file",
     .type = OPTION_STRING,
     .offset = AT(files.key),
     .fallback = "/etc/bellbuoy/tls/tls.key",
     .value_name = "FILE",
     .help = "Its key, without a passphrase; a change of either is loaded without a restart."},
};

static int check(struct broker_config *config, struct err *e)
{
    if (mqtt_url_parse(config->health_url, &config->health_address, NULL) < 0 ||
        config->health_address.tls)
        return FAIL(e, EINVAL, "--health-url '%s' must be mqtt://HOST[:PORT]", config->health_url);
    return admin_options_check(&config->admin, e);
}

int config_load(int argc, char **argv, char **environment, struct broker_config *ret_config,
                struct options **ret_options, struct err *e)
{
    const struct option_group groups[] = {
        {"Mosquitto", mosquitto_table, ARRAY_SIZE(mosquitto_table), ret_config},
        {"Certificates", certificates_table, ARRAY_SIZE(certificates_table), ret_config},
        {"Administration", admin_option_table, admin_option_count, &ret_config->admin},
        {"Log", log_option_table, log_option_count, &ret_config->log},
    };
    const struct options_program program = {
        .name = "broker",
        .summary = "Runs Mosquitto, and has it use certificates that were renewed.",
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
