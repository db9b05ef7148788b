#pragma once

/*
 * An ordinary compose.yaml as Compose's long JSON, which is what goes on the wire: for the keys
 * that a node takes, the result equals what `docker compose config --format json` prints, but that
 * a `$` stays one `$`, and that a service keeps its x-*.
 *
 * Short syntax, interpolation, `.env`, env_file, anchors, `<<` and several files are resolved here.
 * What a node does not take (build, extends, include, profiles and more) is refused with what to do
 * instead. Errors begin with FILE:LINE:COLUMN and name the key.
 */

#include <cjson/cJSON.h>

#include "common/base/error.h"

#define COMPOSE_MAX_BYTES (1 << 20) /* of a file */

/* What a person said; NULL means Compose's own rule. Arrays end with NULL. */
struct compose_settings {
    const char *const *files;     /* merged in this order; else COMPOSE_FILE, else compose.yaml and
                                     the like in working_dir or above, and its override */
    const char *project_name;     /* else COMPOSE_PROJECT_NAME, `name:`, the folder's name */
    const char *working_dir;      /* else the first file's folder */
    const char *const *env_files; /* else working_dir/.env, if it is there */
    const char *const *environment; /* NAME=VALUE, as environ */
};

struct compose_project {
    char *name;
    cJSON *model; /* name, services, networks, volumes, secrets, configs, and the top level's x-* */
    cJSON *warnings; /* array of sentences, such as of variables that are not set */
};

/* 0; -EINVAL for what the files say, -ENOENT and others for those that cannot be read, -ENOMEM. */
MUST_CHECK int compose_load(const struct compose_settings *settings,
                            struct compose_project **ret_project, struct err *e);
void compose_project_free(struct compose_project *project);
DEFINE_CLEANUP(struct compose_project *, compose_project_free);
