#include "manager/engine/logs.h"

#include <stdio.h>
#include <string.h>
#include <sys/queue.h>

#include "common/base/json.h"
#include "manager/engine/log_lines.h"
#include "manager/engine/url.h"

#define PATH_MAX_BYTES    2048
#define DEFAULT_MAX_BYTES (256 << 10)

struct kept_line {
    TAILQ_ENTRY(kept_line) link;
    size_t len;
    bool is_error;
    char text[];
};

struct logs {
    struct logs_settings settings; /* `container` is not valid */
    struct engine *engine;
    struct engine_call *call;
    char *path; /* "/containers/NAME" */
    struct log_lines lines;
    TAILQ_HEAD(kept_lines, kept_line) kept; /* until the end, where it is not followed */
    size_t kept_bytes;
    struct err e;
    bool busy; /* on the stack: freed later */
    bool cancelled;
};

static void drop_oldest(struct logs *logs)
{
    struct kept_line *line = TAILQ_FIRST(&logs->kept);

    logs->kept_bytes -= line->len + 1;
    TAILQ_REMOVE(&logs->kept, line, link);
    free(line);
}

static void logs_free(struct logs *logs)
{
    if (!logs)
        return;
    while (!TAILQ_EMPTY(&logs->kept))
        drop_oldest(logs);
    log_lines_deinit(&logs->lines);
    free(logs->path);
    free(logs);
}
DEFINE_CLEANUP(struct logs *, logs_free);

/* ---- lines ---- */

static void keep(struct logs *logs, const char *text, size_t len, bool is_error)
{
    struct kept_line *line = malloc(sizeof(*line) + len);

    if (!line) {
        err_set(&logs->e, ENOMEM, "out of memory");
        return;
    }
    line->len = len;
    line->is_error = is_error;
    memcpy(line->text, text, len);
    TAILQ_INSERT_TAIL(&logs->kept, line, link);
    logs->kept_bytes += len + 1;
    while (logs->kept_bytes > logs->settings.max_bytes && TAILQ_FIRST(&logs->kept) != line)
        drop_oldest(logs);
}

static void on_line(void *context, const char *line, size_t len, bool is_error)
{
    struct logs *logs = context;

    if (logs->settings.follow)
        logs->settings.line(logs->settings.context, line, len, is_error);
    else
        keep(logs, line, len, is_error);
}

static void tell_kept(struct logs *logs)
{
    while (!logs->cancelled && !TAILQ_EMPTY(&logs->kept)) {
        const struct kept_line *line = TAILQ_FIRST(&logs->kept);
        logs->settings.line(logs->settings.context, line->text, line->len, line->is_error);
        drop_oldest(logs);
    }
}

/* ---- the calls ---- */

static void finish(struct logs *logs, const char *error)
{
    logs->busy = true;
    log_lines_end(&logs->lines);
    tell_kept(logs);
    if (!logs->cancelled)
        logs->settings.done(logs->settings.context, error);
    logs_free(logs);
}

static void on_data(void *context, const char *bytes, size_t size)
{
    struct logs *logs = context;

    logs->busy = true;
    if (log_lines_feed(&logs->lines, bytes, size, &logs->e) < 0)
        log_lines_stop(&logs->lines);
    logs->busy = false;
    if (logs->cancelled)
        logs_free(logs);
}

static void on_done(void *context, const struct engine_reply *reply)
{
    struct logs *logs = context;

    logs->call = NULL;
    if (!engine_reply_ok(reply))
        finish(logs, reply->message);
    else
        finish(logs, logs->e.code ? logs->e.msg : NULL);
}

static bool has_terminal(const struct engine_reply *reply)
{
    AUTO(cJSON_Delete) cJSON *root = NULL;
    const cJSON *config = NULL;
    bool tty = false;

    return json_parse(reply->body, reply->size, JSON_MAX_DEPTH, &root, NULL) == 0 &&
           cJSON_IsObject(root) && json_get_object(root, "", "Config", &config, NULL) == 0 &&
           json_get_bool(config, "/Config", "Tty", &tty, NULL) == 0 && tty;
}

static void on_inspected(void *context, const struct engine_reply *reply)
{
    struct logs *logs = context;
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_MAX_BYTES);
    const struct logs_settings *s = &logs->settings;

    logs->call = NULL;
    if (!engine_reply_ok(reply)) {
        finish(logs, reply->message);
        return;
    }
    logs->lines.has_frames = !has_terminal(reply);
    buf_appendf(&path, "%s/logs?stdout=1&stderr=1&follow=%d&timestamps=%d&tail=", logs->path,
                s->follow, s->timestamps);
    if (s->tail < 0)
        buf_append_str(&path, "all");
    else
        buf_appendf(&path, "%d", s->tail);
    const struct engine_request request = {
        .method = "GET", .path = path.data, .timeout_ms = s->follow ? -1 : 0};
    if (buf_failed(&path) ||
        engine_stream(logs->engine, &request, on_data, on_done, logs, &logs->call) < 0)
        finish(logs, "out of memory");
}

int logs_start(struct engine *engine, const struct logs_settings *settings, struct logs **ret_logs,
               struct err *e)
{
    AUTO(logs_free) struct logs *logs = calloc(1, sizeof(*logs));
    AUTO(buf_deinit) struct buf path = BUF_INIT(PATH_MAX_BYTES);

    if (!logs)
        return FAIL(e, ENOMEM, "out of memory");
    TAILQ_INIT(&logs->kept);
    log_lines_init(&logs->lines, true, on_line, logs);
    logs->engine = engine;
    logs->settings = *settings;
    logs->settings.container = NULL;
    if (logs->settings.max_bytes == 0)
        logs->settings.max_bytes = DEFAULT_MAX_BYTES;
    buf_append_str(&path, "/containers/");
    url_append(&path, settings->container);
    if (buf_failed(&path))
        return FAIL(e, EINVAL, "the container's name is too long: %.100s...", settings->container);
    logs->path = buf_take(&path, NULL);
    buf_appendf(&path, "%s/json", logs->path);
    const struct engine_request request = {.method = "GET", .path = path.data};
    if (buf_failed(&path) || engine_call(engine, &request, on_inspected, logs, &logs->call) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    *ret_logs = TAKE(logs);
    return 0;
}

void logs_cancel(struct logs *logs)
{
    if (!logs)
        return;
    engine_cancel(TAKE(logs->call));
    log_lines_stop(&logs->lines);
    logs->cancelled = true;
    if (!logs->busy)
        logs_free(logs);
}
