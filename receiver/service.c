#include "receiver/service.h"

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <unistd.h>
#include <uv.h>

#include "common/base/log.h"
#include "common/loop/signals.h"
#include "common/metrics/metrics.h"
#include "receiver/api/api.h"
#include "receiver/ingest/ingest.h"
#include "receiver/journal/journal.h"
#include "receiver/journal/reads.h"
#include "receiver/nodes/registry.h"
#include "receiver/nodes/watch.h"
#include "receiver/stream/streams.h"

#define DRAIN_MS       2000 /* at most, for answers under way at the end */
#define DRAIN_STEP_MS  10
#define CHECK_AFTER_MS 30000 /* the background check of the journal waits for the start's rush */

struct service {
    const struct receiver_config *config;
    char instance[256];
    uv_loop_t loop;
    struct signals signals;
    uv_timer_t drain, check;
    struct metrics *metrics;
    struct journal *journal;
    struct reads *reads;
    struct streams *streams;
    struct registry *registry;
    struct watch *watch;
    const char *filters[CONFIG_FILTERS_SIZE];
    struct ingest *ingest;
    struct api *api;
    int signals_seen;
    int drained_ms;
};

/* ---- the background check for damage ---- */

static void check_work(void *job, struct journal_reader *reader)
{
    struct service *s = job;
    struct err e = {0};

    if (reader && journal_check(s->journal, reader, &e) < 0)
        log_error("journal", "the check for damage failed", LOG_STR("reason", e.msg));
}

static void check_done(void *job)
{
    (void)job;
}

static void on_check(uv_timer_t *timer)
{
    struct service *s = timer->data;
    if (reads_submit(s->reads, READS_REST, check_work, check_done, s) < 0)
        uv_timer_start(&s->check, on_check, CHECK_AFTER_MS, 0);
}

/* ---- the end ---- */

static void close_handles(struct service *s)
{
    signals_stop(&s->signals);
    uv_close((uv_handle_t *)&s->drain, NULL);
    uv_close((uv_handle_t *)&s->check, NULL);
}

static void on_drain(uv_timer_t *timer)
{
    struct service *s = timer->data;

    s->drained_ms += DRAIN_STEP_MS;
    if (api_is_idle(s->api) || s->drained_ms >= DRAIN_MS)
        uv_stop(&s->loop);
}

/* The first signal drains; a second one does not wait. */
static void on_signal(void *context, int number)
{
    struct service *s = context;

    if (s->signals_seen++ > 0) {
        uv_stop(&s->loop);
        return;
    }
    log_info("receiver", "stopping", LOG_STR("signal", signals_name(number)));
    ingest_stop(TAKE(s->ingest));
    api_set_ingest(s->api, NULL);
    api_quiesce(s->api);
    uv_timer_start(&s->drain, on_drain, 0, DRAIN_STEP_MS);
}

/* ---- the start ---- */

/* Each stream is a file descriptor. */
static void raise_file_limit(void)
{
    struct rlimit limit;

    if (getrlimit(RLIMIT_NOFILE, &limit) == 0 && limit.rlim_cur < limit.rlim_max) {
        limit.rlim_cur = limit.rlim_max;
        if (setrlimit(RLIMIT_NOFILE, &limit) < 0)
            log_warning("receiver", "the limit of open files could not be raised");
    }
}

static void init_handles(struct service *s)
{
    /* A limit on the size of files is a full disk to the journal, not the end of the process. */
    signal(SIGXFSZ, SIG_IGN);
    signals_start(&s->signals, &s->loop, on_signal, s);
    uv_timer_init(&s->loop, &s->drain);
    s->drain.data = s;
    uv_timer_init(&s->loop, &s->check);
    s->check.data = s;
    uv_timer_start(&s->check, on_check, CHECK_AFTER_MS, 0);
}

static int make_journal(struct service *s, struct err *e)
{
    const struct journal_settings settings = {
        .dir = s->config->data_dir,
        .retention_age_ms = s->config->retention_age_ms,
        .retention_bytes = s->config->retention_bytes,
        .clock = &clock_system,
        .random = &random_kernel,
    };

    int r = journal_new(&settings, &s->journal, e);
    return r < 0 ? r : reads_new(&s->loop, s->journal, &s->reads);
}

static int make_streams(struct service *s, struct err *e)
{
    const struct streams_settings settings = {
        .loop = &s->loop,
        .reads = s->reads,
        .max_clients = (unsigned)s->config->max_clients,
        .heartbeat_ms = s->config->heartbeat_ms,
        .random = &random_kernel,
        .metrics = s->metrics,
    };
    return streams_new(&settings, &s->streams, e);
}

/* What nodes say shares the journal's file: an eighth of it at most, as the quarantine. */
static size_t nodes_bytes(const struct receiver_config *config)
{
    int64_t share = config->retention_bytes / 8;
    return share > 0 && share < (int64_t)REGISTRY_BYTES_MAX ? (size_t)share : REGISTRY_BYTES_MAX;
}

static int make_nodes(struct service *s, struct err *e)
{
    const struct registry_settings registry = {
        .max_nodes = REGISTRY_NODES_MAX,
        .max_bytes = nodes_bytes(s->config),
        .max_payload_bytes = (size_t)s->config->max_payload_bytes,
        .random = &random_kernel,
        .metrics = s->metrics,
    };
    int r = registry_new(&registry, &s->registry);
    if (r < 0)
        return FAIL(e, -r, "out of memory");
    const struct watch_settings watch = {
        .loop = &s->loop,
        .registry = s->registry,
        .heartbeat_ms = s->config->heartbeat_ms,
        .clock = &clock_system,
        .random = &random_kernel,
        .metrics = s->metrics,
    };
    return watch_new(&watch, &s->watch, e);
}

static int make_api(struct service *s, struct err *e)
{
    const struct api_settings settings = {
        .loop = &s->loop,
        .journal = s->journal,
        .reads = s->reads,
        .streams = s->streams,
        .registry = s->registry,
        .watch = s->watch,
        .mqtt = &s->config->mqtt,
        .mqtt_address = s->config->mqtt_address,
        .token_file = s->config->token_file,
        .listen_address = s->config->listen_address,
        .port = (uint16_t)s->config->port,
        .allow_hosts = s->config->allow_host.items,
        .max_clients = (unsigned)s->config->max_clients,
        .client_timeout_ms = (unsigned)s->config->client_timeout_ms,
        .retention_age_ms = s->config->retention_age_ms,
        .retention_bytes = s->config->retention_bytes,
        .version = BELLBUOY_VERSION,
        .instance = s->instance,
        .clock = &clock_system,
        .random = &random_kernel,
        .metrics = s->metrics,
    };
    return api_new(&settings, &s->api, e);
}

static int make_ingest(struct service *s, struct err *e)
{
    config_filters(s->config, s->filters);
    const struct ingest_settings settings = {
        .mqtt = &s->config->mqtt,
        .address = s->config->mqtt_address,
        .filters = s->filters,
        .fleeting_filter = NODE_FILTER_PROGRESS,
        .data_dir = s->config->data_dir,
        .max_payload_bytes = (size_t)s->config->max_payload_bytes,
        .journal = s->journal,
        .registry = s->registry,
        .hub = streams_hub(s->streams),
        .clock = &clock_system,
        .random = &random_kernel,
        .metrics = s->metrics,
    };
    return ingest_start(&settings, &s->ingest, e);
}

static int make_parts(struct service *s, struct err *e)
{
    int r = metrics_new(&s->metrics);
    if (r < 0)
        return FAIL(e, ENOMEM, "out of memory");
    metrics_process(s->metrics, "receiver");
    r = make_journal(s, e);
    if (r == 0)
        r = make_streams(s, e);
    if (r == 0)
        r = make_nodes(s, e);
    if (r == 0)
        r = make_api(s, e);
    if (r == 0)
        r = make_ingest(s, e);
    if (r == 0)
        api_set_ingest(s->api, s->ingest);
    return r;
}

static void free_parts(struct service *s)
{
    ingest_stop(s->ingest);
    reads_free(s->reads);
    api_free(s->api);
    streams_free(s->streams);
    watch_free(s->watch);
    close_handles(s);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    registry_free(s->registry);
    journal_free(s->journal);
    metrics_free(s->metrics);
}

int service_run(const struct receiver_config *config, struct err *e)
{
    struct service s = {.config = config};

    if (gethostname(s.instance, sizeof(s.instance) - 1) < 0)
        s.instance[0] = '\0';
    raise_file_limit();
    int r = uv_loop_init(&s.loop);
    if (r < 0)
        return FAIL(e, -r, "the event loop could not be made: %s", uv_strerror(r));
    init_handles(&s);
    r = make_parts(&s, e);
    if (r == 0) {
        log_info("receiver", "listening", LOG_STR("address", config->listen_address),
                 LOG_INT("port", api_port(s.api)), LOG_STR("version", BELLBUOY_VERSION),
                 LOG_STR("broker", config->mqtt.broker_url), LOG_STR("data_dir", config->data_dir));
        uv_run(&s.loop, UV_RUN_DEFAULT);
    }
    free_parts(&s);
    uv_loop_close(&s.loop);
    if (r == 0)
        log_info("receiver", "stopped");
    return r;
}
