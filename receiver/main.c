#include <unistd.h>

#include "common/base/log.h"
#include "common/base/program.h"
#include "common/http/healthcheck.h"
#include "receiver/config.h"
#include "receiver/service.h"

static int run(const void *context)
{
    const struct receiver_config *config = context;
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    if (service_run(config, &e) < 0) {
        log_error("receiver", "could not start", LOG_STR("reason", e.msg));
        return EXIT_FAILED;
    }
    return EXIT_OK;
}

static int check_health(const void *context, struct err *e)
{
    const struct receiver_config *config = context;
    return healthcheck_run(config->listen_address, (uint16_t)config->port, e);
}

int main(int argc, char **argv)
{
    static const struct program program = {"receiver", run, check_health};
    struct receiver_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    int outcome = config_load(argc, argv, environ, &config, &options, &e);
    return program_main(&program, outcome, &config, &e);
}
