#pragma once

/* The last lines of a container's output, for a report: a few, short, and clean text. */

#include "manager/engine/engine.h"

#define TAIL_LINES 20
#define TAIL_SIZE  2048 /* with NUL: of more, the end */

struct tail;

/* `done` comes once, with "" where there is nothing to be had; not before tail_start() has
 * returned. */
MUST_CHECK int tail_start(struct engine *engine, const char *container,
                          void (*done)(void *context, const char *text), void *context,
                          struct tail **ret_tail, struct err *e);
void tail_cancel(struct tail *tail); /* accepts NULL; `done` frees by itself */
