#pragma once

/*
 * Pulls of images: POST /images/create. One pull for each image at a time, whoever asks; the
 * credentials come from a file like Docker's own config.json ("auths"); a pull without a byte for
 * 120 s, or of 30 min, is ended. What failed is told by its cause, not retried here.
 */

#include "manager/desired/reason.h"
#include "manager/engine/engine.h"

struct pull;

struct pull_progress {
    int64_t current_bytes, total_bytes; /* of all layers known so far; 0: not known yet */
    unsigned layers, layers_done;
};

struct pull_result {
    enum reason_code code;  /* REASON_NONE: done */
    const char *message;    /* the engine's or registry's own words */
    int64_t retry_after_ms; /* as the registry asked; 0: it did not */
};

struct pull_settings {
    const char *image;           /* as in a document */
    const char *platform;        /* NULL: the node's */
    const char *registry_config; /* path; NULL: no credentials */
    int64_t idle_ms, total_ms;   /* 0: 120 s, 30 min */
    void (*progress)(void *context, const struct pull_progress *progress); /* at most 5 a second */
    void (*done)(void *context, const struct pull_result *result);         /* not after a cancel */
    void *context;
};

/* -EINVAL where `image` is no reference of an image or `registry_config` cannot be understood,
 * -ENOMEM, or another error of reading `registry_config`; one that is not there has no credentials.
 */
MUST_CHECK int pull_start(struct engine *engine, const struct pull_settings *settings,
                          struct pull **ret_pull, struct err *e);
void pull_cancel(struct pull *pull); /* accepts NULL; also frees; `done` frees by itself */

/* True while the engine is asked for any image. */
bool pull_is_under_way(struct engine *engine);
