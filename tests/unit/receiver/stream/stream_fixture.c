#include "tests/unit/receiver/stream/stream_fixture.h"

#include <netinet/in.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <cmocka.h>

#define BODY_MAX ((size_t)256 << 20)

/* ---- the receiver's half ---- */

static int64_t wall_us(void *context)
{
    return ((struct stream_fixture *)context)->wall_us;
}

static int64_t monotonic_ms(void *context)
{
    (void)context;
    return clock_monotonic_ms();
}

static void open_journal(struct stream_fixture *f)
{
    const struct journal_settings settings = {
        .dir = f->dir,
        .retention_age_ms = f->options.retention_age_ms,
        .clock = &f->clock,
        .random = &random_kernel,
    };
    struct journal_status status;
    struct err e;

    f->wall_us = clock_wall_us();
    f->clock = (struct clock){wall_us, monotonic_ms, f};
    assert_int_equal(journal_new(&settings, &f->journal, &e), 0);
    if (f->options.journal_stays_closed)
        return;
    assert_int_equal(journal_open(f->journal, &e), 0);
    journal_status(f->journal, &status);
    f->epoch = status.last.epoch;
}

static void handle(void *context, struct http_request *request)
{
    struct stream_fixture *f = context;

    streams_handle(f->streams, request);
}

static void make_streams(struct stream_fixture *f)
{
    const struct streams_settings settings = {
        .loop = &f->thread.loop,
        .reads = f->reads,
        .ring_bytes = f->options.ring_bytes,
        .max_clients = f->options.max_clients > 0 ? f->options.max_clients : 100,
        .heartbeat_ms = f->options.heartbeat_ms > 0 ? f->options.heartbeat_ms : 3600000,
        .random = &random_kernel,
        .metrics = f->metrics,
    };
    struct err e;

    assert_int_equal(streams_new(&settings, &f->streams, &e), 0);
}

static void make(void *context)
{
    static const struct http_route routes[] = {{"GET", "/api/v1/stream", 0, handle}};
    struct stream_fixture *f = context;
    const struct http_settings settings = {
        .address = "127.0.0.1",
        .max_connections = 2000,
        .max_body_bytes = 1000,
        .idle_timeout_s = 10,
        .client_timeout_ms = 120000,
        .routes = routes,
        .route_count = 1,
        .context = f,
        .metrics = f->metrics,
    };
    struct err e;

    assert_int_equal(reads_new(&f->thread.loop, f->journal, &f->reads), 0);
    make_streams(f);
    assert_int_equal(http_server_new(&f->thread.loop, &settings, &f->server, &e), 0);
    streams_set_server(f->streams, f->server);
    f->port = http_server_port(f->server);
}

struct stream_fixture *stream_fixture_start(const struct stream_options *options)
{
    struct stream_fixture *f = calloc(1, sizeof(*f));

    assert_non_null(f);
    f->options = *options;
    snprintf(f->dir, sizeof(f->dir), "/tmp/test_streams_XXXXXX");
    assert_non_null(mkdtemp(f->dir));
    assert_int_equal(metrics_new(&f->metrics), 0);
    batch_init(&f->batch, (size_t)64 << 20);
    f->frames = BUF_INIT((size_t)1 << 30);
    open_journal(f);
    loop_thread_start(&f->thread);
    loop_thread_call(&f->thread, make, f);
    if (!options->journal_stays_closed)
        hub_open(streams_hub(f->streams), (struct cursor){f->epoch, 0});
    return f;
}

static void end(void *context)
{
    struct stream_fixture *f = context;

    reads_free(f->reads);
    http_server_free(f->server);
    streams_free(f->streams);
}

void stream_fixture_stop(struct stream_fixture *f)
{
    char command[100];

    loop_thread_stop(&f->thread, end, f);
    journal_free(f->journal);
    metrics_free(f->metrics);
    batch_deinit(&f->batch);
    buf_deinit(&f->frames);
    snprintf(command, sizeof(command), "rm -r %s", f->dir);
    assert_int_equal(system(command), 0);
    free(f);
}

/* ---- events ---- */

static struct batch_text copy_text(struct batch *batch, const char *text)
{
    return batch_copy(batch, text, strlen(text));
}

void stream_fixture_add(struct stream_fixture *f, const struct stream_event *event)
{
    struct batch_entry *entry = batch_add(&f->batch);
    struct buf json = BUF_INIT((size_t)16 << 20);
    size_t data_at;
    char id[32];

    assert_non_null(entry);
    snprintf(id, sizeof(id), "%llu", (unsigned long long)f->next_id++);
    buf_appendf(&json, "{\"type\":\"%s\",\"source\":\"%s\",\"id\":\"%s\",\"data\":", event->type,
                event->source, id);
    data_at = json.len;
    buf_append_str(&json, event->data);
    buf_append_char(&json, '}');
    entry->recorded_us = f->wall_us;
    entry->time_us = f->wall_us;
    entry->criticality = event->criticality;
    entry->topic = copy_text(&f->batch, "bellbuoy/events/x/event");
    entry->type = copy_text(&f->batch, event->type);
    entry->source = copy_text(&f->batch, event->source);
    entry->id = copy_text(&f->batch, id);
    entry->json = batch_copy(&f->batch, json.data, json.len);
    entry->data = (struct batch_text){entry->json.at + data_at, strlen(event->data)};
    assert_false(buf_failed(&json));
    buf_deinit(&json);
}

void stream_fixture_store(struct stream_fixture *f)
{
    struct err e;

    assert_int_equal(journal_append(f->journal, &f->batch, &e), 0);
    for (size_t i = 0; i < f->batch.count; i++) {
        const struct batch_entry *entry = &f->batch.entries[i];

        assert_int_equal(entry->outcome, BATCH_STORED);
        buf_appendf(&f->frames, "id: %08x-%llu\ndata: ", f->epoch, (unsigned long long)entry->seq);
        buf_append(&f->frames, batch_out(&f->batch, entry->stored), entry->stored.len);
        buf_append_str(&f->frames, "\n\n");
    }
    assert_false(buf_failed(&f->frames));
}

void stream_fixture_publish(struct stream_fixture *f)
{
    stream_fixture_store(f);
    hub_publish(streams_hub(f->streams), &f->batch);
    batch_reset(&f->batch);
}

void stream_fixture_fill(struct stream_fixture *f, unsigned count, size_t size, unsigned batch)
{
    struct buf data = BUF_INIT(size + 100);

    for (unsigned i = 0; i < count; i++) {
        const struct stream_event event = {EVENT_TYPE_HELLO, "/machines/a", EVENT_NO_NUMBER, NULL};
        struct stream_event with_data = event;

        buf_reset(&data);
        buf_appendf(&data, "{\"n\":%u,\"text\":\"", i);
        for (size_t k = 0; k < size; k++)
            buf_append_char(&data, (char)('a' + (i + k) % 26));
        buf_append_str(&data, "\"}");
        with_data.data = data.data;
        stream_fixture_add(f, &with_data);
        if ((i + 1) % batch == 0 || i + 1 == count)
            stream_fixture_publish(f);
    }
    buf_deinit(&data);
}

void stream_fixture_maintain(struct stream_fixture *f, int64_t later_us)
{
    f->wall_us += later_us;
    while (journal_maintain(f->journal) > 0)
        ;
}

struct counting {
    struct stream_fixture *fixture;
    struct streams_counts counts;
};

static void count(void *context)
{
    struct counting *c = context;

    c->counts = streams_count(c->fixture->streams);
}

struct streams_counts stream_fixture_counts(struct stream_fixture *f)
{
    struct counting c = {.fixture = f};

    loop_thread_call(&f->thread, count, &c);
    return c.counts;
}

/* ---- the client ---- */

static void send_request(struct sse *sse, const char *query, const char *headers)
{
    char request[2048];

    snprintf(request, sizeof(request),
             "GET /api/v1/stream%s%s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", *query ? "?" : "",
             query, headers);
    raw_send(sse->fd, request);
}

void sse_open(struct stream_fixture *f, struct sse *sse, const char *query, const char *headers)
{
    *sse = (struct sse){.fd = raw_connect(f->port), .body = BUF_INIT(BODY_MAX)};
    send_request(sse, query, headers);
    sse_read_head(sse);
}

void sse_open_deaf(struct stream_fixture *f, struct sse *sse, const char *query,
                   const char *headers)
{
    struct sockaddr_in address = {
        .sin_family = AF_INET,
        .sin_port = htons(f->port),
        .sin_addr.s_addr = htonl(INADDR_LOOPBACK),
    };
    int size = 4096;

    *sse = (struct sse){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0),
                        .body = BUF_INIT(BODY_MAX)};
    assert_int_equal(setsockopt(sse->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size)), 0);
    assert_int_equal(connect(sse->fd, (struct sockaddr *)&address, sizeof(address)), 0);
    send_request(sse, query, headers);
}

void sse_read_head(struct sse *sse)
{
    char *end;

    raw_read_until(sse->fd, &sse->wire, "\r\n\r\n");
    end = strstr(sse->wire.text, "\r\n\r\n") + 4;
    sse->wire.len -= (size_t)(end - sse->wire.text);
    memmove(sse->wire.text, end, sse->wire.len + 1);
}

void sse_close(struct sse *sse)
{
    close(sse->fd);
    raw_input_free(&sse->wire);
    buf_deinit(&sse->body);
    *sse = (struct sse){.fd = -1};
}

/* Moves whole chunks from the wire to the body. */
static void take_chunks(struct sse *sse)
{
    char *wire = sse->wire.text;
    size_t at = 0;

    for (;;) {
        char *line_end = memchr(wire + at, '\n', sse->wire.len - at);
        size_t size, from;

        if (!line_end)
            break;
        size = strtoul(wire + at, NULL, 16);
        from = (size_t)(line_end + 1 - wire);
        if (from + size + 2 > sse->wire.len || size == 0)
            break;
        buf_append(&sse->body, wire + from, size);
        at = from + size + 2;
    }
    sse->wire.len -= at;
    memmove(wire, wire + at, sse->wire.len + 1);
}

static void read_more(struct sse *sse)
{
    raw_read_some(sse->fd, &sse->wire);
    take_chunks(sse);
}

void sse_wait(struct sse *sse, const char *needle)
{
    size_t from = 0;

    if (sse->wire.text)
        take_chunks(sse);
    while (!sse->body.data || !strstr(sse->body.data + from, needle)) {
        if (sse->wire.at_end)
            fail_msg("ended without '%s'", needle);
        /* What was searched once is not searched again. */
        from = sse->body.len > strlen(needle) ? sse->body.len - strlen(needle) : 0;
        read_more(sse);
    }
}

void sse_wait_len(struct sse *sse, size_t len)
{
    if (sse->wire.text)
        take_chunks(sse);
    while (sse->body.len < len) {
        assert_false(sse->wire.at_end);
        read_more(sse);
    }
}

void sse_wait_end(struct sse *sse)
{
    while (!sse->wire.at_end)
        read_more(sse);
}

const char *sse_after_retry(const struct sse *sse)
{
    const char name[] = "retry: ";
    char *end;

    assert_memory_equal(sse->body.data, name, strlen(name));
    assert_in_range(strtol(sse->body.data + strlen(name), &end, 10), 3000, 7000);
    assert_memory_equal(end, "\n\n", 2);
    return end + 2;
}

/* ---- what a client got ---- */

void stream_fixture_format_id(const struct stream_fixture *f, uint64_t seq, char *text, size_t size)
{
    snprintf(text, size, "id: %08x-%llu\n", f->epoch, (unsigned long long)seq);
}

const char *stream_fixture_frames_from(const struct stream_fixture *f, uint64_t first)
{
    char id[64];
    const char *at;

    stream_fixture_format_id(f, first, id, sizeof(id));
    at = strstr(f->frames.data, id);
    assert_non_null(at);
    return at;
}

void sse_check_frames(const struct stream_fixture *f, struct sse *sse, uint64_t first)
{
    const char *expected = stream_fixture_frames_from(f, first);
    size_t len = strlen(expected);

    sse_wait(sse, "\n\n");
    sse_wait_len(sse, (size_t)(sse_after_retry(sse) - sse->body.data) + len);
    assert_int_equal(strlen(sse_after_retry(sse)), len);
    if (memcmp(sse_after_retry(sse), expected, len) != 0)
        fail_msg("other frames");
}

void sse_open_after(struct stream_fixture *f, struct sse *sse, uint64_t after)
{
    char header[64];

    snprintf(header, sizeof(header), "Last-Event-ID: %08x-%llu\r\n", f->epoch,
             (unsigned long long)after);
    sse_open(f, sse, "", header);
}

void stream_fixture_wait_counts(struct stream_fixture *f, unsigned live, unsigned replaying)
{
    struct streams_counts counts;

    do
        counts = stream_fixture_counts(f);
    while (counts.live != live || counts.replaying != replaying);
}
