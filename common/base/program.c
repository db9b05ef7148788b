#include "common/base/program.h"

#include <stdio.h>

#include "common/base/options.h"

static int check_health(const struct program *program, const void *config)
{
    struct err e = {0};

    if (program->check_health(config, &e) == 0)
        return EXIT_OK;
    fprintf(stderr, "%s: %s\n", program->name, e.msg);
    return EXIT_FAILED;
}

int program_main(const struct program *program, int outcome, const void *config,
                 const struct err *e)
{
    switch (outcome) {
    case OPTIONS_RUN:
        return program->run(config);
    case OPTIONS_HEALTHCHECK:
        return check_health(program, config);
    case OPTIONS_VERSION:
        printf("%s %s\n", program->name, BELLBUOY_VERSION);
        return EXIT_OK;
    case OPTIONS_EXIT:
        return EXIT_OK;
    default:
        fprintf(stderr, "%s: %s\n", program->name, e->msg);
        return EXIT_USAGE;
    }
}
