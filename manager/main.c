#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/base/program.h"
#include "manager/config.h"
#include "manager/prepare.h"
#include "manager/preview.h"
#include "manager/service.h"

static int run(const void *context)
{
    const struct manager_config *config = context;
    struct err e = {0};

    log_setup((enum log_level)config->log.level, (enum log_format)config->log.format);
    int r = service_run(config, &e);
    if (r < 0)
        fprintf(stderr, "manager: %s\n", e.msg);
    return r == 0 ? EXIT_OK : r == -ENOMEM ? EXIT_FAILED : EXIT_USAGE;
}

static int check_health(const void *context, struct err *e)
{
    const struct manager_config *config = context;
    return admin_options_healthcheck(&config->admin, e);
}

/* manager plan FILE [OPTION]... */
static int plan_main(int argc, char **argv)
{
    struct manager_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    if (argc < 3 || argv[2][0] == '-') {
        fputs("manager: plan needs the file of a desired state: manager plan FILE [OPTION]...\n",
              stderr);
        return EXIT_USAGE;
    }
    const char *file = argv[2];
    argv[2] = argv[0];
    int outcome = config_load(argc - 2, argv + 2, environ, &config, &options, &e);
    if (outcome == OPTIONS_EXIT)
        return EXIT_OK;
    int r = outcome < 0 ? outcome : preview_run(&config, file, &e);
    if (r < 0)
        fprintf(stderr, "manager: %s\n", e.msg);
    return r == 0 ? EXIT_OK : r == -EIO ? EXIT_FAILED : EXIT_USAGE;
}

/* manager prepare FOLDER UID:GID */
static int prepare_main(int argc, char **argv)
{
    struct err e = {0};

    if (argc != 4) {
        fputs("manager: prepare needs a folder and its new owner: manager prepare FOLDER UID:GID\n",
              stderr);
        return EXIT_USAGE;
    }
    int r = prepare_run(argv[2], argv[3], &e);
    if (r < 0)
        fprintf(stderr, "manager: prepare: %s\n", e.msg);
    return r == 0 ? EXIT_OK : r == -EINVAL ? EXIT_USAGE : EXIT_FAILED;
}

int main(int argc, char **argv)
{
    static const struct program program = {"manager", run, check_health};
    struct manager_config config = {0};
    struct options *options AUTO(options_free) = NULL;
    struct err e = {0};

    if (argc > 1 && strcmp(argv[1], "plan") == 0)
        return plan_main(argc, argv);
    if (argc > 1 && strcmp(argv[1], "prepare") == 0)
        return prepare_main(argc, argv);
    int outcome = config_load(argc, argv, environ, &config, &options, &e);
    return program_main(&program, outcome, &config, &e);
}
