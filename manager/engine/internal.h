#pragma once

/* What the files of this folder need of an engine beyond engine.h. */

#include <sys/queue.h>

#include "manager/engine/engine.h"

/* The pulls under way: pull.c's. */
struct flight;
TAILQ_HEAD(engine_pulls, flight);

struct engine_pulls *engine_pulls(struct engine *engine);
uv_loop_t *engine_loop(const struct engine *engine);
