#include "fake_engine.h"

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/buf.h"
#include "common/base/str.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fake_connection {
    uv_pipe_t pipe;
    struct fake_engine *fake;
    struct fake_connection *next;
    char request[4096];
    size_t len;
    uv_write_t write;
    struct buf reply;
    bool ends;
};

static void on_closed(uv_handle_t *handle)
{
    struct fake_connection *connection = handle->data;

    buf_deinit(&connection->reply);
    free(connection);
}

static void end(struct fake_connection *connection)
{
    struct fake_connection **at = &connection->fake->first;

    if (uv_is_closing((uv_handle_t *)&connection->pipe))
        return;
    while (*at != connection)
        at = &(*at)->next;
    *at = connection->next;
    connection->fake->open--;
    uv_close((uv_handle_t *)&connection->pipe, on_closed);
}

static void on_written(uv_write_t *write, int status)
{
    struct fake_connection *connection = write->data;

    if (status < 0 || connection->ends)
        end(connection);
}

/* At once: byte by byte, 40 MB would hold the loop up for longer than an engine may take to answer.
 */
static void append_fill(struct buf *out, size_t size)
{
    char *fill AUTO(free) = size > 0 ? malloc(size) : NULL;

    if (size == 0)
        return;
    assert_non_null(fill);
    memset(fill, 'x', size);
    buf_append(out, fill, size);
}

static void reply(struct fake_connection *connection, const struct fake_reply *wanted)
{
    if (!wanted->bytes)
        return;
    buf_reset(&connection->reply);
    buf_append_str(&connection->reply, wanted->bytes);
    append_fill(&connection->reply, wanted->fill);
    connection->ends = wanted->ends;
    uv_buf_t bytes = uv_buf_init(connection->reply.data, (unsigned)connection->reply.len);
    connection->write.data = connection;
    uv_write(&connection->write, (uv_stream_t *)&connection->pipe, &bytes, 1, on_written);
}

static void reply_json(struct fake_connection *connection, const char *json)
{
    char text[1024];

    (void)snprintf(text, sizeof(text), "HTTP/1.1 200 OK\r\nContent-Length: %zu\r\n\r\n%s",
                   strlen(json), json);
    reply(connection, &(struct fake_reply){.bytes = text});
}

static void answer(struct fake_connection *connection)
{
    const struct fake_engine *fake = connection->fake;

    for (const struct fake_reply *r = fake->replies; r && r->request; r++) {
        if (str_starts_with(connection->request, r->request)) {
            reply(connection, r);
            return;
        }
    }
    if (str_starts_with(connection->request, "GET /version ")) {
        if (fake->version)
            reply_json(connection, fake->version);
    } else if (strstr(connection->request, "/info ")) {
        reply_json(connection, "{\"DockerRootDir\":\"/data\"}");
    } else {
        reply_json(connection, "[]");
    }
}

static void on_alloc(uv_handle_t *handle, size_t suggested, uv_buf_t *buf)
{
    struct fake_connection *connection = handle->data;

    (void)suggested;
    *buf = uv_buf_init(connection->request + connection->len,
                       (unsigned)(sizeof(connection->request) - 1 - connection->len));
}

static void on_read(uv_stream_t *stream, ssize_t size, const uv_buf_t *buf)
{
    struct fake_connection *connection = stream->data;

    (void)buf;
    if (size < 0) {
        end(connection);
        return;
    }
    connection->len += (size_t)size;
    connection->request[connection->len] = '\0';
    if (!strstr(connection->request, "\r\n\r\n"))
        return;
    connection->fake->requests++;
    connection->len = 0;
    answer(connection);
}

static void on_connection(uv_stream_t *stream, int status)
{
    struct fake_engine *fake = stream->data;
    struct fake_connection *connection = calloc(1, sizeof(*connection));

    assert_int_equal(status, 0);
    assert_non_null(connection);
    connection->fake = fake;
    connection->reply = BUF_INIT(64 << 20);
    connection->next = fake->first;
    fake->first = connection;
    fake->connections++;
    fake->open++;
    uv_pipe_init(fake->loop, &connection->pipe, 0);
    connection->pipe.data = connection;
    uv_accept(stream, (uv_stream_t *)&connection->pipe);
    uv_read_start((uv_stream_t *)&connection->pipe, on_alloc, on_read);
}

void fake_init(struct fake_engine *fake, uv_loop_t *loop)
{
    char folder[] = "/tmp/bellbuoy-engine-XXXXXX";

    *fake = (struct fake_engine){.loop = loop, .version = FAKE_VERSION("25.0.1")};
    signal(SIGPIPE, SIG_IGN); /* of a client that has left */
    assert_non_null(mkdtemp(folder));
    (void)snprintf(fake->socket, sizeof(fake->socket), "%s/engine.sock", folder);
}

void fake_start(struct fake_engine *fake)
{
    fake->listener = calloc(1, sizeof(*fake->listener));
    assert_non_null(fake->listener);
    uv_pipe_init(fake->loop, fake->listener, 0);
    fake->listener->data = fake;
    assert_int_equal(uv_pipe_bind(fake->listener, fake->socket), 0);
    assert_int_equal(uv_listen((uv_stream_t *)fake->listener, 16, on_connection), 0);
}

static void on_listener_closed(uv_handle_t *handle)
{
    free(handle);
}

void fake_stop(struct fake_engine *fake)
{
    while (fake->first)
        end(fake->first);
    if (fake->listener)
        uv_close((uv_handle_t *)TAKE(fake->listener), on_listener_closed);
}

void fake_deinit(struct fake_engine *fake)
{
    fake_stop(fake);
    *strrchr(fake->socket, '/') = '\0';
    rmdir(fake->socket);
}
