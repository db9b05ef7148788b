#include "broker/service.h"

#include <assert.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "broker/mosquitto.h"
#include "broker/probe.h"
#include "broker/relay.h"
#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "common/http/admin.h"
#include "common/loop/signals.h"

#define LOOK_MS 1000 /* from one look at the certificates to the next */

struct service {
    const struct broker_config *config;
    uv_loop_t loop;
    struct signals signals;
    uv_timer_t look;
    struct metrics *metrics;
    struct metric *restarts, *reloads;
    struct admin *admin;
    struct mosquitto_process *mosquitto;
    struct probe *probe;
    struct certificates loaded;
    bool has_loaded;
    char complaint[sizeof((struct err *)NULL)->msg]; /* of the files as they are; "": none */
    bool restarting, stopping, failed;
};

static int64_t now_s(void)
{
    return clock_wall_us() / 1000000;
}

/* ---- certificates ---- */

/* Once for each reason, not at each look. */
static void complain(struct service *s, const struct err *e)
{
    if (str_equal(s->complaint, e->msg))
        return;
    (void)snprintf(s->complaint, sizeof(s->complaint), "%s", e->msg);
    log_error("broker",
              s->has_loaded ? "the new certificates are not used, the old ones stay"
                            : "mosquitto is not started without certificates",
              LOG_STR("reason", e->msg), LOG_SECURITY);
}

static void log_certificates(const char *msg, const struct certificates *c)
{
    char own[CLOCK_TEXT_SIZE], authority[CLOCK_TEXT_SIZE];

    clock_format_us(c->validity.own_end_s * 1000000, own);
    clock_format_us(c->validity.authority_end_s * 1000000, authority);
    log_info("broker", msg, LOG_STR("expires", own), LOG_STR("authority_expires", authority));
}

/* Also with certificates that have expired: only what is there can be looked at from outside. */
static void start_mosquitto(struct service *s)
{
    struct err e = {0};

    if (s->has_loaded && validity_check(&s->loaded.validity, now_s(), &e) < 0)
        log_error("broker", "clients will refuse the broker", LOG_STR("reason", e.msg),
                  LOG_SECURITY);
    if (mosquitto_process_start(s->mosquitto, &e) < 0) {
        log_error("broker", "mosquitto could not be started", LOG_STR("reason", e.msg));
        s->failed = true;
        uv_stop(&s->loop);
    }
}

static void load(struct service *s, const struct certificates *found)
{
    bool same_authority =
        memcmp(found->authority, s->loaded.authority, sizeof(found->authority)) == 0;

    s->loaded = *found;
    if (same_authority) {
        log_certificates("the certificate was renewed: mosquitto reloads it", found);
        metric_add(s->reloads, 1);
        mosquitto_process_reload(s->mosquitto);
    } else {
        /* At SIGHUP Mosquitto goes on with the authority that it started with. */
        log_certificates("the authority has changed: mosquitto is restarted", found);
        metric_add(s->restarts, 1);
        s->restarting = true;
        mosquitto_process_stop(s->mosquitto);
    }
}

static bool is_loaded(const struct service *s, const struct certificates *found)
{
    return s->has_loaded && memcmp(found->own, s->loaded.own, sizeof(found->own)) == 0 &&
           memcmp(found->authority, s->loaded.authority, sizeof(found->authority)) == 0;
}

static void look_at_certificates(struct service *s)
{
    bool running = mosquitto_process_is_running(s->mosquitto);
    struct certificates found = {0};
    struct err e = {0};

    int r = certificates_read(&s->config->files, &found, &e);
    if (r == 0 && running && !is_loaded(s, &found))
        r = validity_check(&found.validity, now_s(), &e);
    if (r < 0) {
        complain(s, &e);
        return;
    }
    s->complaint[0] = '\0';
    if (running && is_loaded(s, &found))
        return;
    if (running) {
        load(s, &found);
    } else {
        s->loaded = found;
        s->has_loaded = true;
        start_mosquitto(s);
    }
}

static void look(struct service *s)
{
    if (s->stopping || s->restarting)
        return;
    if (s->config->files.certificate[0] != '\0')
        look_at_certificates(s);
    else if (!mosquitto_process_is_running(s->mosquitto))
        start_mosquitto(s);
}

static void on_look(uv_timer_t *timer)
{
    look(timer->data);
}

/* ---- Mosquitto ---- */

static void on_line(void *context, const char *text)
{
    const struct service *s = context;
    struct relay_line line = relay_parse(text, s->config->health_address.port);

    relay_write(&line);
}

static void on_ended(void *context, bool well, const char *how)
{
    struct service *s = context;

    if (s->stopping) {
        s->failed = !well;
        uv_stop(&s->loop);
    } else if (s->restarting) {
        s->restarting = false;
        look(s);
    } else {
        log_error("broker", "mosquitto has ended by itself", LOG_STR("how", how));
        s->failed = true;
        uv_stop(&s->loop);
    }
}

/* ---- administration ---- */

static bool is_ready(void *context, char *reason, size_t size)
{
    const struct service *s = context;
    struct err e = {0};

    if (!mosquitto_process_is_running(s->mosquitto)) {
        (void)snprintf(reason, size, "mosquitto is not running%s%s", s->complaint[0] ? ": " : "",
                       s->complaint);
        return false;
    }
    if (s->has_loaded && validity_check(&s->loaded.validity, now_s(), &e) < 0) {
        (void)snprintf(reason, size, "%s", e.msg);
        return false;
    }
    return probe_is_answered(s->probe, reason, size);
}

static void init_metrics(struct service *s)
{
    validity_metrics(s->metrics, &s->loaded.validity);
    s->reloads = metrics_counter(s->metrics, "bellbuoy_broker_reloads_total", NULL,
                                 "Renewed certificates that Mosquitto was told to reload.");
    s->restarts = metrics_counter(s->metrics, "bellbuoy_broker_restarts_total", NULL,
                                  "Restarts of Mosquitto for a changed authority.");
    metrics_process(s->metrics, "broker");
}

static int start_admin(struct service *s, struct err *e)
{
    const struct admin_settings settings = {
        .address = s->config->admin.address,
        .metrics = s->metrics,
        .check = "mosquitto",
        .ready = is_ready,
        .context = s,
    };

    return admin_new(&s->loop, &settings, &s->admin, e);
}

/* ---- start and stop ---- */

static void on_signal(void *context, int number)
{
    struct service *s = context;

    if (number == SIGHUP) {
        if (mosquitto_process_is_running(s->mosquitto))
            mosquitto_process_reload(s->mosquitto);
        return;
    }
    if (s->stopping) /* Mosquitto has a deadline */
        return;
    s->stopping = true;
    log_info("broker", "stopping", LOG_STR("signal", signals_name(number)));
    if (!mosquitto_process_is_running(s->mosquitto))
        uv_stop(&s->loop);
    else if (!s->restarting)
        mosquitto_process_stop(s->mosquitto);
}

static void init_handles(struct service *s)
{
    signals_start(&s->signals, &s->loop, on_signal, s);
    signals_add(&s->signals, SIGHUP);
    uv_timer_init(&s->loop, &s->look);
    s->look.data = s;
}

static int start(struct service *s, struct err *e)
{
    const struct mosquitto_settings settings = {
        .program = s->config->mosquitto,
        .conf = s->config->conf,
        .line = on_line,
        .ended = on_ended,
        .context = s,
    };

    init_handles(s);
    if (metrics_new(&s->metrics) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    init_metrics(s);
    int r = mosquitto_process_new(&s->loop, &settings, &s->mosquitto, e);
    if (r == 0)
        r = start_admin(s, e);
    if (r == 0)
        r = probe_new(&s->loop, s->config, &s->probe, e);
    if (r == 0)
        uv_timer_start(&s->look, on_look, 0, LOOK_MS);
    return r;
}

static void deinit(struct service *s)
{
    probe_stop(s->probe);
    admin_free(s->admin);
    mosquitto_process_free(s->mosquitto);
    signals_stop(&s->signals);
    uv_close((uv_handle_t *)&s->look, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    probe_free(s->probe);
    metrics_free(s->metrics);
    int r = uv_loop_close(&s->loop);
    assert(r == 0);
    (void)r;
}

int service_run(const struct broker_config *config, struct err *e)
{
    struct service s = {.config = config};

    int r = uv_loop_init(&s.loop);
    if (r < 0)
        return FAIL(e, -r, "no event loop could be made: %s", uv_strerror(r));
    r = start(&s, e);
    if (r == 0) {
        log_info("broker", "started", LOG_STR("version", BELLBUOY_VERSION),
                 LOG_STR("conf", config->conf), LOG_STR("certificate", config->files.certificate),
                 LOG_STR("admin_address", s.admin ? config->admin.address : NULL));
        uv_run(&s.loop, UV_RUN_DEFAULT);
    }
    deinit(&s);
    if (r < 0)
        return r;
    log_info("broker", "stopped");
    return s.failed ? SERVICE_FAILED : SERVICE_STOPPED;
}
