#pragma once

/* The commands of buoyctl, one table for calling them, for help and for completion. */

#include "manager/ctl/call.h"

#define COMMAND_SETS_MAX 6

struct command {
    const char *name;
    const char *operands; /* "FILE...", for usage; NULL: none are taken */
    const char *summary;  /* one sentence */
    const struct flag_set *sets[COMMAND_SETS_MAX];
    bool offline; /* needs no broker: has no options of a connection */
    size_t operands_min, operands_max;
    /* The exit status. */
    int (*run)(const struct call *call);
};

/* What every command has that needs a broker, beside its own sets: where the broker is, without
 * --client-id, which would be a service's session where the environment names one. */
struct flag_set command_connection_set(void);

extern const struct command commands[];
extern const size_t command_count;

const struct command *command_find(const char *name); /* NULL: none */

/* One file each. */
int apply_run(const struct call *call);
int plan_run(const struct call *call);
int diff_run(const struct call *call);
int status_run(const struct call *call);
int history_run(const struct call *call);
int rollback_run(const struct call *call);
int retry_run(const struct call *call);
int pause_run(const struct call *call);
int resume_run(const struct call *call);
int logs_run(const struct call *call);
int lint_run(const struct call *call);
int doctor_run(const struct call *call);
int config_run(const struct call *call);
int rollouts_run(const struct call *call);
int completion_run(const struct call *call);

/* The whole program. */
int command_main(int argc, char **argv, char **environment);
