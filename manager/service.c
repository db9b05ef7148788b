#include "manager/service.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>
#include <uv.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "common/http/admin.h"
#include "common/loop/signals.h"
#include "manager/link/commands.h"
#include "manager/link/link.h"
#include "manager/reconcile/collector.h"
#include "manager/reconcile/projects.h"

#define CLOSE_MS         2000 /* for the goodbye */
#define PULL_PROGRESS_MS 200

struct manager {
    const struct manager_config *config;
    uv_loop_t loop;
    struct signals signals;
    uv_timer_t deadline;
    struct metrics *metrics;
    struct admin *admin;
    struct store *store;
    struct engine *engine;
    struct events *events;
    struct collector *collector;
    struct projects *projects;
    struct link *link;
    struct commands *commands;
    struct report_context report;
    char engine_reason[256];
    struct log_limit progress;
    bool stopping;
};

/* ---- the engine ---- */

static void on_engine_changed(void *context, enum engine_state state, const char *reason)
{
    struct manager *s = context;

    if (state == ENGINE_UP)
        log_info("manager", "the engine answers", LOG_STR("version", engine_version(s->engine)),
                 LOG_INT("api_minor", engine_api_minor(s->engine)),
                 LOG_STR("socket", s->config->docker_socket));
    else
        log_warning("manager", "the engine does not answer: asking it again",
                    LOG_STR("socket", s->config->docker_socket), LOG_STR("reason", reason));
    (void)snprintf(s->engine_reason, sizeof(s->engine_reason), "%s", reason ? reason : "");
    if (s->events && state == ENGINE_UP)
        events_engine_up(s->events);
    if (s->projects)
        projects_engine_changed(s->projects);
    if (s->link)
        link_report_changed(s->link);
}

static void on_event(void *context, const char *type, const char *action, const char *id,
                     const char *project)
{
    struct manager *s = context;
    bool of_container = str_equal(type, "container");

    /* Of what goes on within a container only its health concerns us; of another's nothing does. */
    if (of_container && (project[0] == '\0' || str_starts_with(action, "exec_")))
        return;
    if (str_equal(type, "network"))
        projects_wake_network(s->projects, id);
    else
        projects_wake(s->projects, project, of_container ? id : NULL);
}

static void on_events_ready(void *context)
{
    struct manager *s = context;
    projects_wake(s->projects, "", NULL);
}

/* ---- projects ---- */

static void on_project_changed(void *context, const struct project *project)
{
    struct manager *s = context;

    (void)project;
    if (s->link)
        link_report_changed(s->link);
}

static void on_progress(void *context, const struct project *project, const struct step_news *news)
{
    struct manager *s = context;
    uint64_t suppressed;

    if (s->link &&
        (news->event != STEP_GOES_ON ||
         log_limit_pass(&s->progress, clock_monotonic_ms(), PULL_PROGRESS_MS, &suppressed)))
        link_tell_progress(s->link, progress_make(&s->report, project, news));
}

/* ---- the broker ---- */

static int on_desired(void *context, const char *project, const struct origin *origin,
                      const char *text, size_t len, struct err *e)
{
    struct manager *s = context;
    return projects_offer(s->projects, project, origin, text, len, e);
}

static void on_command(void *context, const char *text, size_t len)
{
    struct manager *s = context;
    commands_handle(s->commands, text, len);
}

static cJSON *make_report(void *context)
{
    const struct manager *s = context;
    return report_make(&s->report);
}

static int64_t raise_session(void *context, int64_t known)
{
    struct manager *s = context;
    struct err e = {0};

    int r = store_raise_session(s->store, known, &s->report.session, &e);
    if (r < 0)
        log_error("manager", "the session could not be raised", LOG_STR("reason", e.msg));
    return r < 0 ? r : s->report.session;
}

static void on_closed(void *context)
{
    struct manager *s = context;
    uv_stop(&s->loop);
}

/* ---- administration ---- */

static bool is_ready(void *context, char *reason, size_t size)
{
    const struct manager *s = context;

    if (engine_state(s->engine) != ENGINE_UP) {
        (void)snprintf(reason, size, "the engine does not answer: %s", s->engine_reason);
        return false;
    }
    return link_is_ready(s->link, reason, size);
}

static double engine_up(void *context)
{
    const struct manager *s = context;
    return engine_state(s->engine) == ENGINE_UP;
}

static double writes(void *context)
{
    const struct manager *s = context;
    return (double)engine_writes(s->engine);
}

static double images_removed(void *context)
{
    const struct manager *s = context;
    return (double)collector_removed(s->collector);
}

static double count(const struct manager *s, bool converged)
{
    struct project_status status;
    double n = 0;

    for (size_t i = 0; i < projects_count(s->projects); i++) {
        project_status(projects_at(s->projects, i), &status);
        n += status.converged == converged;
    }
    return n;
}

static double converged(void *context)
{
    return count(context, true);
}

static double not_converged(void *context)
{
    return count(context, false);
}

static void init_metrics(struct manager *s)
{
    metrics_callback(s->metrics, "bellbuoy_manager_engine_up", NULL,
                     "1 while the Docker engine answers.", engine_up, s);
    metrics_callback(s->metrics, "bellbuoy_manager_engine_writes_total", NULL,
                     "Requests to the engine that may change something.", writes, s);
    metrics_callback(s->metrics, "bellbuoy_manager_images_removed_total", NULL,
                     "Images that were pulled and nothing needed any more.", images_removed, s);
    metrics_callback(s->metrics, "bellbuoy_manager_projects", "converged=\"true\"",
                     "Projects by whether they are as their document says.", converged, s);
    metrics_callback(s->metrics, "bellbuoy_manager_projects", "converged=\"false\"",
                     "Projects by whether they are as their document says.", not_converged, s);
    if (s->config->mqtt_address.tls)
        validity_metrics(s->metrics, link_validity(s->link));
    metrics_process(s->metrics, "manager");
}

static int start_admin(struct manager *s, struct err *e)
{
    const struct admin_settings settings = {
        .address = s->config->admin.address,
        .metrics = s->metrics,
        .check = "node",
        .ready = is_ready,
        .context = s,
    };

    return admin_new(&s->loop, &settings, &s->admin, e);
}

/* ---- start and stop ---- */

static void on_late(uv_timer_t *timer)
{
    uv_stop(timer->loop);
}

/* Containers go on: what is under way is taken up by the next start. */
static void on_signal(void *context, int number)
{
    struct manager *s = context;

    if (s->stopping) {
        uv_stop(&s->loop);
        return;
    }
    s->stopping = true;
    log_info("manager", "stopping", LOG_STR("signal", signals_name(number)));
    uv_timer_start(&s->deadline, on_late, CLOSE_MS, 0);
    link_close(s->link);
}

static void init_handles(struct manager *s)
{
    signals_start(&s->signals, &s->loop, on_signal, s);
    uv_timer_init(&s->loop, &s->deadline);
    s->deadline.data = s;
}

static int start_engine(struct manager *s, struct err *e)
{
    const struct engine_settings engine = {
        .loop = &s->loop,
        .socket = s->config->docker_socket,
        .changed = on_engine_changed,
        .context = s,
    };

    int r = engine_new(&engine, &s->engine, e);
    if (r < 0)
        return r;
    const struct events_settings events = {
        .engine = s->engine,
        .event = on_event,
        .ready = on_events_ready,
        .context = s,
    };
    return events_new(&events, &s->events, e);
}

static int start_collector(struct manager *s, struct err *e)
{
    const struct collector_settings settings = {
        .loop = &s->loop,
        .engine = s->engine,
        .store = s->store,
        .random = &random_kernel,
        .interval_ms = s->config->image_gc_interval_ms,
        .min_age_ms = s->config->image_gc_min_age_ms,
    };
    return collector_new(&settings, &s->collector, e);
}

static int start_projects(struct manager *s, struct err *e)
{
    const struct project_settings settings = {
        .loop = &s->loop,
        .engine = s->engine,
        .store = s->store,
        .collector = s->collector,
        .safety = &s->config->safety,
        .node = s->config->node,
        .registry_config = s->config->registry_config,
        .random = &random_kernel,
        .context = s,
        .changed = on_project_changed,
        .progress = on_progress,
    };
    int r = projects_new(&settings, &s->projects, e);
    if (r == 0)
        collector_start(s->collector, s->projects);
    return r;
}

static int start_link(struct manager *s, struct err *e)
{
    const struct manager_config *c = s->config;
    const struct link_settings settings = {
        .loop = &s->loop,
        .mqtt = &c->mqtt,
        .address = c->mqtt_address,
        .node = c->node,
        .session = s->report.session,
        .groups = c->groups,
        .group_count = c->group_count,
        .handlers = {on_desired, on_command, make_report, raise_session, on_closed, s},
    };

    int r = link_new(&settings, &s->link, e);
    if (r < 0)
        return r;
    return commands_new(
        &(struct commands_settings){
            .engine = s->engine,
            .projects = s->projects,
            .store = s->store,
            .link = s->link,
            .safety = &c->safety,
            .node = c->node,
            .report = make_report,
            .context = s,
        },
        &s->commands, e);
}

static int start(struct manager *s, struct err *e)
{
    const struct manager_config *c = s->config;

    init_handles(s);
    if (metrics_new(&s->metrics) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    int r = store_open(c->state_dir, &s->store, e);
    if (r == 0)
        r = store_next_session(s->store, &s->report.session, e);
    if (r < 0)
        err_context(e, "--state-dir");
    if (r == 0)
        r = start_engine(s, e);
    if (r == 0)
        r = start_collector(s, e);
    if (r == 0)
        r = start_projects(s, e);
    if (r < 0)
        return r;
    s->report = (struct report_context){
        .node = c->node,
        .session = s->report.session,
        .groups = c->groups,
        .group_count = c->group_count,
        .engine = s->engine,
        .engine_reason = s->engine_reason,
        .projects = s->projects,
    };
    r = start_link(s, e);
    if (r < 0)
        return r;
    init_metrics(s);
    return start_admin(s, e);
}

static void deinit(struct manager *s)
{
    commands_free(s->commands);
    link_stop(s->link);
    admin_free(s->admin);
    projects_free(TAKE(s->projects));
    collector_free(s->collector);
    events_free(s->events);
    engine_stop(s->engine);
    signals_stop(&s->signals);
    uv_close((uv_handle_t *)&s->deadline, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    link_free(s->link);
    engine_free(s->engine);
    store_free(s->store);
    metrics_free(s->metrics);
    int r = uv_loop_close(&s->loop);
    assert(r == 0);
    (void)r;
}

int service_run(const struct manager_config *config, struct err *e)
{
    struct manager s = {.config = config};

    int r = uv_loop_init(&s.loop);
    if (r < 0)
        return FAIL(e, -r, "no event loop could be made: %s", uv_strerror(r));
    r = start(&s, e);
    if (r == 0) {
        log_info("manager", "started", LOG_STR("version", BELLBUOY_VERSION),
                 LOG_STR("node", config->node), LOG_INT("session", s.report.session),
                 LOG_INT("projects", projects_count(s.projects)),
                 LOG_STR("state_dir", config->state_dir),
                 LOG_STR("broker", config->mqtt.broker_url),
                 LOG_STR("admin_address", s.admin ? config->admin.address : NULL));
        uv_run(&s.loop, UV_RUN_DEFAULT);
    }
    deinit(&s);
    if (r == 0)
        log_info("manager", "stopped");
    return r;
}
