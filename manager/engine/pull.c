#include "manager/engine/pull.h"

#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/engine/image_ref.h"
#include "manager/engine/internal.h"
#include "manager/engine/json_lines.h"
#include "manager/engine/pull_failure.h"
#include "manager/engine/pull_layers.h"
#include "manager/engine/registry_auth.h"
#include "manager/engine/url.h"

#define IDLE_MS            120000
#define TOTAL_MS           1800000
#define PROGRESS_PERIOD_MS 200
#define PATH_MAX_BYTES     4096
#define AUTH_MAX_BYTES     16000
#define MESSAGE_MAX        8192

/* One call to the engine, which any number of pulls of the same image and platform wait for. */
struct flight {
    TAILQ_ENTRY(flight) link;
    TAILQ_HEAD(pulls, pull) pulls;
    struct engine_pulls *flights; /* it is in; NULL: ended */
    struct engine_call *call;
    char *path;
    struct json_lines lines;
    struct pull_layers layers;
    struct buf error; /* what the stream has said of a failure */
    int64_t last_progress_ms;
    bool feeding; /* on the stack: freed later */
    bool abandoned;
};

struct pull {
    TAILQ_ENTRY(pull) link;
    struct flight *flight;
    struct pull_settings settings; /* callbacks and context only */
    bool told;
};

static void flight_free(struct flight *flight)
{
    if (!flight)
        return;
    json_lines_deinit(&flight->lines);
    buf_deinit(&flight->error);
    free(flight->path);
    free(flight);
}
DEFINE_CLEANUP(struct flight *, flight_free);

static void leave(struct flight *flight)
{
    if (flight->flights)
        TAILQ_REMOVE(flight->flights, flight, link);
    flight->flights = NULL;
}

/* ---- progress ---- */

static struct pull *next_untold(struct flight *flight)
{
    struct pull *pull;

    TAILQ_FOREACH(pull, &flight->pulls, link)
    {
        if (!pull->told)
            return pull;
    }
    return NULL;
}

/* Each may cancel any from its function. */
static void tell_progress(struct flight *flight)
{
    struct pull_progress progress;
    struct pull *pull;

    pull_layers_sum(&flight->layers, &progress);
    TAILQ_FOREACH(pull, &flight->pulls, link)
    {
        pull->told = !pull->settings.progress;
    }
    while ((pull = next_untold(flight))) {
        pull->told = true;
        pull->settings.progress(pull->settings.context, &progress);
    }
}

static void take_failure(struct flight *flight, const cJSON *message)
{
    const char *text;

    /* Of an image for one platform alone, the engine says so and calls it a success. */
    bool is_failure = json_get_string(message, "", "error", &text, NULL) == 0 ||
                      (json_get_string(message, "", "status", &text, NULL) == 0 &&
                       str_starts_with(text, "WARNING:") && pull_failure_code(text) == REASON_ARCH);
    if (!is_failure)
        return;
    buf_reset(&flight->error);
    buf_append_str(&flight->error, text);
}

static void on_message(void *context, const cJSON *message)
{
    struct flight *flight = context;
    int64_t now_ms = clock_monotonic_ms();

    if (!pull_layers_take(&flight->layers, message)) {
        take_failure(flight, message);
        return;
    }
    if (flight->last_progress_ms && now_ms - flight->last_progress_ms < PROGRESS_PERIOD_MS)
        return;
    flight->last_progress_ms = now_ms;
    tell_progress(flight);
}

static void on_data(void *context, const char *bytes, size_t size)
{
    struct flight *flight = context;

    flight->feeding = true;
    json_lines_feed(&flight->lines, bytes, size);
    flight->feeding = false;
    if (flight->abandoned)
        flight_free(flight);
}

/* ---- the end ---- */

static void judge(const struct flight *flight, const struct engine_reply *reply,
                  struct pull_result *ret_result)
{
    struct pull_result result = {.code = REASON_NONE, .message = ""};

    if (reply->status == 0 && !reply->timed_out) {
        result.code = REASON_ENGINE_DOWN;
        result.message = reply->message;
    } else if (reply->status == 0) {
        result.code = REASON_PULL_NETWORK;
        result.message = reply->message;
    } else if (!engine_reply_ok(reply) || flight->error.len > 0) {
        result.message = flight->error.len > 0 ? flight->error.data : reply->message;
        result.code = pull_failure_code(result.message);
        result.retry_after_ms = pull_failure_retry_after_ms(result.message);
    }
    *ret_result = result;
}

static void on_done(void *context, const struct engine_reply *reply)
{
    AUTO(flight_free) struct flight *flight = context;
    struct pull_result result;
    struct pull *pull;

    flight->call = NULL;
    leave(flight);
    judge(flight, reply, &result);
    if (result.code == REASON_NONE && flight->layers.count > 0)
        tell_progress(flight);
    while ((pull = TAILQ_FIRST(&flight->pulls))) {
        TAILQ_REMOVE(&flight->pulls, pull, link);
        pull->settings.done(pull->settings.context, &result);
        free(pull);
    }
}

void pull_cancel(struct pull *pull)
{
    if (!pull)
        return;
    struct flight *flight = pull->flight;
    TAILQ_REMOVE(&flight->pulls, pull, link);
    free(pull);
    /* Another waits, or on_done() is on the stack. */
    if (!TAILQ_EMPTY(&flight->pulls) || !flight->flights)
        return;
    leave(flight);
    engine_cancel(TAKE(flight->call));
    json_lines_stop(&flight->lines);
    flight->abandoned = true;
    if (!flight->feeding)
        flight_free(flight);
}

/* ---- the begin ---- */

/* Without a tag the engine would pull all of them. */
static void append_path(struct buf *path, const struct image_ref *ref, const char *platform)
{
    buf_append_str(path, "/images/create?fromImage=");
    url_append(path, ref->registry);
    url_append(path, "/");
    url_append(path, ref->path);
    buf_append_str(path, "&tag=");
    url_append(path, ref->digest[0] ? ref->digest : ref->tag);
    if (platform) {
        buf_append_str(path, "&platform=");
        url_append(path, platform);
    }
}

static int call_engine(struct engine *engine, struct flight *flight,
                       const struct pull_settings *settings, const char *auth)
{
    const struct engine_request request = {
        .method = "POST",
        .path = flight->path,
        .registry_auth = auth,
        .idle_ms = settings->idle_ms ? settings->idle_ms : IDLE_MS,
        .timeout_ms = settings->total_ms ? settings->total_ms : TOTAL_MS,
    };

    return engine_stream(engine, &request, on_data, on_done, flight, &flight->call);
}

static int flight_start(struct engine *engine, const struct pull_settings *settings,
                        const struct image_ref *ref, const char *path, struct flight **ret_flight,
                        struct err *e)
{
    AUTO(flight_free) struct flight *flight = calloc(1, sizeof(*flight));
    AUTO(buf_deinit) struct buf auth = BUF_INIT(AUTH_MAX_BYTES);
    int r = REGISTRY_AUTH_NONE;

    if (!flight || !(flight->path = strdup(path)))
        return FAIL(e, ENOMEM, "out of memory");
    TAILQ_INIT(&flight->pulls);
    flight->error = BUF_INIT(MESSAGE_MAX);
    json_lines_init(&flight->lines, on_message, flight);
    if (settings->registry_config)
        r = registry_auth_find(settings->registry_config, ref, &auth, e);
    if (r < 0)
        return r;
    if (call_engine(engine, flight, settings, r == 0 ? auth.data : NULL) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    flight->flights = engine_pulls(engine);
    TAILQ_INSERT_TAIL(flight->flights, flight, link);
    *ret_flight = TAKE(flight);
    return 0;
}

static struct flight *find_flight(struct engine *engine, const char *path)
{
    struct flight *flight;

    TAILQ_FOREACH(flight, engine_pulls(engine), link)
    {
        if (str_equal(flight->path, path))
            return flight;
    }
    return NULL;
}

int pull_start(struct engine *engine, const struct pull_settings *settings, struct pull **ret_pull,
               struct err *e)
{
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    AUTO(free) struct pull *pull = calloc(1, sizeof(*pull));
    struct image_ref ref;

    int r = image_ref_parse(settings->image, &ref, e);
    if (r < 0)
        return r;
    append_path(&path, &ref, settings->platform);
    if (!pull || buf_failed(&path))
        return FAIL(e, ENOMEM, "out of memory");
    pull->settings = *settings;
    pull->flight = find_flight(engine, path.data);
    if (!pull->flight)
        r = flight_start(engine, settings, &ref, path.data, &pull->flight, e);
    if (r < 0)
        return r;
    TAILQ_INSERT_TAIL(&pull->flight->pulls, pull, link);
    *ret_pull = TAKE(pull);
    return 0;
}

bool pull_is_under_way(struct engine *engine)
{
    return !TAILQ_EMPTY(engine_pulls(engine));
}
