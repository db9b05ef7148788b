#pragma once

/*
 * A container's output: GET /containers/{id}/logs, without the frames of 8 bytes that the engine
 * puts before each piece where the container has no terminal (Engine API, "Attach to a container",
 * stream format).
 */

#include "manager/engine/engine.h"

struct logs;

struct logs_settings {
    const char *container; /* id or name */
    int tail;              /* lines; -1: all */
    bool follow;
    bool timestamps;
    size_t max_bytes; /* of what is not followed: the oldest lines are cut; 0: 256 KiB */
    /* Whole lines, without their end, as they come; `is_error`: of stderr. */
    void (*line)(void *context, const char *line, size_t len, bool is_error);
    void (*done)(void *context, const char *error); /* NULL: all is told */
    void *context;
};

MUST_CHECK int logs_start(struct engine *engine, const struct logs_settings *settings,
                          struct logs **ret_logs, struct err *e);
void logs_cancel(struct logs *logs); /* accepts NULL; also frees; `done` frees by itself */
