#include "common/http/admin.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/http/address.h"

#define MAX_CONNECTIONS   32
#define REQUEST_MAX_BYTES 4096
#define ANSWER_MAX_BYTES  (1 << 20)
#define TIMEOUT_MS        5000
#define REASON_SIZE       256

struct admin {
    struct admin_settings settings;
    uv_tcp_t listener;
    struct connection *first;
    unsigned connections;
    uint16_t port;
    unsigned open_handles; /* of the listener and of all connections; freed at none */
};

/* One request and its answer, then the connection ends. */
struct connection {
    struct admin *admin;
    struct connection *prev, *next;
    uv_tcp_t tcp;
    uv_timer_t timer;
    unsigned open_handles;
    uv_write_t write;
    struct buf answer;
    size_t received;
    char request[REQUEST_MAX_BYTES + 1];
};

static void admin_release(struct admin *admin)
{
    if (--admin->open_handles == 0)
        free(admin);
}

/* ---- answers ---- */

struct reply {
    const char *status; /* "200 OK" */
    const char *content_type;
    const char *header; /* one more, with its line's end; "" for none */
    struct buf body;
};

static void reply_problem(struct reply *reply, const char *status)
{
    reply->status = status;
    reply->content_type = "application/problem+json";
    buf_appendf(&reply->body, "{\"type\":\"about:blank\",\"title\":\"%s\",\"status\":%.3s}\n",
                status + strlen("404 "), status);
}

static void reply_health(struct admin *admin, struct reply *reply)
{
    (void)admin;
    buf_append_str(&reply->body, "ok\n");
}

static void reply_ready(struct admin *admin, struct reply *reply)
{
    const struct admin_settings *settings = &admin->settings;
    char reason[REASON_SIZE] = "";
    bool ready = settings->ready(settings->context, reason, sizeof reason);

    reply->status = ready ? "200 OK" : "503 Service Unavailable";
    reply->content_type = "application/json";
    buf_appendf(&reply->body, "{\"ready\":%s,\"checks\":[{\"name\":", ready ? "true" : "false");
    buf_append_json(&reply->body, settings->check ? settings->check : "service");
    buf_appendf(&reply->body, ",\"ok\":%s,\"reason\":", ready ? "true" : "false");
    buf_append_json(&reply->body, ready && reason[0] == '\0' ? NULL : reason);
    buf_append_str(&reply->body, "}]}\n");
}

static void reply_metrics(struct admin *admin, struct reply *reply)
{
    reply->content_type = METRICS_CONTENT_TYPE;
    metrics_write(admin->settings.metrics, &reply->body);
}

static const struct {
    const char *path;
    void (*reply)(struct admin *admin, struct reply *reply);
} routes[] = {
    {"/healthz", reply_health},
    {"/readyz", reply_ready},
    {"/metrics", reply_metrics},
};

static void reply_path(struct admin *admin, const char *path, struct reply *reply)
{
    for (size_t i = 0; i < ARRAY_SIZE(routes); i++)
        if (strcmp(routes[i].path, path) == 0) {
            routes[i].reply(admin, reply);
            return;
        }
    reply_problem(reply, "404 Not Found");
}

/* `line` is the request line, which is cut into its words: RFC 9112 section 3. */
static void reply_request(struct admin *admin, char *line, bool *ret_head, struct reply *reply)
{
    char *rest = line;
    const char *method = strsep(&rest, " ");
    char *path = strsep(&rest, " ");

    *ret_head = strcmp(method, "HEAD") == 0;
    if (!path || path[0] != '/' || !rest || !str_starts_with(rest, "HTTP/1.")) {
        reply_problem(reply, "400 Bad Request");
        return;
    }
    if (!*ret_head && strcmp(method, "GET") != 0) {
        reply_problem(reply, "405 Method Not Allowed");
        reply->header = "Allow: GET, HEAD\r\n";
        return;
    }
    path[strcspn(path, "?")] = '\0';
    reply_path(admin, path, reply);
}

static void write_answer(struct buf *out, struct admin *admin, char *line)
{
    struct reply reply = {"200 OK", "text/plain; charset=utf-8", "", BUF_INIT(ANSWER_MAX_BYTES)};
    bool head;

    reply_request(admin, line, &head, &reply);
    if (buf_failed(&reply.body)) {
        buf_reset(&reply.body);
        reply_problem(&reply, "500 Internal Server Error");
    }
    buf_appendf(out,
                "HTTP/1.1 %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n%s"
                "Cache-Control: no-store\r\nConnection: close\r\n\r\n",
                reply.status, reply.content_type, reply.body.len, reply.header);
    if (!head)
        buf_append(out, reply.body.data, reply.body.len);
    buf_deinit(&reply.body);
}

/* ---- connections ---- */

static void on_connection_closed(uv_handle_t *handle)
{
    struct connection *connection = handle->data;
    struct admin *admin = connection->admin;

    if (--connection->open_handles == 0) {
        buf_deinit(&connection->answer);
        free(connection);
    }
    admin_release(admin);
}

static void connection_close(struct connection *connection)
{
    struct admin *admin = connection->admin;

    if (uv_is_closing((uv_handle_t *)&connection->tcp))
        return;
    if (connection->prev)
        connection->prev->next = connection->next;
    else
        admin->first = connection->next;
    if (connection->next)
        connection->next->prev = connection->prev;
    admin->connections--;
    uv_close((uv_handle_t *)&connection->tcp, on_connection_closed);
    uv_close((uv_handle_t *)&connection->timer, on_connection_closed);
}

static void on_timeout(uv_timer_t *timer)
{
    connection_close(timer->data);
}

static void on_written(uv_write_t *write, int status)
{
    (void)status;
    connection_close(write->data);
}

static void connection_answer(struct connection *connection)
{
    uv_buf_t bytes;

    connection->request[strcspn(connection->request, "\r\n")] = '\0';
    write_answer(&connection->answer, connection->admin, connection->request);
    bytes = uv_buf_init(connection->answer.data, (unsigned)connection->answer.len);
    connection->write.data = connection;
    if (buf_failed(&connection->answer) ||
        uv_write(&connection->write, (uv_stream_t *)&connection->tcp, &bytes, 1, on_written) < 0)
        connection_close(connection);
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *ret_bytes)
{
    struct connection *connection = handle->data;

    (void)suggested;
    *ret_bytes = uv_buf_init(connection->request + connection->received,
                             (unsigned)(REQUEST_MAX_BYTES - connection->received));
}

/* Waits for the end of the headers: an answer before it could be lost to a reset when the rest
 * arrives on a closed socket. A full buffer comes as UV_ENOBUFS. */
static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *bytes)
{
    struct connection *connection = stream->data;

    (void)bytes;
    if (size < 0) {
        connection_close(connection);
        return;
    }
    connection->received += (size_t)size;
    connection->request[connection->received] = '\0';
    if (strlen(connection->request) < connection->received) {
        connection_close(connection);
        return;
    }
    if (!strstr(connection->request, "\r\n\r\n"))
        return;
    uv_read_stop(stream);
    connection_answer(connection);
}

static struct connection *connection_new(struct admin *admin)
{
    struct connection *connection = calloc(1, sizeof *connection);

    if (!connection)
        return NULL;
    connection->admin = admin;
    connection->answer = BUF_INIT(ANSWER_MAX_BYTES);
    uv_tcp_init(admin->listener.loop, &connection->tcp);
    uv_timer_init(admin->listener.loop, &connection->timer);
    connection->tcp.data = connection->timer.data = connection;
    connection->open_handles = 2;
    admin->open_handles += 2;
    connection->next = admin->first;
    if (admin->first)
        admin->first->prev = connection;
    admin->first = connection;
    admin->connections++;
    return connection;
}

static void on_connect(uv_stream_t *listener, int status)
{
    struct admin *admin = listener->data;
    struct connection *connection;

    if (status < 0)
        return;
    connection = connection_new(admin);
    if (!connection)
        return;
    if (uv_accept(listener, (uv_stream_t *)&connection->tcp) < 0 ||
        admin->connections > MAX_CONNECTIONS ||
        uv_timer_start(&connection->timer, on_timeout, TIMEOUT_MS, 0) < 0 ||
        uv_read_start((uv_stream_t *)&connection->tcp, on_alloc, on_read) < 0)
        connection_close(connection);
}

/* ---- the listener ---- */

static int resolve(const struct address *address, struct sockaddr_storage *ret_name)
{
    if (uv_ip4_addr(address->host, address->port, (struct sockaddr_in *)ret_name) == 0)
        return 0;
    return uv_ip6_addr(address->host, address->port, (struct sockaddr_in6 *)ret_name);
}

static int listener_open(struct admin *admin, const struct sockaddr_storage *name)
{
    struct sockaddr_storage bound;
    int size = sizeof bound;
    int r;

    if ((r = uv_tcp_bind(&admin->listener, (const struct sockaddr *)name, 0)) < 0 ||
        (r = uv_listen((uv_stream_t *)&admin->listener, MAX_CONNECTIONS, on_connect)) < 0 ||
        (r = uv_tcp_getsockname(&admin->listener, (struct sockaddr *)&bound, &size)) < 0)
        return r;
    admin->port = ntohs(bound.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&bound)->sin6_port
                                                    : ((struct sockaddr_in *)&bound)->sin_port);
    return 0;
}

static int start(uv_loop_t *loop, const struct admin_settings *settings, struct admin **ret_admin,
                 struct err *e)
{
    struct sockaddr_storage name = {0};
    struct address address;
    struct admin *admin;
    int r = address_parse(settings->address, &address, e);

    if (r < 0)
        return r;
    if (resolve(&address, &name) < 0)
        return FAIL(e, EINVAL, "\"%s\" is no numeric IPv4 or IPv6 address", address.host);
    admin = calloc(1, sizeof *admin);
    if (!admin)
        return FAIL(e, ENOMEM, "out of memory");
    admin->settings = *settings;
    r = uv_tcp_init(loop, &admin->listener);
    if (r < 0) {
        free(admin);
        return FAIL(e, -r, "no socket: %s", uv_strerror(r));
    }
    admin->listener.data = admin;
    admin->open_handles = 1;
    r = listener_open(admin, &name);
    if (r < 0) {
        admin_free(admin);
        return FAIL(e, -r, "cannot listen on %s: %s", settings->address, uv_strerror(r));
    }
    *ret_admin = admin;
    return 0;
}

int admin_new(uv_loop_t *loop, const struct admin_settings *settings, struct admin **ret_admin,
              struct err *e)
{
    *ret_admin = NULL;
    if (settings->address[0] == '\0')
        return 0;
    int r = start(loop, settings, ret_admin, e);
    if (r < 0)
        err_context(e, "--admin-address (another HOST:PORT, or '' for none, would do)");
    return r;
}

uint16_t admin_port(const struct admin *admin)
{
    return admin->port;
}

static void on_listener_closed(uv_handle_t *handle)
{
    admin_release(handle->data);
}

void admin_free(struct admin *admin)
{
    if (!admin)
        return;
    while (admin->first)
        connection_close(admin->first);
    uv_close((uv_handle_t *)&admin->listener, on_listener_closed);
}
