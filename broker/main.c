#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "broker/check.h"
#include "broker/config.h"
#include "broker/probe.h"
#include "broker/service.h"
#include "common/base/log.h"
#include "common/base/program.h"

static int run(const void *context)
{
    const struct broker_config *config = context;
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    int r = service_run(config, &e);
    if (r >= 0)
        return r == SERVICE_STOPPED ? EXIT_OK : EXIT_FAILED;
    fprintf(stderr, "broker: %s\n", e.msg);
    return r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
}

static int check_health(const void *context, struct err *e)
{
    log_setup(LOG_ERROR, LOG_LOGFMT);
    return probe_once(context, e);
}

int main(int argc, char **argv)
{
    static const struct program program = {"broker", run, check_health};
    struct broker_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    if (argc > 1 && strcmp(argv[1], "check") == 0)
        return check_main(argc - 1, argv + 1, environ);
    int outcome = config_load(argc, argv, environ, &config, &options, &e);
    return program_main(&program, outcome, &config, &e);
}
