#include "broadcaster/service.h"

#include <assert.h>
#include <uv.h>

#include "broadcaster/counters.h"
#include "broadcaster/ledger.h"
#include "broadcaster/player.h"
#include "broadcaster/publisher.h"
#include "broadcaster/source.h"
#include "broadcaster/summary.h"
#include "common/base/log.h"
#include "common/http/admin.h"
#include "common/loop/signals.h"

#define DRAIN_MS 4000 /* for what waits; */
#define CLOSE_MS 500  /* for the goodbye: in all less than the 5 s that a service may take */

struct service {
    const struct broadcaster_config *config;
    uv_loop_t loop;
    struct signals signals;
    uv_timer_t deadline;
    struct metrics *metrics;
    struct counters counters;
    struct sources *sources;
    struct ledger *ledger;
    struct publisher *publisher;
    struct player *player;
    struct admin *admin;
    struct summary summary;
    bool stopping;
};

static double outbox_messages(void *context)
{
    const struct service *s = context;
    return (double)publisher_kept(s->publisher);
}

static bool is_ready(void *context, char *reason, size_t size)
{
    const struct service *s = context;
    return publisher_is_ready(s->publisher, reason, size);
}

/* ---- the end ---- */

static void on_closed(void *context)
{
    struct service *s = context;
    uv_stop(&s->loop);
}

static void on_goodbye_late(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

static void on_drain_late(uv_timer_t *timer)
{
    struct service *s = timer->data;

    log_warning("broadcaster", "messages are lost: the broker did not take them in time",
                LOG_INT("lost", publisher_undelivered(s->publisher)));
    uv_timer_start(timer, on_goodbye_late, CLOSE_MS, 0);
    publisher_close(s->publisher);
}

static void on_signal(void *context, int number)
{
    struct service *s = context;

    if (s->stopping) { /* asked twice: at once */
        uv_stop(&s->loop);
        return;
    }
    s->stopping = true;
    log_info("broadcaster", "stopping", LOG_STR("signal", signals_name(number)),
             LOG_INT("undelivered", publisher_undelivered(s->publisher)));
    player_stop(s->player);
    uv_timer_start(&s->deadline, on_drain_late, DRAIN_MS, 0);
    publisher_finish(s->publisher);
}

/* ---- start and stop ---- */

static void init_handles(struct service *s)
{
    signals_start(&s->signals, &s->loop, on_signal, s);
    uv_timer_init(&s->loop, &s->deadline);
    s->deadline.data = s;
}

static void deinit(struct service *s)
{
    player_stop(s->player);
    publisher_stop(s->publisher);
    admin_free(s->admin);
    summary_stop(&s->summary);
    signals_stop(&s->signals);
    uv_close((uv_handle_t *)&s->deadline, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    player_free(s->player);
    publisher_free(s->publisher);
    ledger_free(s->ledger);
    sources_free(s->sources);
    metrics_free(s->metrics);
    int r = uv_loop_close(&s->loop);
    assert(r == 0);
    (void)r;
}

static int start_admin(struct service *s, struct err *e)
{
    const struct admin_settings settings = {
        .address = s->config->admin.address,
        .metrics = s->metrics,
        .check = "broker",
        .ready = is_ready,
        .context = s,
    };

    return admin_new(&s->loop, &settings, &s->admin, e);
}

static int start_messages(struct service *s, struct err *e)
{
    const struct broadcaster_config *c = s->config;

    if (metrics_new(&s->metrics) < 0 ||
        sources_new(c->source, (size_t)c->sources, &random_kernel, &s->sources) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    counters_init(&s->counters, s->metrics);
    int r = c->ledger ? ledger_open(c->ledger, &s->ledger, e) : 0;
    if (r == 0)
        r = publisher_new(&s->loop,
                          &(struct publisher_settings){
                              .config = c,
                              .sources = s->sources,
                              .counters = &s->counters,
                              .ledger = s->ledger,
                              .closed = on_closed,
                              .context = s,
                          },
                          &s->publisher, e);
    if (r == 0)
        r = player_new(&s->loop,
                       &(struct player_settings){
                           .config = c,
                           .sources = s->sources,
                           .publisher = s->publisher,
                           .counters = &s->counters,
                           .random = &random_kernel,
                       },
                       &s->player, e);
    return r;
}

static void init_metrics(struct service *s)
{
    metrics_callback(s->metrics, "bellbuoy_broadcaster_outbox_messages", NULL,
                     "Messages kept: waiting, in flight, or acknowledged a moment ago.",
                     outbox_messages, s);
    if (s->config->mqtt_address.tls)
        validity_metrics(s->metrics, publisher_validity(s->publisher));
    metrics_process(s->metrics, "broadcaster");
}

static int start(struct service *s, struct err *e)
{
    init_handles(s);
    int r = start_messages(s, e);
    if (r < 0)
        return r;
    init_metrics(s);
    r = start_admin(s, e);
    if (r == 0 && !publisher_logs_messages(s->config))
        summary_start(&s->loop, &s->summary, &s->counters, s->publisher);
    return r;
}

int service_run(const struct broadcaster_config *config, struct err *e)
{
    struct service s = {.config = config};

    int r = uv_loop_init(&s.loop);
    if (r < 0)
        return FAIL(e, -r, "no event loop could be made: %s", uv_strerror(r));
    r = start(&s, e);
    if (r == 0) {
        log_info("broadcaster", "started", LOG_STR("version", BELLBUOY_VERSION),
                 LOG_STR("profile", profile_names[config->profile_index]),
                 LOG_STR("source", config->source), LOG_INT("sources", config->sources),
                 LOG_INT("rate", config->rate), LOG_STR("broker", config->mqtt.broker_url),
                 LOG_STR("client_id", config->mqtt.client_id),
                 LOG_STR("admin_address", s.admin ? config->admin.address : NULL));
        uv_run(&s.loop, UV_RUN_DEFAULT);
    }
    deinit(&s);
    if (r == 0)
        log_info("broadcaster", "stopped");
    return r;
}
