#pragma once

/* Loading in progress, shared by options.c, options_arguments.c and options_config.c; nothing else
 * needs it. */

#include <cjson/cJSON.h>

#include "common/base/arena.h"
#include "common/base/options.h"
#include "common/base/options_value.h"

/* The flags that steer the loading itself. */
struct builtin_options {
    const char *config;
    bool print_config;
    bool help;
    bool version;
};

struct options {
    struct arena arena;
};

/* One option on its way to its value. */
struct setting {
    const struct option *option;
    void *target;
    bool builtin;
    bool flag_only;
    const char *flag; /* NULL: not given */
    const char *variable;
    const cJSON *member;
    const char *member_source; /* "file PATH" */
    const char *source;        /* of the value, for --print-config */
    struct option_value value;
};

struct loader {
    const struct options_program *program;
    struct option_group builtin_group;
    struct builtin_options builtin;
    struct options *options;
    struct setting *settings; /* the builtin ones first */
    size_t count;
    const char *subcommand; /* NULL: none */
    const char **operands;  /* NULL: the program takes none */
    size_t operand_count;
    cJSON *config; /* of --config */
    cJSON *preset; /* of the program's read_preset() */
    struct err *e;
};

/* The setting whose option has this name, or NULL. */
struct setting *loader_find(const struct loader *l, const char *name, size_t len);

int loader_fail_memory(struct loader *l); /* -ENOMEM */

/* Fills `flag` of each setting and `subcommand`. 0, -EINVAL or -ENOMEM. */
MUST_CHECK int options_read_arguments(struct loader *l, int argc, char **argv);

/* Fills `config` from the file and `member` of each setting. 0 or < 0. */
MUST_CHECK int options_read_config(struct loader *l, const char *path);

/* Fills `preset`, and `member` of each setting that has none. 0 or < 0. */
MUST_CHECK int options_read_preset(struct loader *l);
