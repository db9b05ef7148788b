#pragma once

/* A table of options of each kind, and calls of options_load() for it. */

#include <stdint.h>

#include "common/base/log.h"
#include "common/base/options.h"

struct values {
    const char *url;
    const char *password;
    const char *none;
    int64_t port;
    int64_t count;
    bool fast;
    int64_t age_ms;
    int64_t size_bytes;
    int color;
    struct option_list hosts;
    const char *unused;
};
/* One call of options_load() with all that it needs and gives. */
struct load {
    struct values values;
    struct log_options log;
    struct options *options;
    struct err e;
};
extern const char *const no_environment[]; /* for load_with() */
#define ARGS(...) ((const char *const[]){__VA_ARGS__, NULL})
#define NO_ARGS   ((const char *const[]){NULL})

/* Both end with NULL; the outcome. */
int load_with(struct load *load, const char *const *arguments, const char *const *environment);

/* The configuration file of a run: the group's setup and teardown. */
extern char config_path[];
int config_make(void **state);
int config_remove(void **state);
void config_write(const char *text);
/* Loads from a file with that text. */
int load_config(struct load *load, const char *text);
