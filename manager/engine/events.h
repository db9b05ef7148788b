#pragma once

/*
 * The engine's events of containers, networks and images (GET /events), as a hint that something
 * changed, and no more: after each break of the stream all must be listed again.
 */

#include "manager/engine/engine.h"

struct events;

struct events_settings {
    struct engine *engine;
    /* `type` "container", `action` "die", `id`, and the container's project label or "". */
    void (*event)(void *context, const char *type, const char *action, const char *id,
                  const char *project);
    /* The stream is there (again): list now. It is subscribed before this is called, so that
     * nothing is missed between. */
    void (*ready)(void *context);
    void *context;
};

MUST_CHECK int events_new(const struct events_settings *settings, struct events **ret_events,
                          struct err *e);
void events_engine_up(struct events *events); /* from engine_settings.changed */
/* By uv_close: the loop must run once more. Accepts NULL. */
void events_free(struct events *events);
