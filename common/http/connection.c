/*
 * How long a connection may owe us a request. libmicrohttpd's time-out begins anew with each byte,
 * so a client that sends one now and then would hold its connection for ever.
 */

#include <sys/socket.h>

#include "common/base/clock.h"
#include "common/http/internal.h"

/* Beyond the idle time-out, at which libmicrohttpd itself closes a connection that is silent. */
static int64_t patience_ms(const struct http_server *server)
{
    return (int64_t)server->settings.idle_timeout_s * 2000;
}

static void opened(struct http_server *server, struct MHD_Connection *connection,
                   void **socket_context)
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct http_connection *c = calloc(1, sizeof(*c));

    *socket_context = c;
    if (!c)
        return;
    c->server = server;
    c->fd = info->connect_fd;
    http_connection_owes_request(c);
}

void http_connection_notify(void *context, struct MHD_Connection *connection, void **socket_context,
                            enum MHD_ConnectionNotificationCode code)
{
    struct http_server *server = context;

    if (code == MHD_CONNECTION_NOTIFY_STARTED) {
        server->connections++;
        opened(server, connection, socket_context);
    } else {
        server->connections--;
        /* At its limit the library does not listen, and begins to again in its next run only. */
        http_server_schedule(server);
        http_connection_has_request(*socket_context);
        free(*socket_context);
        *socket_context = NULL;
    }
    metric_set(server->metrics.connections, server->connections);
}

struct http_connection *http_connection_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
}

void http_connection_has_request(struct http_connection *connection)
{
    if (connection && connection->owes_request) {
        TAILQ_REMOVE(&connection->server->owing, connection, entry);
        connection->owes_request = false;
    }
}

void http_connection_owes_request(struct http_connection *connection)
{
    if (connection && !connection->owes_request) {
        connection->since_ms = clock_monotonic_ms();
        TAILQ_INSERT_TAIL(&connection->server->owing, connection, entry);
        connection->owes_request = true;
    }
}

int64_t http_connections_expire(struct http_server *server)
{
    int64_t now_ms = clock_monotonic_ms();
    struct http_connection *oldest;

    while ((oldest = TAILQ_FIRST(&server->owing))) {
        int64_t left_ms = oldest->since_ms + patience_ms(server) - now_ms;

        if (left_ms > 0)
            return left_ms;
        http_connection_has_request(oldest);
        /* libmicrohttpd sees the end of input, and closes. */
        (void)shutdown(oldest->fd, SHUT_RDWR);
    }
    return -1;
}
