#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/check.h"
#include "broker/config.h"
#include "broker/probe.h"
#include "broker/service.h"
#include "common/base/log.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int run(const struct broker_config *config)
{
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    int r = service_run(config, &e);
    if (r >= 0)
        return r == SERVICE_STOPPED ? EXIT_OK : EXIT_FAILED;
    fprintf(stderr, "broker: %s\n", e.msg);
    return r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
}

static int check_health(const struct broker_config *config)
{
    struct err e = {0};

    log_setup(LOG_ERROR, LOG_LOGFMT);
    int r = probe_once(config, &e);
    if (r < 0)
        fprintf(stderr, "broker: %s\n", e.msg);
    return r == 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct broker_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return check_main(argc - 1, argv + 1, environ);
    switch (config_load(argc, argv, environ, &config, &options, &e)) {
    case OPTIONS_RUN:
        return run(&config);
    case OPTIONS_HEALTHCHECK:
        return check_health(&config);
    case OPTIONS_VERSION:
        puts("broker " BELLBUOY_VERSION);
        return EXIT_OK;
    case OPTIONS_EXIT:
        return EXIT_OK;
    default:
        fprintf(stderr, "broker: %s\n", e.msg);
        return EXIT_USAGE;
    }
}
