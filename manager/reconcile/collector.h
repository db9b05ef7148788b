#pragma once

/*
 * Removes images that this manager has pulled and nothing needs any more (garbage.h): now and then
 * those that were unused for a while, and all of them, the longest unused first, where a pull has
 * too little room. Never while anything is pulled, and never by force: what a container was made
 * from stays, whoever's it is.
 *
 * The images of the revision that a rollback would take are kept, too, as long as there is room.
 */

#include "common/base/random.h"
#include "manager/desired/store.h"
#include "manager/engine/engine.h"
#include "manager/reconcile/execute.h"

struct projects;
struct collector;
struct collector_room;

struct collector_settings {
    uv_loop_t *loop;
    struct engine *engine;
    struct store *store;
    const struct random_source *random;
    int64_t interval_ms; /* 0: nothing is ever removed */
    int64_t min_age_ms;  /* unused before it goes, where there is room */
};

/* What it has pulled before comes from the store. -ENOMEM. */
MUST_CHECK int collector_new(const struct collector_settings *settings,
                             struct collector **ret_collector, struct err *e);
/* From now on it looks, and knows by the projects, which are borrowed, what is needed. */
void collector_start(struct collector *collector, const struct projects *projects);
/* Rooms are cancelled before. The loop must run once more. Accepts NULL. */
void collector_free(struct collector *collector);

/* Each step of any project: a pull that begins, and what it has brought. */
void collector_take_step(struct collector *collector, const struct step_news *news);

/* Removes until so much is free (INT64_MAX: all), or nothing is left to remove; then calls `done`,
 * once, and not before it has returned. -ENOMEM. */
MUST_CHECK int collector_make_room(struct collector *collector, int64_t wanted_bytes,
                                   void (*done)(void *context), void *context,
                                   struct collector_room **ret_room);
void collector_cancel(struct collector_room *room); /* accepts NULL; `done` frees by itself */

uint64_t collector_removed(const struct collector *collector); /* images, since the start */
