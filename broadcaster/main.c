#include <stdio.h>
#include <unistd.h>

#include "broadcaster/config.h"
#include "broadcaster/service.h"
#include "common/base/log.h"
#include "common/base/program.h"

static int run(const void *context)
{
    const struct broadcaster_config *config = context;
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    int r = service_run(config, &e);
    if (r < 0)
        fprintf(stderr, "broadcaster: %s\n", e.msg);
    return r == 0 ? EXIT_OK : r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
}

static int check_health(const void *context, struct err *e)
{
    const struct broadcaster_config *config = context;
    return admin_options_healthcheck(&config->admin, e);
}

int main(int argc, char **argv)
{
    static const struct program program = {"broadcaster", run, check_health};
    struct broadcaster_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    int outcome = config_load(argc, argv, environ, &config, &options, &e);
    return program_main(&program, outcome, &config, &e);
}
