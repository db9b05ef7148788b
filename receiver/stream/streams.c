#include "receiver/stream/streams.h"

#include "common/base/log.h"
#include "common/http/problem.h"
#include "receiver/api/query_params.h"
#include "receiver/stream/client.h"
#include "receiver/stream/streams_internal.h"

#define RING_BYTES ((size_t)8 << 20)

/* A client comes back after a time of its own, so that a restart does not bring all at once. */
#define RETRY_MIN_MS 3000
#define RETRY_MAX_MS 7000

/* Clients are spread over so many moments of the heartbeat's period. */
#define SLOTS 32

/* Reads of the journal under way at once; whoever else wants one stands in line. */
#define JOBS_MAX 32

/* A page, and a page while many are held by clients that are slow to take them. */
#define PAGE_BYTES       ((size_t)16 * 1024)
#define PAGE_SMALL_BYTES ((size_t)4 * 1024)
#define PAGES_MANY       1024

/* Connections that streams leave to requests and probes. */
#define OTHERS 64

LIST_HEAD(slot, client);
TAILQ_HEAD(queue, client);

struct streams {
    struct streams_settings settings;
    struct http_server *server;
    struct hub *hub;
    uv_timer_t heartbeat;
    struct slot slots[SLOTS];
    unsigned next_slot, beating_slot;
    struct queue queue; /* clients that want a page of the journal */
    unsigned clients, replaying, jobs, pages;
    bool is_quiescing;
    struct metric *sent_bytes, *sent_events, *refused, *gaps[REPLAY_AHEAD + 1];
};

/* ---- what clients ask ---- */

size_t streams_page_bytes(const struct streams *streams)
{
    return streams->pages > PAGES_MANY ? PAGE_SMALL_BYTES : PAGE_BYTES;
}

bool streams_is_quiescing(const struct streams *streams)
{
    return streams->is_quiescing;
}

void streams_count_sent(struct streams *streams, size_t bytes, unsigned events)
{
    metric_add(streams->sent_bytes, bytes);
    metric_add(streams->sent_events, events);
}

void streams_count_gap(struct streams *streams, enum replay_gap gap)
{
    metric_add(streams->gaps[gap], 1);
}

void streams_count_replaying(struct streams *streams, int change)
{
    streams->replaying += (unsigned)change;
}

void streams_count_pages(struct streams *streams, int change)
{
    streams->pages += (unsigned)change;
}

/* ---- pages of the journal ---- */

static void pump(struct streams *streams);

static void job_work(void *context, struct journal_reader *reader)
{
    struct replay_job *job = context;

    replay_work(&job->replay, reader);
}

static void job_done(void *context)
{
    struct replay_job *job = context;
    struct streams *streams = job->streams;
    struct client *client = job->client;

    streams->jobs--;
    if (client) {
        client_take_job(client, job);
        http_stream_wake(client->request);
    } else {
        replay_job_free(job);
    }
    pump(streams);
}

static int submit(struct streams *streams, struct client *client)
{
    struct replay_job *job = calloc(1, sizeof(*job));
    int r;

    if (!job)
        return -ENOMEM;
    replay_init(&job->replay, client->filter, client->epoch, client->place,
                streams_page_bytes(streams));
    job->streams = streams;
    job->client = client;
    r = reads_submit(streams->settings.reads, READS_STREAM, job_work, job_done, job);
    if (r < 0) {
        replay_job_free(job);
        return r;
    }
    client->job = job;
    streams->jobs++;
    return 0;
}

static void unqueue(struct streams *streams, struct client *client)
{
    if (client->is_queued) {
        TAILQ_REMOVE(&streams->queue, client, queue_entry);
        client->is_queued = false;
    }
}

static void pump(struct streams *streams)
{
    struct client *client;

    while (streams->jobs < JOBS_MAX && (client = TAILQ_FIRST(&streams->queue))) {
        unqueue(streams, client);
        if (streams->is_quiescing)
            continue;
        if (submit(streams, client) < 0)
            client->is_stalled = true;
    }
}

void streams_queue(struct streams *streams, struct client *client)
{
    TAILQ_INSERT_TAIL(&streams->queue, client, queue_entry);
    client->is_queued = true;
    pump(streams);
}

/* ---- waking ---- */

static void run_server(struct streams *streams)
{
    if (streams->server)
        http_server_run(streams->server);
}

static void on_published(void *context)
{
    struct streams *streams = context;
    struct client *client;

    for (size_t i = 0; i < SLOTS; i++) {
        LIST_FOREACH(client, &streams->slots[i], entry)
        {
            if (!client->is_replaying)
                http_stream_wake(client->request);
        }
    }
    run_server(streams);
}

static void on_heartbeat(uv_timer_t *timer)
{
    struct streams *streams = timer->data;
    struct client *client;

    LIST_FOREACH(client, &streams->slots[streams->beating_slot], entry)
    {
        client->heartbeat_due = true;
        client->is_stalled = false;
        http_stream_wake(client->request);
    }
    streams->beating_slot = (streams->beating_slot + 1) % SLOTS;
    run_server(streams);
}

static void start_heartbeat(struct streams *streams)
{
    int64_t period_ms = streams->settings.heartbeat_ms / SLOTS;

    if (period_ms < 1)
        period_ms = 1;
    uv_timer_start(&streams->heartbeat, on_heartbeat, (uint64_t)period_ms, (uint64_t)period_ms);
}

/* ---- a new client ---- */

static ssize_t on_read(void *stream, char *out, size_t max)
{
    return client_read(stream, out, max);
}

static void on_closed(void *stream)
{
    struct client *client = stream;
    struct streams *streams = client->streams;

    LIST_REMOVE(client, entry);
    unqueue(streams, client);
    client_free(client);
    if (--streams->clients == 0)
        uv_timer_stop(&streams->heartbeat);
}

static void add_client(struct streams *streams, struct client *client)
{
    LIST_INSERT_HEAD(&streams->slots[streams->next_slot], client, entry);
    streams->next_slot = (streams->next_slot + 1) % SLOTS;
    if (streams->clients++ == 0)
        start_heartbeat(streams);
}

static void refuse(struct streams *streams, struct http_request *request, const char *code,
                   const char *detail)
{
    const struct problem problem = {
        .status = 503,
        .code = code,
        .title = "No stream now",
        .retry_after_s = "5",
    };

    metric_add(streams->refused, 1);
    http_problem(request, &problem, "%s", detail);
}

/* False when the request was answered. */
static bool is_welcome(struct streams *streams, struct http_request *request)
{
    if (streams->is_quiescing)
        refuse(streams, request, "stopping", "the receiver is stopping");
    else if (streams->clients >= streams->settings.max_clients)
        refuse(streams, request, "too-many-clients",
               "as many clients as --max-clients allows are connected");
    else if (hub_last(streams->hub).epoch == 0)
        refuse(streams, request, "journal-not-open", "the journal is not open");
    else
        return true;
    return false;
}

static int bad_cursor(struct http_request *request, const char *name, const char *value)
{
    const struct problem problem = {
        .status = 400,
        .code = "invalid-parameter",
        .title = "Invalid cursor",
        .parameter = name,
    };

    http_problem(request, &problem,
                 "%s is '%.64s'; a cursor is <epoch>-<seq>, such as 5f3a9c01-1204", name, value);
    return -EINVAL;
}

/* -EINVAL when the request was answered. */
static int find_start(struct streams *streams, struct http_request *request,
                      const struct query *query, struct client_start *start)
{
    const char *last_id = http_request_header(request, "Last-Event-ID");

    start->retry_ms = random_between(streams->settings.random, RETRY_MIN_MS, RETRY_MAX_MS);
    start->is_given = true;
    if (last_id && *last_id != '\0') {
        if (cursor_parse(last_id, &start->after) < 0)
            return bad_cursor(request, "Last-Event-ID", last_id);
    } else if (query->given & QUERY_AFTER) {
        start->after = query->after;
    } else {
        start->after = hub_last(streams->hub);
        start->is_given = false;
    }
    return 0;
}

static void answer_no_memory(struct streams *streams, struct http_request *request)
{
    refuse(streams, request, "out-of-memory", "memory is short");
}

void streams_handle(struct streams *streams, struct http_request *request)
{
    static const struct http_header headers[] = {
        {"Cache-Control", "no-store, no-transform"},
        {"X-Accel-Buffering", "no"},
        {NULL, NULL},
    };
    static const struct http_stream_ops ops = {on_read, on_closed};
    struct client_start start = {0};
    struct filter *filter;
    struct client *client;
    struct query query;

    if (query_params_parse(request, QUERY_FILTERS | QUERY_AFTER, &query) < 0 ||
        find_start(streams, request, &query, &start) < 0 || !is_welcome(streams, request))
        return;
    if (filter_new(&query, &filter) < 0) {
        answer_no_memory(streams, request);
        return;
    }
    client = client_new(streams, request, filter, &start);
    if (!client) {
        answer_no_memory(streams, request);
        return;
    }
    add_client(streams, client);
    http_respond_stream(request, "text/event-stream", headers, &ops, client);
}

/* ---- life ---- */

struct hub *streams_hub(const struct streams *streams)
{
    return streams->hub;
}

void streams_set_server(struct streams *streams, struct http_server *server)
{
    unsigned room = http_server_max_connections(server);
    unsigned others = room / 4 < OTHERS ? room / 4 : OTHERS;

    streams->server = server;
    if (streams->settings.max_clients <= room - others)
        return;
    log_warning("stream", "the limit of open files bounds the clients",
                LOG_INT("wanted", streams->settings.max_clients),
                LOG_INT("possible", room - others));
    streams->settings.max_clients = room - others;
}

struct streams_counts streams_count(const struct streams *streams)
{
    return (struct streams_counts){
        .live = streams->clients - streams->replaying,
        .replaying = streams->replaying,
        .max = streams->settings.max_clients,
    };
}

void streams_quiesce(struct streams *streams)
{
    struct client *client;

    streams->is_quiescing = true;
    pump(streams);
    for (size_t i = 0; i < SLOTS; i++) {
        LIST_FOREACH(client, &streams->slots[i], entry)
        {
            http_stream_wake(client->request);
        }
    }
    run_server(streams);
}

static double live_value(void *context)
{
    return streams_count(context).live;
}

static double replaying_value(void *context)
{
    return streams_count(context).replaying;
}

static void init_metrics(struct streams *streams)
{
    static const char *const reasons[] = {NULL, "reason=\"retention\"", "reason=\"epoch\"",
                                          "reason=\"ahead\""};
    struct metrics *m = streams->settings.metrics;

    metrics_callback(m, "bellbuoy_stream_clients", "state=\"live\"", "Clients of the event stream.",
                     live_value, streams);
    metrics_callback(m, "bellbuoy_stream_clients", "state=\"replaying\"",
                     "Clients of the event stream.", replaying_value, streams);
    streams->sent_events = metrics_counter(m, "bellbuoy_stream_events_total", NULL,
                                           "Events given to clients of the stream.");
    streams->sent_bytes = metrics_counter(m, "bellbuoy_stream_bytes_total", NULL,
                                          "Bytes of events given to clients of the stream.");
    streams->refused =
        metrics_counter(m, "bellbuoy_stream_refused_total", NULL, "Streams refused with a 503.");
    for (size_t i = REPLAY_RETENTION; i <= REPLAY_AHEAD; i++)
        streams->gaps[i] = metrics_counter(m, "bellbuoy_stream_gaps_total", reasons[i],
                                           "Gaps that clients were told of.");
}

int streams_new(const struct streams_settings *settings, struct streams **ret_streams,
                struct err *e)
{
    struct streams *streams = calloc(1, sizeof(*streams));
    size_t ring_bytes = settings->ring_bytes > 0 ? settings->ring_bytes : RING_BYTES;
    int r;

    if (!streams)
        return FAIL(e, ENOMEM, "no memory for the streams");
    streams->settings = *settings;
    TAILQ_INIT(&streams->queue);
    r = hub_new(settings->loop, ring_bytes, on_published, streams, &streams->hub);
    if (r < 0) {
        free(streams);
        return FAIL(e, -r, "no memory for the ring of %zu bytes", ring_bytes);
    }
    init_metrics(streams);
    uv_timer_init(settings->loop, &streams->heartbeat);
    streams->heartbeat.data = streams;
    *ret_streams = streams;
    return 0;
}

static void on_timer_closed(uv_handle_t *handle)
{
    free(handle->data);
}

void streams_free(struct streams *streams)
{
    if (!streams)
        return;
    hub_free(streams->hub);
    uv_close((uv_handle_t *)&streams->heartbeat, on_timer_closed);
}
