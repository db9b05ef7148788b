#pragma once

/* What every service's main() does once its options are read. */

#include "common/base/error.h"

enum { EXIT_OK = 0, EXIT_FAILED = 1, EXIT_USAGE = 2 };

struct program {
    const char *name;
    /* Returns the exit status. */
    int (*run)(const void *config);
    /* 0 when the running service is well, else < 0. */
    int (*check_health)(const void *config, struct err *e);
};

/* The exit status. `outcome`: an options_outcome, or < 0 with the message in `e`. */
int program_main(const struct program *program, int outcome, const void *config,
                 const struct err *e);
