#include "common/http/server.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>

#include "common/base/log.h"
#include "common/http/internal.h"

/* What a connection's headers, answer and chunks share. The default of 32 KiB would cost 22 KiB a
 * connection; this leaves a stream chunks of more than 4 KiB beside ordinary headers. */
#define POOL_BYTES ((size_t)6 * 1024)
/* Read buffers grow by this much. */
#define POOL_STEP_BYTES ((size_t)1024)

/* File descriptors that the rest of the process may need: journal, broker, logs. */
#define RESERVED_FDS 64

/* One thread. Before 1.0 the library then leaves out its eventfd by itself; since 1.0 it writes to
 * it for each stream that is resumed unless it is told. */
#if MHD_VERSION >= 0x01000000
#define ONE_THREAD MHD_USE_NO_THREAD_SAFETY
#else
#define ONE_THREAD 0
#endif

/* ---- running ---- */

static void on_timer(uv_timer_t *timer)
{
    http_server_run(timer->data);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
    (void)status;
    (void)events;
    http_server_run(poll->data);
}

void http_server_schedule(struct http_server *server)
{
    if (!server->run_again && !server->is_running && !server->is_closing)
        uv_timer_start(&server->timer, on_timer, 0, 0);
    server->run_again = true;
}

static void arm_timer(struct http_server *server)
{
    int64_t wait_ms = http_connections_expire(server);
    MHD_UNSIGNED_LONG_LONG daemon_ms;

    if (MHD_get_timeout(server->daemon, &daemon_ms) == MHD_YES &&
        (wait_ms < 0 || daemon_ms < (MHD_UNSIGNED_LONG_LONG)wait_ms))
        wait_ms = (int64_t)daemon_ms;
    if (server->run_again)
        wait_ms = 0;
    if (wait_ms < 0)
        uv_timer_stop(&server->timer);
    else
        uv_timer_start(&server->timer, on_timer, (uint64_t)wait_ms, 0);
}

void http_server_run(struct http_server *server)
{
    /* A handler may wake a stream: that one's turn is the next run. */
    if (server->is_running || server->is_closing)
        return;
    server->is_running = true;
    server->run_again = false;
    MHD_run(server->daemon);
    server->is_running = false;
    arm_timer(server);
}

/* ---- starting ---- */

static void init_metrics(struct http_server *server)
{
    static const char *const classes[] = {"class=\"1xx\"", "class=\"2xx\"", "class=\"3xx\"",
                                          "class=\"4xx\"", "class=\"5xx\""};
    static const double bounds_s[] = {0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025,
                                      0.05,   0.1,   0.25,   0.5,   1,    5};
    struct metrics *m = server->settings.metrics;

    for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
        server->metrics.requests[i] = metrics_counter(m, "bellbuoy_http_requests_total", classes[i],
                                                      "Requests answered, by class of status.");
    server->metrics.connections =
        metrics_gauge(m, "bellbuoy_http_connections", NULL, "Open HTTP connections.");
    server->metrics.duration =
        metrics_histogram(m, "bellbuoy_http_request_duration_seconds", NULL,
                          "From a request's first line to its answer's last byte, without streams.",
                          bounds_s, ARRAY_SIZE(bounds_s));
}

/* At the limit of open files accept() fails and the library stops listening until a connection
 * ends: with a lower limit of its own it never comes to that. */
static unsigned connection_limit(const struct http_settings *settings)
{
    struct rlimit limit;
    rlim_t room;

    if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur == RLIM_INFINITY)
        return settings->max_connections;
    room = limit.rlim_cur > 2 * RESERVED_FDS ? limit.rlim_cur - RESERVED_FDS : limit.rlim_cur / 2;
    if (settings->max_connections <= room)
        return settings->max_connections;
    log_warning("http", "the limit of open files bounds the connections",
                LOG_INT("wanted", settings->max_connections), LOG_INT("possible", room));
    return (unsigned)room;
}

static FORMAT(2, 0) void on_log(void *context, const char *fmt, va_list args)
{
    char text[256];

    (void)context;
    if (!log_enabled(LOG_DEBUG))
        return;
    vsnprintf(text, sizeof(text), fmt, args);
    text[strcspn(text, "\n")] = '\0';
    log_debug("http", text);
}

static struct MHD_Daemon *start_daemon(struct http_server *server, int listen_fd)
{
    return MHD_start_daemon(
        MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME | MHD_USE_ERROR_LOG | ONE_THREAD, 0, NULL, NULL,
        http_request_access, server, MHD_OPTION_EXTERNAL_LOGGER, on_log, NULL,
        MHD_OPTION_LISTEN_SOCKET, listen_fd, MHD_OPTION_CONNECTION_LIMIT,
        server->settings.max_connections, MHD_OPTION_CONNECTION_TIMEOUT,
        server->settings.idle_timeout_s, MHD_OPTION_CONNECTION_MEMORY_LIMIT, POOL_BYTES,
        MHD_OPTION_CONNECTION_MEMORY_INCREMENT, POOL_STEP_BYTES, MHD_OPTION_STRICT_FOR_CLIENT, 1,
        MHD_OPTION_URI_LOG_CALLBACK, http_request_begin, server, MHD_OPTION_NOTIFY_CONNECTION,
        http_connection_notify, server, MHD_OPTION_NOTIFY_COMPLETED, http_request_completed, server,
        MHD_OPTION_END);
}

static int init_handles(struct http_server *server, struct err *e)
{
    const union MHD_DaemonInfo *info =
        MHD_get_daemon_info(server->daemon, MHD_DAEMON_INFO_EPOLL_FD);
    int r = http_streams_init(server, e);

    if (r < 0)
        return r;
    uv_timer_init(server->loop, &server->timer);
    server->timer.data = server;
    server->open_handles++;
    r = uv_poll_init(server->loop, &server->poll, info->epoll_fd);
    if (r < 0)
        return FAIL(e, -r, "libmicrohttpd's epoll cannot be polled: %s", uv_strerror(r));
    server->poll.data = server;
    server->open_handles++;
    uv_poll_start(&server->poll, UV_READABLE, on_readable);
    return 0;
}

int http_server_new(uv_loop_t *loop, const struct http_settings *settings,
                    struct http_server **ret_server, struct err *e)
{
    struct http_server *server AUTO(http_server_free) = calloc(1, sizeof(*server));
    int listen_fd, r;

    if (!server)
        return FAIL(e, ENOMEM, "no memory for the HTTP server");
    server->loop = loop;
    server->settings = *settings;
    server->settings.max_connections = connection_limit(settings);
    server->watch_fd = -1;
    TAILQ_INIT(&server->owing);
    TAILQ_INIT(&server->suspended);
    r = http_listener_open(settings, &listen_fd, &server->port, e);
    if (r < 0)
        return r;
    init_metrics(server);
    server->daemon = start_daemon(server, listen_fd);
    if (!server->daemon)
        return FAIL(e, EIO, "libmicrohttpd does not start");
    r = init_handles(server, e);
    if (r < 0)
        return r;
    *ret_server = TAKE(server);
    return 0;
}

uint16_t http_server_port(const struct http_server *server)
{
    return server->port;
}

size_t http_server_answer_bytes(const struct http_server *server)
{
    return server->answer_bytes;
}

unsigned http_server_max_connections(const struct http_server *server)
{
    return server->settings.max_connections;
}

/* ---- ending ---- */

void http_server_quiesce(struct http_server *server)
{
    MHD_socket fd = MHD_quiesce_daemon(server->daemon);

    if (fd != MHD_INVALID_SOCKET)
        close(fd);
}

bool http_server_is_idle(const struct http_server *server)
{
    return server->requests == 0;
}

static void destroy(struct http_server *server)
{
    if (server->watch_fd >= 0)
        close(server->watch_fd);
    free(server->bulk);
    free(server);
}

static void on_closed(uv_handle_t *handle)
{
    struct http_server *server = handle->data;

    if (--server->open_handles == 0)
        destroy(server);
}

static void stop_daemon(struct http_server *server)
{
    struct http_request *request;

    /* The library may not be stopped with connections suspended. */
    while ((request = TAILQ_FIRST(&server->suspended)))
        http_request_resume(request);
    if (server->daemon)
        MHD_stop_daemon(TAKE(server->daemon));
}

void http_server_free(struct http_server *server)
{
    uv_handle_t *handles[3];
    unsigned count;

    if (!server)
        return;
    server->is_closing = true;
    handles[0] = (uv_handle_t *)&server->watch;
    handles[1] = (uv_handle_t *)&server->timer;
    handles[2] = (uv_handle_t *)&server->poll;
    if (server->open_handles == 0) {
        stop_daemon(server);
        destroy(server);
        return;
    }
    count = server->open_handles;
    assert(count <= sizeof(handles) / sizeof(handles[0]));
    for (unsigned i = 0; i < count; i++)
        uv_close(handles[i], on_closed);
    stop_daemon(server);
}
