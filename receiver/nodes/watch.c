#include "receiver/nodes/watch.h"

#include <string.h>
#include <sys/queue.h>

#include "common/http/problem.h"
#include "receiver/api/query_params.h"
#include "receiver/stream/frame.h"

/* What a progress bar needs; changes in between are not sent. */
#define PERIOD_MS 100
/* Built at once for a watcher, and one node more. */
#define FILL_BYTES   ((size_t)32 << 10)
#define PENDING_MAX  ((size_t)64 << 20)
#define RETRY_MIN_MS 3000
#define RETRY_MAX_MS 7000

struct watcher {
    struct watch *watch;
    struct http_request *request;
    struct cursor place;
    struct buf pending; /* frames */
    size_t sent;        /* of them */
    bool is_live;       /* it has been told that it has all */
    bool heartbeat_due;
    LIST_ENTRY(watcher) entry;
};

LIST_HEAD(watcher_list, watcher);

struct watch {
    struct watch_settings settings;
    struct http_server *server;
    uv_async_t changed;
    uv_timer_t period, heartbeat;
    unsigned open_handles;
    struct watcher_list watchers;
    unsigned count;
    bool is_quiescing;
    struct metric *refused;
};

/* ---- what a watcher is sent ---- */

/* The epoch is another, or the version is one that this registry has not come to: what the watcher
 * has is of no use. */
static void begin_anew(struct watcher *w, uint32_t epoch)
{
    w->place = (struct cursor){epoch, 0};
    w->is_live = false;
    buf_append_str(&w->pending, "event: reset\n");
    frame_append_event(&w->pending, w->place, "{}", 2);
}

static int append_node(void *context, const struct registry_item *item)
{
    struct watcher *w = context;
    if (item->version.epoch != w->place.epoch || w->pending.len >= FILL_BYTES)
        return 1;
    frame_append_event(&w->pending, item->version, item->json, item->len);
    w->place = item->version;
    return 0;
}

/* It has all. The time is that of this clock, which "seconds ago" must be told by. */
static void append_live(struct watcher *w)
{
    const struct clock *clock = w->watch->settings.clock;
    char time[CLOCK_TEXT_SIZE];
    clock_format_us(clock->wall_us(clock->context), time);
    buf_appendf(&w->pending, "event: live\ndata: {\"now\":\"%s\"}\n\n", time);
    w->is_live = true;
}

static int fill(struct watcher *w)
{
    struct registry *registry = w->watch->settings.registry;
    struct cursor last = registry_last(registry);
    if (w->place.epoch != last.epoch || w->place.seq > last.seq)
        begin_anew(w, last.epoch);
    int r = registry_each_change(registry, w->place.seq, append_node, w);
    if (r == 0 && (!w->is_live || w->heartbeat_due)) {
        append_live(w);
        w->heartbeat_due = false;
    }
    return r < 0 || buf_failed(&w->pending) ? -ENOMEM : 0;
}

static ssize_t on_read(void *stream, char *out, size_t max)
{
    struct watcher *w = stream;
    if (w->sent == w->pending.len) {
        buf_deinit(&w->pending);
        w->sent = 0;
        if (w->watch->is_quiescing)
            return HTTP_STREAM_END;
        if (fill(w) < 0)
            return HTTP_STREAM_CUT;
    }
    size_t left = w->pending.len - w->sent, len = left < max ? left : max;
    if (len > 0)
        memcpy(out, w->pending.data + w->sent, len);
    w->sent += len;
    return len > 0 ? (ssize_t)len : HTTP_STREAM_WAIT;
}

static void on_closed(void *stream)
{
    struct watcher *w = stream;
    LIST_REMOVE(w, entry);
    if (--w->watch->count == 0)
        uv_timer_stop(&w->watch->heartbeat);
    buf_deinit(&w->pending);
    free(w);
}

/* ---- waking ---- */

static void wake_all(struct watch *watch)
{
    struct watcher *w;
    LIST_FOREACH(w, &watch->watchers, entry)
    {
        http_stream_wake(w->request);
    }
    if (watch->server)
        http_server_run(watch->server);
}

static void on_period(uv_timer_t *timer)
{
    wake_all(timer->data);
}

static void on_heartbeat(uv_timer_t *timer)
{
    struct watch *watch = timer->data;
    struct watcher *w;
    LIST_FOREACH(w, &watch->watchers, entry)
    {
        w->heartbeat_due = true;
    }
    wake_all(watch);
}

static void on_changed(uv_async_t *async)
{
    struct watch *watch = async->data;
    if (watch->count > 0 && !uv_is_active((uv_handle_t *)&watch->period))
        uv_timer_start(&watch->period, on_period, PERIOD_MS, 0);
}

/* On the ingest thread. */
static void send_changed(void *context)
{
    struct watch *watch = context;
    uv_async_send(&watch->changed);
}

/* ---- a new watcher ---- */

static void refuse(struct watch *watch, struct http_request *request, const char *code,
                   const char *detail)
{
    const struct problem problem = {
        .status = 503, .code = code, .title = "No stream now", .retry_after_s = "5"};
    metric_add(watch->refused, 1);
    http_problem(request, &problem, "%s", detail);
}

/* False when the request was answered. */
static bool is_welcome(struct watch *watch, struct http_request *request)
{
    if (watch->is_quiescing)
        refuse(watch, request, "stopping", "the receiver is stopping");
    else if (watch->count >= WATCH_CLIENTS_MAX)
        refuse(watch, request, "too-many-clients", "as many watch the nodes as there is room for");
    else if (!registry_is_open(watch->settings.registry))
        refuse(watch, request, "journal-not-open", "the journal is not open");
    else
        return true;
    return false;
}

/* False when the request was answered. */
static bool find_start(struct http_request *request, struct cursor *ret_start)
{
    static const struct problem bad = {.status = 400,
                                       .code = "invalid-parameter",
                                       .title = "Invalid cursor",
                                       .parameter = "Last-Event-ID"};
    struct query query;
    if (query_params_parse(request, QUERY_AFTER, &query) < 0)
        return false;
    const char *last_id = http_request_header(request, "Last-Event-ID");
    *ret_start = query.given & QUERY_AFTER ? query.after : (struct cursor){0};
    if (!last_id || *last_id == '\0' || cursor_parse(last_id, ret_start) == 0)
        return true;
    http_problem(request, &bad, "Last-Event-ID is '%.64s'; a cursor is <epoch>-<seq>", last_id);
    return false;
}

void watch_handle(struct watch *watch, struct http_request *request)
{
    static const struct http_header headers[] = {
        {"Cache-Control", "no-store, no-transform"}, {"X-Accel-Buffering", "no"}, {NULL, NULL}};
    static const struct http_stream_ops ops = {on_read, on_closed};
    struct cursor start;
    if (!find_start(request, &start) || !is_welcome(watch, request))
        return;
    struct watcher *w = calloc(1, sizeof(*w));
    if (!w) {
        refuse(watch, request, "out-of-memory", "memory is short");
        return;
    }
    *w = (struct watcher){
        .watch = watch, .request = request, .place = start, .pending = BUF_INIT(PENDING_MAX)};
    frame_append_retry(&w->pending,
                       random_between(watch->settings.random, RETRY_MIN_MS, RETRY_MAX_MS));
    LIST_INSERT_HEAD(&watch->watchers, w, entry);
    if (watch->count++ == 0)
        uv_timer_start(&watch->heartbeat, on_heartbeat, (uint64_t)watch->settings.heartbeat_ms,
                       (uint64_t)watch->settings.heartbeat_ms);
    http_respond_stream(request, "text/event-stream", headers, &ops, w);
}

/* ---- life ---- */

void watch_set_server(struct watch *watch, struct http_server *server)
{
    watch->server = server;
}

void watch_quiesce(struct watch *watch)
{
    watch->is_quiescing = true;
    wake_all(watch);
}

static double count_watchers(void *context)
{
    const struct watch *watch = context;
    return watch->count;
}

int watch_new(const struct watch_settings *settings, struct watch **ret_watch, struct err *e)
{
    struct watch *watch = calloc(1, sizeof(*watch));
    if (!watch)
        return FAIL(e, ENOMEM, "out of memory");
    watch->settings = *settings;
    int r = uv_async_init(settings->loop, &watch->changed, on_changed);
    if (r < 0) {
        free(watch);
        return FAIL(e, -r, "the watch of nodes could not be made: %s", uv_strerror(r));
    }
    uv_timer_init(settings->loop, &watch->period);
    uv_timer_init(settings->loop, &watch->heartbeat);
    watch->changed.data = watch->period.data = watch->heartbeat.data = watch;
    watch->open_handles = 3;
    metrics_callback(settings->metrics, "bellbuoy_node_watchers", NULL,
                     "Clients of the stream of nodes.", count_watchers, watch);
    watch->refused = metrics_counter(settings->metrics, "bellbuoy_node_watchers_refused_total",
                                     NULL, "Streams of nodes refused with a 503.");
    registry_on_change(settings->registry, send_changed, watch);
    *ret_watch = watch;
    return 0;
}

static void on_handle_closed(uv_handle_t *handle)
{
    struct watch *watch = handle->data;
    if (--watch->open_handles == 0)
        free(watch);
}

void watch_free(struct watch *watch)
{
    if (!watch)
        return;
    registry_on_change(watch->settings.registry, NULL, NULL);
    uv_close((uv_handle_t *)&watch->changed, on_handle_closed);
    uv_close((uv_handle_t *)&watch->period, on_handle_closed);
    uv_close((uv_handle_t *)&watch->heartbeat, on_handle_closed);
}
