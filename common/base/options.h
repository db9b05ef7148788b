#pragma once

/*
 * One table of knobs serves flags, environment, configuration file and --help. Precedence: flag,
 * environment (BELLBUOY_ + name in capitals, '-' as '_'), JSON file given by --config (name with
 * '_'), default. Everything is checked before any socket opens. A wrong value is an error that
 * names the option, the source, the value and the range; an unknown flag or configuration key names
 * the nearest known one. Unknown BELLBUOY_* variables are left alone: several services share the
 * prefix, and Kubernetes makes such names for a Service called bellbuoy.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include <cjson/cJSON.h>

#include "common/base/error.h"

enum option_type {
    OPTION_STRING,   /* const char *; NULL when neither given nor defaulted */
    OPTION_INTEGER,  /* int64_t within [min, max] */
    OPTION_BOOLEAN,  /* bool; a flag without value is true; true|false|1|0|yes|no */
    OPTION_DURATION, /* int64_t milliseconds; "90s", "500ms", "15m", "12h", "30d", 0 */
    OPTION_SIZE,     /* int64_t bytes; "1GB" (10^9), "256KiB" (2^18), "4096" */
    OPTION_CHOICE,   /* int: the index in `choices` */
    OPTION_LIST,     /* struct option_list: comma-separated, blanks around items dropped */
};

struct option_list {
    const char *const *items; /* NULL-terminated; never NULL */
    size_t count;
};

struct option {
    const char *name; /* "broker-url" */
    enum option_type type;
    size_t offset;        /* of the value in the group's target */
    const char *fallback; /* default as text; NULL: none */
    int64_t min, max; /* OPTION_INTEGER, OPTION_DURATION, OPTION_SIZE; both 0: no bound but >= 0 */
    const char *const *choices; /* OPTION_CHOICE, NULL-terminated */
    const char *value_name;     /* for --help: "URL", "FILE", "N" */
    const char *help;           /* one sentence; the unit where it has one */
    bool secret;                /* masked in --print-config */
    char letter;                /* 'f': -f is the same flag; '\0': none */
};

struct option_group {
    const char *title; /* heading in --help */
    const struct option *options;
    size_t count;
    void *target; /* the struct that `offset` refers to */
};

struct options; /* owns every string that the targets point to */

enum options_outcome {
    OPTIONS_RUN = 0,         /* all values are in the targets */
    OPTIONS_EXIT = 1,        /* --help or --print-config was served on stdout: exit 0 */
    OPTIONS_VERSION = 2,     /* `version` or --version */
    OPTIONS_HEALTHCHECK = 3, /* `healthcheck`: values are in the targets */
};

struct options_program {
    const char *name;    /* "receiver" */
    const char *summary; /* one sentence for --help */
    const struct option_group *groups;
    size_t group_count;
    /* A command line tool's; a service leaves them NULL and has its subcommands instead. */
    const char *usage;                /* "buoyctl lint [OPTION]... FILE...", for --help */
    struct option_list *ret_operands; /* gets what is no option; after "--" all is such */
    size_t flag_group_count; /* so many groups, the first, are what one call is about: flags only */
    /*
     * Members, named as in the file of --config, that count where an option was not given in any
     * other way; asked for once the first group after those has its values. 0 with *ret_members as
     * it was, or an object that options_load frees and where it is from; or < 0.
     */
    int (*read_preset)(const void *group_target, cJSON **ret_members, const char **ret_source,
                       struct err *e);
};

/*
 * Reads all sources in order and fills the targets. Returns an options_outcome, or < 0 (-EINVAL,
 * -ENOMEM, the errno of the configuration file) with the message for stderr (the caller exits 2).
 * *ret_options is set on every outcome >= 0.
 */
MUST_CHECK int options_load(const struct options_program *program, int argc, char **argv,
                            char **environment, struct options **ret_options, struct err *e);
void options_free(struct options *options);
DEFINE_CLEANUP(struct options *, options_free);

/* Parsers of the value forms above, for other users: 0 or -EINVAL / -ERANGE. */
MUST_CHECK int option_parse_duration_ms(const char *text, int64_t *ret_ms);
MUST_CHECK int option_parse_size_bytes(const char *text, int64_t *ret_bytes);

/* The group that every service has: --log-level, --log-format (--config, --print-config, --help and
 * --version are built in). */
struct log_options {
    int level;  /* enum log_level */
    int format; /* enum log_format */
};
extern const struct option log_option_table[];
extern const size_t log_option_count;
