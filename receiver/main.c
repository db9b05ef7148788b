#include <stdio.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/http/healthcheck.h"
#include "receiver/config.h"
#include "receiver/service.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int run(const struct receiver_config *config)
{
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    if (service_run(config, &e) < 0) {
        log_error("receiver", "could not start", LOG_STR("reason", e.msg));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int check_health(const struct receiver_config *config)
{
    struct err e = {0};

    if (healthcheck_run(config->listen_address, (uint16_t)config->port, &e) < 0) {
        fprintf(stderr, "receiver: %s\n", e.msg);
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

int main(int argc, char **argv)
{
    struct receiver_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    switch (config_load(argc, argv, environ, &config, &options, &e)) {
    case OPTIONS_RUN:
        return run(&config);
    case OPTIONS_HEALTHCHECK:
        return check_health(&config);
    case OPTIONS_VERSION:
        puts("receiver " BELLBUOY_VERSION);
        return EXIT_OK;
    case OPTIONS_EXIT:
        return EXIT_OK;
    default:
        fprintf(stderr, "receiver: %s\n", e.msg);
        return EXIT_USAGE;
    }
}
