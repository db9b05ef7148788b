#include "manager/reconcile/pull_watch.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/engine/pull.h"
#include "manager/engine/url.h"

#define PATH_MAX_BYTES 4096

/* An image whose pull has ended, and whose id is asked for. */
struct arrival {
    TAILQ_ENTRY(arrival) link;
    struct pull_watch *watch;
    struct engine_call *call;
    char *reference;
};

struct pull_watch {
    struct pull_watch_settings settings;
    struct engine_call *listing;
    cJSON *before; /* the engine's list of images; NULL: not known */
    TAILQ_HEAD(arrivals, arrival) arrivals;
};

int pull_watch_new(const struct pull_watch_settings *settings, struct pull_watch **ret_watch)
{
    struct pull_watch *watch = calloc(1, sizeof(*watch));

    if (!watch)
        return -ENOMEM;
    watch->settings = *settings;
    TAILQ_INIT(&watch->arrivals);
    *ret_watch = watch;
    return 0;
}

static void arrival_free(struct arrival *arrival)
{
    if (!arrival)
        return;
    engine_cancel(arrival->call);
    free(arrival->reference);
    free(arrival);
}
DEFINE_CLEANUP(struct arrival *, arrival_free);

static void forget(struct pull_watch *watch)
{
    engine_cancel(TAKE(watch->listing));
    cJSON_Delete(TAKE(watch->before));
}

void pull_watch_free(struct pull_watch *watch)
{
    struct arrival *arrival;

    if (!watch)
        return;
    forget(watch);
    while ((arrival = TAILQ_FIRST(&watch->arrivals))) {
        TAILQ_REMOVE(&watch->arrivals, arrival, link);
        arrival_free(arrival);
    }
    free(watch);
}

/* ---- before ---- */

static void on_listed(void *context, const struct engine_reply *reply)
{
    struct pull_watch *watch = context;

    watch->listing = NULL;
    if (!engine_reply_ok(reply) ||
        json_parse(reply->body, reply->size, JSON_MAX_DEPTH, &watch->before, NULL) < 0)
        log_debug("manager", "what is pulled now is not noted as ours: images are not told",
                  LOG_STR("reason", reply->message));
}

static bool goes_on(const struct pull_watch *watch)
{
    return (watch->listing || watch->before) &&
           (pull_is_under_way(watch->settings.engine) || !TAILQ_EMPTY(&watch->arrivals));
}

void pull_watch_begins(struct pull_watch *watch)
{
    const struct engine_request request = {.method = "GET", .path = "/images/json?all=1"};

    if (goes_on(watch))
        return;
    forget(watch);
    if (engine_call(watch->settings.engine, &request, on_listed, watch, &watch->listing) < 0)
        log_debug("manager", "out of memory: what is pulled now is not noted as ours");
}

/* ---- after ---- */

static bool is_new(const struct pull_watch *watch, const char *id)
{
    const cJSON *image;

    cJSON_ArrayForEach(image, watch->before)
    {
        if (str_equal(cJSON_GetStringValue(json_member(image, "Id")), id))
            return false;
    }
    return watch->before != NULL;
}

static void on_inspected(void *context, const struct engine_reply *reply)
{
    AUTO(arrival_free) struct arrival *arrival = context;
    struct pull_watch *watch = arrival->watch;
    AUTO(cJSON_Delete) cJSON *json = NULL;
    const char *id = NULL;

    arrival->call = NULL;
    TAILQ_REMOVE(&watch->arrivals, arrival, link);
    if (engine_reply_ok(reply) &&
        json_parse(reply->body, reply->size, JSON_MAX_DEPTH, &json, NULL) == 0)
        id = cJSON_GetStringValue(json_member(json, "Id"));
    if (id)
        watch->settings.came(watch->settings.context, id, arrival->reference, is_new(watch, id));
    if (TAILQ_EMPTY(&watch->arrivals) && !pull_is_under_way(watch->settings.engine))
        forget(watch);
}

void pull_watch_ended(struct pull_watch *watch, const char *reference)
{
    AUTO(arrival_free) struct arrival *arrival = calloc(1, sizeof(*arrival));
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    buf_append_str(&path, "/images/");
    url_append_path(&path, reference);
    buf_append_str(&path, "/json");
    if (!arrival || buf_failed(&path) || !(arrival->reference = strdup(reference)))
        return;
    arrival->watch = watch;
    const struct engine_request request = {.method = "GET", .path = path.data};
    if (engine_call(watch->settings.engine, &request, on_inspected, arrival, &arrival->call) < 0)
        return;
    TAILQ_INSERT_TAIL(&watch->arrivals, arrival, link);
    TAKE(arrival);
}
