#include "manager/reconcile/collector.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "manager/engine/pull.h"
#include "manager/engine/url.h"
#include "manager/reconcile/disk.h"
#include "manager/reconcile/garbage.h"
#include "manager/reconcile/projects.h"
#include "manager/reconcile/pull_watch.h"

#define SOON           24 /* of an interval: the first look, and another where none was possible */
#define PATH_MAX_BYTES 4096
#define REMOVE_MS      300000 /* many layers, on a slow disk */

struct collector_room {
    TAILQ_ENTRY(collector_room) link;
    struct collector *collector;
    int64_t wanted_bytes;
    bool served;
    void (*done)(void *context);
    void *context;
};

/* One look at the engine, and the removals that follow from it. */
struct round {
    bool goes_on, all; /* all: some wait for room */
    struct engine_call *call;
    cJSON *images, *containers;
    struct garbage *garbage; /* refers to the two */
    size_t count, next;
};

struct collector {
    struct collector_settings settings;
    const struct projects *projects; /* NULL: not started */
    struct pulled pulled;
    struct pull_watch *watch;
    uv_timer_t wake; /* for the next look */
    uv_timer_t turn; /* for room, outside of whoever asks for it */
    TAILQ_HEAD(collector_rooms, collector_room) rooms;
    struct round round;
    uint64_t removed;
};

static void begin_round(struct collector *c);
static void remove_next(struct collector *c);

/* ---- what was pulled ---- */

static void save(struct collector *c)
{
    struct err e = {0};

    if (c->pulled.changed && pulled_write(&c->pulled, c->settings.store, &e) < 0)
        log_error("manager", "the list of pulled images could not be stored",
                  LOG_STR("reason", e.msg));
}

/* Another name of an image that is ours is ours, too. */
static void on_came(void *context, const char *id, const char *reference, bool is_new)
{
    struct collector *c = context;

    if (!is_new && !pulled_has(&c->pulled, id))
        return;
    if (pulled_add(&c->pulled, id, reference, clock_wall_us()) < 0)
        log_warning("manager", "a pulled image is not noted, and will not be removed",
                    LOG_STR("image", reference), LOG_INT("noted", c->pulled.count));
    save(c);
}

void collector_take_step(struct collector *c, const struct step_news *news)
{
    if (news->op->kind != OP_PULL)
        return;
    if (news->event == STEP_BEGINS)
        pull_watch_begins(c->watch);
    else if (news->event == STEP_ENDS)
        pull_watch_ended(c->watch, news->op->service->image);
}

uint64_t collector_removed(const struct collector *c)
{
    return c->removed;
}

/* ---- the end of a round ---- */

static void release(struct round *round)
{
    engine_cancel(round->call);
    free(round->garbage);
    cJSON_Delete(round->images);
    cJSON_Delete(round->containers);
    *round = (struct round){0};
}

static struct collector_room *next_served(const struct collector *c)
{
    struct collector_room *room;

    TAILQ_FOREACH(room, &c->rooms, link)
    {
        if (room->served)
            return room;
    }
    return NULL;
}

/* Each may ask for room again, and cancel any, from its function. */
static void tell_rooms(struct collector *c)
{
    struct collector_room *room;

    TAILQ_FOREACH(room, &c->rooms, link)
    {
        room->served = true;
    }
    while ((room = next_served(c))) {
        TAILQ_REMOVE(&c->rooms, room, link);
        room->done(room->context);
        free(room);
    }
}

static void end_round(struct collector *c)
{
    bool was_all = c->round.all;

    release(&c->round);
    save(c);
    if (was_all)
        tell_rooms(c);
    else if (!TAILQ_EMPTY(&c->rooms))
        begin_round(c);
}

static void give_up(struct collector *c, const char *reason)
{
    log_debug("manager", "no images are removed now", LOG_STR("reason", reason));
    end_round(c);
}

/* ---- removing ---- */

static bool has_room(const struct collector *c)
{
    const struct collector_room *room;
    int64_t free_bytes = disk_free_bytes(c->settings.engine);

    TAILQ_FOREACH(room, &c->rooms, link)
    {
        if (free_bytes < room->wanted_bytes) /* or is not known */
            return false;
    }
    return true;
}

static void on_removed(void *context, const struct engine_reply *reply)
{
    struct collector *c = context;
    struct pulled_image *image = c->round.garbage[c->round.next++].image;

    c->round.call = NULL;
    if (reply->status == 0) {
        give_up(c, reply->message);
        return;
    }
    if (engine_reply_ok(reply)) {
        c->removed++;
        log_info("manager", "an image was removed: nothing needs it",
                 LOG_STR("image", image->reference), LOG_STR("id", image->id));
    } else {
        log_debug("manager", "an image stays", LOG_STR("image", image->reference),
                  LOG_STR("reason", reply->message));
    }
    if (engine_reply_ok(reply) || reply->status == 404)
        pulled_remove(&c->pulled, image);
    remove_next(c);
}

static void remove_next(struct collector *c)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    struct round *round = &c->round;

    if (round->next == round->count || (round->all && has_room(c))) {
        end_round(c);
        return;
    }
    if (pull_is_under_way(c->settings.engine)) {
        give_up(c, "an image is being pulled");
        return;
    }
    buf_append_str(&path, "/images/");
    url_append_path(&path, round->garbage[round->next].target);
    const struct engine_request request = {
        .method = "DELETE", .path = path.data, .timeout_ms = REMOVE_MS};
    if (buf_failed(&path) ||
        engine_call(c->settings.engine, &request, on_removed, c, &round->call) < 0)
        give_up(c, "out of memory");
}

/* ---- looking ---- */

static void choose(struct collector *c)
{
    struct round *round = &c->round;
    struct image_names needed = {0};
    const struct garbage_look look = {
        .images = round->images,
        .containers = round->containers,
        .needed = &needed,
        .now_us = clock_wall_us(),
        .min_age_us = round->all ? 0 : c->settings.min_age_ms * 1000,
    };

    projects_add_images(c->projects, !round->all, &needed);
    bool found =
        !needed.failed && garbage_find(&c->pulled, &look, &round->garbage, &round->count) == 0;
    image_names_deinit(&needed);
    if (found)
        remove_next(c);
    else
        give_up(c, "out of memory");
}

/* False: the round is at its end. */
static bool take_list(struct collector *c, const struct engine_reply *reply, cJSON **ret_list)
{
    struct err e = {0};

    c->round.call = NULL;
    if (!engine_reply_ok(reply))
        give_up(c, reply->message);
    else if (json_parse(reply->body, reply->size, JSON_MAX_DEPTH, ret_list, &e) < 0)
        give_up(c, e.msg);
    else
        return true;
    return false;
}

static void ask(struct collector *c, const char *path, engine_done done)
{
    const struct engine_request request = {.method = "GET", .path = path};

    if (engine_call(c->settings.engine, &request, done, c, &c->round.call) < 0)
        give_up(c, "out of memory");
}

static void on_images(void *context, const struct engine_reply *reply)
{
    struct collector *c = context;

    if (take_list(c, reply, &c->round.images))
        choose(c);
}

/* First these: a container that is made in between has an image that a document names. */
static void on_containers(void *context, const struct engine_reply *reply)
{
    struct collector *c = context;

    if (take_list(c, reply, &c->round.containers))
        ask(c, "/images/json?all=1&digests=1", on_images);
}

static void begin_round(struct collector *c)
{
    c->round = (struct round){.goes_on = true, .all = !TAILQ_EMPTY(&c->rooms)};
    ask(c, "/containers/json?all=1", on_containers);
}

/* Why no round can begin now; NULL: it can. */
static const char *obstacle(const struct collector *c)
{
    if (c->settings.interval_ms == 0 || !c->projects)
        return "it is switched off";
    if (TAILQ_EMPTY(&c->pulled.images))
        return "none was pulled";
    if (engine_state(c->settings.engine) != ENGINE_UP)
        return "the engine does not answer";
    return pull_is_under_way(c->settings.engine) ? "an image is being pulled" : NULL;
}

/* ---- when ---- */

static void on_wake(uv_timer_t *timer)
{
    struct collector *c = timer->data;
    int64_t ms = c->settings.interval_ms;
    bool can = !c->round.goes_on && !obstacle(c);

    /* Spread, lest all nodes do it at once. */
    ms = can ? random_between(c->settings.random, ms - ms / 8, ms) : ms / SOON + 1;
    uv_timer_start(&c->wake, on_wake, (uint64_t)ms, 0);
    if (can)
        begin_round(c);
}

void collector_start(struct collector *c, const struct projects *projects)
{
    int64_t ms = c->settings.interval_ms;

    c->projects = projects;
    if (ms > 0)
        uv_timer_start(&c->wake, on_wake,
                       (uint64_t)random_between(c->settings.random, 1, ms / SOON + 1), 0);
}

static void on_turn(uv_timer_t *timer)
{
    struct collector *c = timer->data;
    const char *reason = obstacle(c);

    if (c->round.goes_on)
        return; /* its end goes on with this */
    if (reason) {
        log_debug("manager", "no images are removed for room", LOG_STR("reason", reason));
        tell_rooms(c);
        return;
    }
    begin_round(c);
}

int collector_make_room(struct collector *c, int64_t wanted_bytes, void (*done)(void *context),
                        void *context, struct collector_room **ret_room)
{
    struct collector_room *room = calloc(1, sizeof(*room));

    if (!room)
        return -ENOMEM;
    *room = (struct collector_room){
        .collector = c, .wanted_bytes = wanted_bytes, .done = done, .context = context};
    TAILQ_INSERT_TAIL(&c->rooms, room, link);
    uv_timer_start(&c->turn, on_turn, 0, 0);
    *ret_room = room;
    return 0;
}

void collector_cancel(struct collector_room *room)
{
    if (!room)
        return;
    TAILQ_REMOVE(&room->collector->rooms, room, link);
    free(room);
}

/* ---- beginning and end ---- */

int collector_new(const struct collector_settings *settings, struct collector **ret_collector,
                  struct err *e)
{
    struct collector *c = calloc(1, sizeof(*c));
    const struct pull_watch_settings watch = {settings->engine, on_came, c};

    if (!c || pull_watch_new(&watch, &c->watch) < 0) {
        free(c);
        return FAIL(e, ENOMEM, "out of memory");
    }
    c->settings = *settings;
    TAILQ_INIT(&c->rooms);
    pulled_init(&c->pulled);
    if (pulled_read(&c->pulled, settings->store, e) < 0)
        log_warning("manager", "images that were pulled before will not be removed: no list",
                    LOG_STR("reason", e->msg));
    uv_timer_init(settings->loop, &c->wake);
    uv_timer_init(settings->loop, &c->turn);
    c->wake.data = c->turn.data = c;
    *ret_collector = c;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct collector *c = handle->data;

    if (handle == (uv_handle_t *)&c->wake) {
        uv_close((uv_handle_t *)&c->turn, on_closed);
        return;
    }
    free(c);
}

void collector_free(struct collector *c)
{
    if (!c)
        return;
    release(&c->round);
    pull_watch_free(c->watch);
    pulled_deinit(&c->pulled);
    uv_timer_stop(&c->turn);
    uv_close((uv_handle_t *)&c->wake, on_closed);
}
