/*
 * Chunks larger than a connection's memory pool.
 *
 * A send costs as much as some kilobytes do, and a chunk that libmicrohttpd makes in the pool has
 * four or so: to a client with a backlog it would take six sends where one does. So the backlog
 * goes out in chunks of our own, from one buffer that all streams share, by the socket that the
 * library waits for the next bytes of. That is right for as long as the library asks for a chunk
 * only when all before it is with the kernel, which it does without TLS (its
 * try_ready_chunked_body() has nothing in its write buffer), and which the streams' tests would
 * show to be otherwise.
 */

#include <errno.h>
#include <linux/sockios.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "common/http/internal.h"

#define HEAD_MAX 8 /* "8000\r\n" */
#define TAIL     2 /* "\r\n" */

/* With no more than this unacknowledged the kernel takes a whole chunk, as long as it is not short
 * of memory: its limit is twice what listener.c asks for. */
#define QUEUED_MAX HTTP_BULK_BYTES

int http_bulk_init(struct http_server *server)
{
    server->bulk = malloc(HEAD_MAX + HTTP_BULK_BYTES + TAIL);
    return server->bulk ? 0 : -ENOMEM;
}

bool http_bulk_is_possible(const struct http_request *request)
{
    int queued;

    return request->is_chunked && request->is_watched &&
           ioctl(request->socket->fd, SIOCOUTQ, &queued) == 0 && queued <= QUEUED_MAX;
}

/* How many bytes the kernel took; -1: the connection is gone. */
static ssize_t send_some(const struct http_request *request, const char *bytes, size_t len)
{
    ssize_t sent = send(request->socket->fd, bytes, len, MSG_DONTWAIT | MSG_NOSIGNAL);

    return sent < 0 && (errno == EAGAIN || errno == EINTR) ? 0 : sent;
}

static void watch_for(struct http_request *request, uint32_t events)
{
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET | events, .data.ptr = request};

    if (epoll_ctl(request->server->watch_fd, EPOLL_CTL_MOD, request->socket->fd, &event) < 0)
        request->has_left = true;
}

static int keep_rest(struct http_request *request, const char *bytes, size_t len)
{
    request->rest = malloc(sizeof(*request->rest) + len);
    if (!request->rest)
        return -ENOMEM;
    *request->rest = (struct http_rest){.len = len};
    memcpy(request->rest->bytes, bytes, len);
    watch_for(request, EPOLLOUT);
    return 0;
}

bool http_bulk_flush(struct http_request *request)
{
    struct http_rest *rest = request->rest;
    ssize_t sent = send_some(request, rest->bytes + rest->sent, rest->len - rest->sent);

    if (sent < 0)
        request->has_left = true;
    else
        rest->sent += (size_t)sent;
    if (sent >= 0 && rest->sent < rest->len)
        return false;
    free(TAKE(request->rest));
    watch_for(request, 0);
    return true;
}

ssize_t http_bulk_pull(struct http_request *request)
{
    char *data = request->server->bulk + HEAD_MAX, *chunk;
    ssize_t n = request->stream_ops->read(request->context, data, HTTP_BULK_BYTES);
    char head[HEAD_MAX + 1];
    size_t head_len, len;
    ssize_t sent;

    if (n <= 0)
        return n;
    head_len = (size_t)snprintf(head, sizeof(head), "%zx\r\n", (size_t)n);
    chunk = data - head_len;
    memcpy(chunk, head, head_len);
    data[n] = '\r';
    data[n + 1] = '\n';
    len = head_len + (size_t)n + TAIL;
    sent = send_some(request, chunk, len);
    if (sent < 0 ||
        ((size_t)sent < len && keep_rest(request, chunk + sent, len - (size_t)sent) < 0))
        return HTTP_STREAM_CUT;
    return n;
}
