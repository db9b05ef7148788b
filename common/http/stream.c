/*
 * Bodies that are pulled. A stream that has nothing to give is suspended, and libmicrohttpd then
 * looks at its socket no more; a second epoll tells when the client of such a stream leaves. So it
 * does for requests that are answered later.
 */

#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "common/base/str.h"
#include "common/http/internal.h"

/* Of the buffer that only an HTTP/1.0 client's answer goes through; chunks are made in the
 * connection's own pool. */
#define BLOCK_BYTES 128
#define MAX_EVENTS  64

struct header_text {
    char name[64], value[64];
    bool found;
};

/* Copies, for the library reads the texts after it has freed them with the header. */
static enum MHD_Result take_header(void *context, enum MHD_ValueKind kind, const char *name,
                                   const char *value)
{
    struct header_text *text = context;

    (void)kind;
    text->found = strcmp(name, "Connection") != 0 &&
                  str_copy(text->name, sizeof(text->name), name) &&
                  str_copy(text->value, sizeof(text->value), value);
    return text->found ? MHD_NO : MHD_YES;
}

/* The headers have been sent when the body is asked for: a stream need not hold 600 bytes of them
 * for hours. */
static void release_headers(struct MHD_Response *response)
{
    struct header_text text;

    do {
        text.found = false;
        (void)MHD_get_response_headers(response, take_header, &text);
    } while (text.found && MHD_del_response_header(response, text.name, text.value) == MHD_YES);
}

/* What a read came to, in libmicrohttpd's terms. */
static ssize_t answer(struct http_request *r, ssize_t n)
{
    if (n == HTTP_STREAM_END)
        return MHD_CONTENT_READER_END_OF_STREAM;
    if (n == HTTP_STREAM_CUT)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (n == HTTP_STREAM_WAIT)
        http_request_suspend(r);
    return n;
}

static ssize_t pull(void *context, uint64_t position, char *out, size_t max)
{
    struct http_request *r = context;
    ssize_t n;

    (void)position;
    if (r->unpulled)
        release_headers(TAKE(r->unpulled));
    if (r->has_left || r->server->is_closing)
        return MHD_CONTENT_READER_END_WITH_ERROR;
    if (r->is_backlogged && http_bulk_is_possible(r)) {
        n = http_bulk_pull(r);
        r->is_backlogged = n == HTTP_BULK_BYTES;
        if (n <= 0 || r->rest)
            return answer(r, n > 0 ? HTTP_STREAM_WAIT : n);
    }
    n = r->stream_ops->read(r->context, out, max);
    r->is_backlogged = n == (ssize_t)max;
    return answer(r, n);
}

static void on_watch(uv_poll_t *handle, int status, int events)
{
    struct http_server *server = handle->data;
    struct epoll_event seen[MAX_EVENTS];
    int count;

    (void)status;
    (void)events;
    /* No request is freed in here: the connections end in the run that follows. */
    count = epoll_wait(server->watch_fd, seen, MAX_EVENTS, 0);
    for (int i = 0; i < count; i++) {
        struct http_request *r = seen[i].data.ptr;

        if (seen[i].events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
            r->has_left = true;
        if (r->has_left || !r->rest || http_bulk_flush(r))
            http_request_resume(r);
    }
}

void http_request_watch(struct http_request *request)
{
    /* Each is told once. */
    struct epoll_event event = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = request};

    if (request->socket && !request->is_watched)
        request->is_watched =
            epoll_ctl(request->server->watch_fd, EPOLL_CTL_ADD, request->socket->fd, &event) == 0;
}

void http_request_unwatch(struct http_request *request)
{
    if (request->is_watched)
        (void)epoll_ctl(request->server->watch_fd, EPOLL_CTL_DEL, request->socket->fd, NULL);
    request->is_watched = false;
}

void http_respond_stream(struct http_request *request, const char *content_type,
                         const struct http_header *headers, const struct http_stream_ops *ops,
                         void *stream)
{
    struct MHD_Response *response;

    request->stream_ops = ops;
    request->context = stream;
    free(TAKE(request->target));
    response =
        MHD_create_response_from_callback(MHD_SIZE_UNKNOWN, BLOCK_BYTES, pull, request, NULL);
    if (response)
        (void)MHD_add_response_header(response, "Connection", "close");
    (void)MHD_set_connection_option(request->connection, MHD_CONNECTION_OPTION_TIMEOUT, 0U);
    request->unpulled = response;
    http_request_watch(request);
    http_response_give(request, 200, content_type, headers, response);
}

void http_stream_wake(struct http_request *request)
{
    if (!request->rest)
        http_request_resume(request);
}

int http_streams_init(struct http_server *server, struct err *e)
{
    int r = http_bulk_init(server);

    if (r < 0)
        return FAIL(e, -r, "no memory for the streams");
    server->watch_fd = epoll_create1(EPOLL_CLOEXEC);
    if (server->watch_fd < 0)
        return FAIL(e, errno, "no epoll for the streams: %s", strerror(errno));
    r = uv_poll_init(server->loop, &server->watch, server->watch_fd);
    if (r < 0)
        return FAIL(e, -r, "no epoll for the streams: %s", uv_strerror(r));
    server->watch.data = server;
    server->open_handles++;
    uv_poll_start(&server->watch, UV_READABLE, on_watch);
    return 0;
}
