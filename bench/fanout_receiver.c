/*
 * SSE fan-out by the receiver's own journal, hub and server, without a broker before them: what
 * fanout_floor does by system calls alone.
 *
 *     fanout_receiver DIR
 *
 * DIR is for the journal: a folder in memory, so that the disk is not what is measured. Prints
 * "port N", then takes lines "send COUNT GAP_US" on stdin: COUNT events, GAP_US apart, 0 for all at
 * once.
 */

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <uv.h>

#include "bench/rows.h"
#include "common/base/log.h"
#include "common/http/server.h"
#include "receiver/stream/streams.h"

#define BATCH_MAX 1000

static struct journal *journal;
static struct streams *streams;
static uv_async_t ended;
static unsigned long long event_number;

static void die(const struct err *e)
{
    fprintf(stderr, "fanout_receiver: %s\n", e->msg);
    exit(1);
}

static void handle_stream(void *context, struct http_request *request)
{
    (void)context;
    streams_handle(streams, request);
}

static void on_ended(uv_async_t *handle)
{
    uv_stop(handle->loop);
}

static void publish(struct batch *batch, unsigned count)
{
    struct err e = {0};

    batch_reset(batch);
    for (unsigned i = 0; i < count; i++)
        bench_add_row(batch, ++event_number);
    if (batch_failed(batch) || journal_append(journal, batch, &e) < 0)
        die(&e);
    hub_publish(streams_hub(streams), batch);
}

static void sleep_until(int64_t time_ns)
{
    struct timespec t = {.tv_sec = time_ns / 1000000000LL, .tv_nsec = time_ns % 1000000000LL};
    clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &t, NULL);
}

static void *run_commands(void *unused)
{
    struct batch batch;
    char line[128];

    batch_init(&batch, 64 << 20);
    while (fgets(line, sizeof(line), stdin) && strncmp(line, "send ", 5) == 0) {
        char *rest;
        unsigned left = (unsigned)strtoul(line + 5, &rest, 10);
        int64_t gap_ns = strtoll(rest, NULL, 10) * 1000, next_ns = bench_now_ns();
        while (left > 0) {
            unsigned count = gap_ns ? 1 : left < BATCH_MAX ? left : BATCH_MAX;
            sleep_until(next_ns);
            publish(&batch, count);
            left -= count;
            next_ns += gap_ns;
        }
    }
    batch_deinit(&batch);
    uv_async_send(&ended);
    return unused;
}

int main(int argc, char **argv)
{
    static const struct http_route routes[] = {{"GET", "/api/v1/stream", 0, handle_stream}};
    struct err e = {0};
    uv_loop_t *loop = uv_default_loop();
    struct metrics *metrics = NULL;
    struct reads *reads = NULL;
    struct http_server *server = NULL;
    struct journal_status status;
    pthread_t thread;

    if (argc != 2) {
        fprintf(stderr, "usage: fanout_receiver DIR\n");
        return 2;
    }
    log_setup(LOG_ERROR, LOG_LOGFMT);
    const struct journal_settings journal_settings = {
        .dir = argv[1], .clock = &clock_system, .random = &random_kernel};
    if (metrics_new(&metrics) < 0 || journal_new(&journal_settings, &journal, &e) < 0 ||
        journal_open(journal, &e) < 0 || reads_new(loop, journal, &reads) < 0)
        die(&e);
    const struct streams_settings streams_settings = {.loop = loop,
                                                      .reads = reads,
                                                      .max_clients = 32768,
                                                      .heartbeat_ms = 15000,
                                                      .random = &random_kernel,
                                                      .metrics = metrics};
    const struct http_settings http_settings = {.address = "127.0.0.1",
                                                .max_connections = 32768,
                                                .max_body_bytes = 1024,
                                                .idle_timeout_s = 60,
                                                .client_timeout_ms = 120000,
                                                .routes = routes,
                                                .route_count = 1,
                                                .metrics = metrics};
    if (streams_new(&streams_settings, &streams, &e) < 0 ||
        http_server_new(loop, &http_settings, &server, &e) < 0)
        die(&e);
    streams_set_server(streams, server);
    journal_status(journal, &status);
    hub_open(streams_hub(streams), status.last);
    uv_async_init(loop, &ended, on_ended);
    printf("port %u\n", http_server_port(server));
    fflush(stdout);
    if (pthread_create(&thread, NULL, run_commands, NULL) != 0)
        return 1;
    uv_run(loop, UV_RUN_DEFAULT);
    pthread_join(thread, NULL);
    return 0; /* the process's end frees 10,000 connections faster than we would */
}
