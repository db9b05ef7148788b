#include <stdio.h>
#include <unistd.h>

#include "broadcaster/config.h"
#include "broadcaster/service.h"
#include "common/base/log.h"
#include "common/http/address.h"
#include "common/http/healthcheck.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

static int run(const struct broadcaster_config *config)
{
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    int r = service_run(config, &e);
    if (r < 0)
        fprintf(stderr, "broadcaster: %s\n", e.msg);
    return r == 0 ? EXIT_OK : r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
}

static int check_health(const struct broadcaster_config *config)
{
    struct address address = {0};
    struct err e = {0};
    int r;

    if (config->admin_address[0] == '\0')
        r = FAIL(&e, EINVAL, "there is nobody to ask: --admin-address is empty");
    else
        r = address_parse(config->admin_address, &address, &e);
    if (r == 0)
        r = healthcheck_run(address.host, address.port, &e);
    if (r < 0)
        fprintf(stderr, "broadcaster: %s\n", e.msg);
    return r == 0 ? EXIT_OK : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    struct broadcaster_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    switch (config_load(argc, argv, environ, &config, &options, &e)) {
    case OPTIONS_RUN:
        return run(&config);
    case OPTIONS_HEALTHCHECK:
        return check_health(&config);
    case OPTIONS_VERSION:
        puts("broadcaster " BELLBUOY_VERSION);
        return EXIT_OK;
    case OPTIONS_EXIT:
        return EXIT_OK;
    default:
        fprintf(stderr, "broadcaster: %s\n", e.msg);
        return EXIT_USAGE;
    }
}
