#pragma once

/*
 * Finds out what our pulls bring: the image's id, and whether the engine had it before the first of
 * those that go on at the same time, under whatever name or none. One whose pull ends in the moment
 * of a power cut is not told.
 */

#include "manager/engine/engine.h"

struct pull_watch;

struct pull_watch_settings {
    struct engine *engine;
    /* It was pulled; `is_new` false also where that is not known. */
    void (*came)(void *context, const char *id, const char *reference, bool is_new);
    void *context;
};

/* -ENOMEM */
MUST_CHECK int pull_watch_new(const struct pull_watch_settings *settings,
                              struct pull_watch **ret_watch);
void pull_watch_free(struct pull_watch *watch); /* accepts NULL */

/* Right before the engine is asked for it. */
void pull_watch_begins(struct pull_watch *watch);
/* Well; others are not told. */
void pull_watch_ended(struct pull_watch *watch, const char *reference);
