#include "manager/engine/engine.h"

#include <assert.h>
#include <curl/curl.h>
#include <libgen.h>
#include <stdio.h>
#include <string.h>
#include <sys/un.h>

#include "common/base/random.h"
#include "common/base/str.h"
#include "manager/engine/identity.h"
#include "manager/engine/internal.h"
#include "manager/engine/transport.h"

#define BACKOFF_BASE_MS 250
#define BACKOFF_CAP_MS  30000
#define REASON_SIZE     (sizeof(((struct err *)0)->msg))
#define VERSION_SIZE    16

struct engine {
    struct engine_settings settings;
    char *folder; /* of the socket */
    char *file;
    struct transport *transport;
    enum engine_state state;
    char reason[REASON_SIZE];  /* while down */
    struct identity identity;  /* while up */
    struct identity candidate; /* while it is asked */
    struct engine_call *asking;
    unsigned attempt;
    uv_timer_t retry;
    uv_fs_event_t watch; /* on the folder, while down */
    struct engine_pulls pulls;
    uint64_t writes;
    bool stopped;
};

static void ask(struct engine *engine);

/* ---- the state ---- */

static void announce(struct engine *engine, enum engine_state state, const char *reason)
{
    engine->state = state;
    (void)snprintf(engine->reason, sizeof(engine->reason), "%s", reason);
    if (state == ENGINE_DOWN)
        engine->identity = (struct identity){0};
    engine->settings.changed(engine->settings.context, state, engine->reason);
}

static void on_folder_change(uv_fs_event_t *watch, const char *name, int events, int status)
{
    struct engine *engine = watch->data;

    (void)events;
    if (status < 0 || (name && !str_equal(name, engine->file)) || engine->asking)
        return;
    engine->attempt = 0;
    ask(engine);
}

static void on_retry(uv_timer_t *timer)
{
    ask(timer->data);
}

static void failed(struct engine *engine, const char *reason)
{
    int64_t wait_ms =
        random_backoff_ms(&random_kernel, engine->attempt, BACKOFF_BASE_MS, BACKOFF_CAP_MS);

    engine->attempt++;
    uv_timer_start(&engine->retry, on_retry, (uint64_t)wait_ms, 0);
    /* The folder may not be there yet: the timer looks again. */
    if (!uv_is_active((uv_handle_t *)&engine->watch))
        uv_fs_event_start(&engine->watch, on_folder_change, engine->folder, 0);
    if (engine->state == ENGINE_UP || !str_equal(engine->reason, reason))
        announce(engine, ENGINE_DOWN, reason);
}

static void succeeded(struct engine *engine)
{
    bool was_up = engine->state == ENGINE_UP;

    engine->attempt = 0;
    uv_fs_event_stop(&engine->watch);
    if (was_up && identity_equal(&engine->identity, &engine->candidate))
        return;
    if (was_up)
        announce(engine, ENGINE_DOWN, "another engine answers there now");
    if (engine->stopped)
        return;
    engine->identity = engine->candidate;
    announce(engine, ENGINE_UP, "");
}

/* ---- asking who is there ---- */

/* The first answer is waited for shortly, so that the reason is told soon; then longer, so that an
 * engine that hung is heard as soon as it wakes. */
static int64_t patience_ms(const struct engine *engine)
{
    bool is_first = engine->state == ENGINE_UP || engine->attempt == 0;

    return is_first ? engine->settings.answer_ms : ENGINE_TIMEOUT_MS;
}

static void ask_for(struct engine *engine, const char *version, const char *path, engine_done done)
{
    const struct engine_request request = {
        .method = "GET", .path = path, .timeout_ms = patience_ms(engine)};

    engine->asking = NULL;
    if (transport_send(engine->transport, version, &request, NULL, done, engine, &engine->asking) <
        0)
        failed(engine, "out of memory");
}

static void on_info(void *context, const struct engine_reply *reply)
{
    struct engine *engine = context;
    struct err e;

    engine->asking = NULL;
    if (!engine_reply_ok(reply))
        failed(engine, reply->message);
    else if (identity_parse_info(reply->body, reply->size, &engine->candidate, &e) < 0)
        failed(engine, e.msg);
    else
        succeeded(engine);
}

static void format_version(const struct identity *identity, char version[static VERSION_SIZE])
{
    (void)snprintf(version, VERSION_SIZE, "/v1.%d", identity->api_minor);
}

static void on_version(void *context, const struct engine_reply *reply)
{
    struct engine *engine = context;
    char version[VERSION_SIZE];
    struct err e;

    engine->asking = NULL;
    if (!engine_reply_ok(reply)) {
        failed(engine, reply->message);
    } else if (identity_parse_version(reply->body, reply->size, &engine->candidate, &e) < 0) {
        failed(engine, e.msg);
    } else {
        format_version(&engine->candidate, version);
        ask_for(engine, version, "/info", on_info);
    }
}

static void ask(struct engine *engine)
{
    uv_timer_stop(&engine->retry);
    ask_for(engine, "", "/version", on_version);
}

/* A call had no reply: the engine may be gone, hang, or be another one by now. */
static void on_unanswered(void *context)
{
    struct engine *engine = context;

    if (engine->state == ENGINE_UP && !engine->asking)
        ask(engine);
}

/* ---- life ---- */

static int split_path(struct engine *engine, const char *socket, struct err *e)
{
    AUTO(free) char *for_folder = strdup(socket);
    AUTO(free) char *for_file = strdup(socket);

    if (for_folder && for_file) {
        engine->folder = strdup(dirname(for_folder));
        engine->file = strdup(basename(for_file));
    }
    return engine->folder && engine->file ? 0 : FAIL(e, ENOMEM, "out of memory");
}

static int check_path(const char *socket, struct err *e)
{
    struct sockaddr_un address;

    if (socket[0] != '/')
        return FAIL(e, EINVAL, "the engine's socket must be an absolute path, it is '%s'", socket);
    if (strlen(socket) >= sizeof(address.sun_path))
        return FAIL(e, EINVAL, "the path of the engine's socket may have %zu bytes, it has %zu: %s",
                    sizeof(address.sun_path) - 1, strlen(socket), socket);
    return 0;
}

static int build(struct engine *engine, struct err *e)
{
    const struct transport_settings settings = {
        .loop = engine->settings.loop,
        .socket = engine->settings.socket,
        .unanswered = on_unanswered,
        .context = engine,
    };

    int r = check_path(settings.socket, e);
    if (r == 0)
        r = split_path(engine, settings.socket, e);
    if (r == 0)
        r = transport_new(&settings, &engine->transport, e);
    return r;
}

int engine_new(const struct engine_settings *settings, struct engine **ret_engine, struct err *e)
{
    AUTO(engine_free) struct engine *engine = calloc(1, sizeof(*engine));

    /* Without TLS: there is none on a unix socket. Counted by libcurl; undone by engine_free(). */
    if (!engine || curl_global_init(CURL_GLOBAL_NOTHING) != CURLE_OK)
        return FAIL(e, ENOMEM, "out of memory");
    engine->stopped = true;
    engine->settings = *settings;
    if (engine->settings.answer_ms == 0)
        engine->settings.answer_ms = ENGINE_ANSWER_MS;
    TAILQ_INIT(&engine->pulls);
    int r = build(engine, e);
    if (r < 0)
        return r;
    engine->settings.socket = NULL; /* the caller's */
    engine->stopped = false;
    uv_timer_init(settings->loop, &engine->retry);
    uv_fs_event_init(settings->loop, &engine->watch);
    engine->retry.data = engine;
    engine->watch.data = engine;
    uv_timer_start(&engine->retry, on_retry, 0, 0);
    *ret_engine = TAKE(engine);
    return 0;
}

void engine_stop(struct engine *engine)
{
    if (!engine || engine->stopped)
        return;
    engine->stopped = true;
    transport_stop(engine->transport);
    uv_close((uv_handle_t *)&engine->retry, NULL);
    uv_close((uv_handle_t *)&engine->watch, NULL);
}

void engine_free(struct engine *engine)
{
    if (!engine)
        return;
    assert(engine->stopped);
    transport_free(engine->transport);
    free(engine->folder);
    free(engine->file);
    free(engine);
    curl_global_cleanup();
}

/* ---- calls ---- */

int engine_stream(struct engine *engine, const struct engine_request *request, engine_data data,
                  engine_done done, void *context, struct engine_call **ret_call)
{
    char version[VERSION_SIZE];

    if (engine->state == ENGINE_DOWN)
        return transport_refuse(engine->transport,
                                engine->reason[0] ? engine->reason
                                                  : "the engine has not answered yet",
                                done, context, ret_call);
    format_version(&engine->identity, version);
    int r = transport_send(engine->transport, version, request, data, done, context, ret_call);
    if (r == 0 && !str_equal(request->method, "GET"))
        engine->writes++;
    return r;
}

int engine_call(struct engine *engine, const struct engine_request *request, engine_done done,
                void *context, struct engine_call **ret_call)
{
    return engine_stream(engine, request, NULL, done, context, ret_call);
}

enum engine_state engine_state(const struct engine *engine)
{
    return engine->state;
}

const char *engine_version(const struct engine *engine)
{
    return engine->identity.version;
}

int engine_api_minor(const struct engine *engine)
{
    return engine->identity.api_minor;
}

const char *engine_architecture(const struct engine *engine)
{
    return engine->identity.architecture;
}

const char *engine_data_root(const struct engine *engine)
{
    return engine->identity.data_root;
}

uint64_t engine_writes(const struct engine *engine)
{
    return engine->writes;
}

uv_loop_t *engine_loop(const struct engine *engine)
{
    return engine->settings.loop;
}

struct engine_pulls *engine_pulls(struct engine *engine)
{
    return &engine->pulls;
}
