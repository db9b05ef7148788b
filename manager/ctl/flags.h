#pragma once

/* Every option of buoyctl; each command takes some sets of them. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/options.h"
#include "common/mqtt/settings.h"

enum output { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_YAML };
enum color { COLOR_AUTO, COLOR_ALWAYS, COLOR_NEVER };

struct flags {
    struct option_list operands;
    /* connection */
    struct mqtt_options mqtt;
    const char *context, *context_file;
    int64_t connect_timeout_ms;
    const char *kube_service, *kube_context;
    /* output */
    int output; /* enum output */
    int color;  /* enum color */
    /* the document */
    struct option_list files;
    struct option_list env_files;
    const char *project;
    int64_t revision; /* 0: one above what is known */
    /* whom it is about */
    struct option_list nodes;
    const char *group;
    /* policy; "file" is index 0: as the file says */
    int on_failure, drift, orphans;
    bool allow_empty;
    const char *not_before, *expires;
    const char *progress_deadline, *min_free_disk;
    int64_t max_pull_parallel; /* 0: as the file says */
    /* waiting */
    bool wait;
    int64_t timeout_ms;
    /* of one command each */
    bool watch;
    const char *service;
    int64_t tail;
    bool timestamps;
    const char *canary;
    struct option_list then;
    const char *resume;
    bool abort;
};

struct flag_set {
    const char *title;
    const struct option *options;
    size_t count;
};

extern const struct flag_set flags_document, flags_policy, flags_target, flags_project, flags_wait,
    flags_watch, flags_logs, flags_revision, flags_answer, flags_canary, flags_rollouts;
/* What the environment and --config may set as well; the second a part of the connection's. */
extern const struct flag_set flags_output, flags_context;
