#include "manager/reconcile/project.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/reconcile/gate.h"
#include "manager/reconcile/project_internal.h"

#define SETTLE_MS 250   /* events come in swarms */
#define GHOST_MS  60000 /* until it is tried again to remove what the engine did not */
#define LIST_MS   60000 /* in case events were missed; half of that at least, by chance */

static const char *const phase_names[] = {
    [PHASE_IDENTIFYING] = "IDENTIFYING",   [PHASE_REJECTED] = "REJECTED",
    [PHASE_WAITING] = "WAITING",           [PHASE_DOWNLOADING] = "DOWNLOADING",
    [PHASE_UPDATING] = "UPDATING",         [PHASE_ACTIVATING] = "ACTIVATING",
    [PHASE_VERIFYING] = "VERIFYING",       [PHASE_COMPLETED] = "COMPLETED",
    [PHASE_ROLLING_BACK] = "ROLLING_BACK", [PHASE_ROLLED_BACK] = "ROLLED_BACK",
    [PHASE_INCOMPLETE] = "INCOMPLETE",     [PHASE_STALLED] = "STALLED",
    [PHASE_SUPERSEDED] = "SUPERSEDED",
};

const char *phase_name(enum phase phase)
{
    return phase_names[phase];
}

const char *project_name(const struct project *project)
{
    return project->name;
}

void project_changed(struct project *p)
{
    p->settings.changed(p->settings.context, p);
}

void project_set_phase(struct project *p, enum phase phase)
{
    if (p->state.phase == phase)
        return;
    p->state.phase = phase;
    p->state.since_us = clock_wall_us();
    log_debug("manager", "phase", LOG_STR("project", p->name), LOG_STR("phase", phase_name(phase)));
    project_changed(p);
}

/* ---- looking ---- */

static void on_wake(uv_timer_t *timer)
{
    project_step(timer->data);
}

void project_schedule(struct project *p, int64_t ms)
{
    uint64_t due = ms > 0 ? (uint64_t)ms : 0;

    if (!uv_is_active((uv_handle_t *)&p->wake) || uv_timer_get_due_in(&p->wake) > due)
        uv_timer_start(&p->wake, on_wake, due, 0);
}

static void schedule_list(struct project *p)
{
    project_schedule(p, random_between(p->settings.random, LIST_MS / 2, LIST_MS));
}

void project_wake(struct project *p, const char *container)
{
    if (p->execution)
        execution_wake(p->execution, container);
    project_schedule(p, SETTLE_MS);
}

bool project_uses_network(const struct project *p, const char *network)
{
    const struct observed *o = p->observed;

    if (!o || !p->converged)
        return true;
    for (size_t i = 0; i < o->network_count; i++)
        if (str_equal(o->networks[i].id, network) && str_equal(o->networks[i].project, p->name))
            return true;
    for (size_t i = 0; i < o->container_count; i++)
        for (size_t k = 0; k < o->containers[i].network_count; k++)
            if (str_equal(o->containers[i].networks[k].id, network))
                return true;
    return false;
}

void project_supersede(struct project *p)
{
    project_fetch_free(p);
    if (p->execution) {
        project_set_phase(p, PHASE_SUPERSEDED);
        execution_cancel(p->execution);
    } else {
        observe_cancel(TAKE(p->observation));
    }
    p->attempt = p->keep_attempt = p->stale_plans = 0;
    p->next_retry_ms = p->next_retry_us = p->next_keep_ms = p->next_ghost_ms = 0;
    p->refresh_images = true;
    breaker_reset(&p->breaker);
    p->bad_image[0] = '\0';
    project_schedule(p, 0);
}

/* ---- acting ---- */

static bool is_steady(const struct project *p)
{
    return p->keeping || p->state.mode == MODE_STEADY;
}

static enum plan_mode plan_mode(const struct project *p)
{
    static const enum plan_mode modes[] = {
        [MODE_STEADY] = PLAN_STEADY, [MODE_APPLY] = PLAN_APPLY, [MODE_ROLLBACK] = PLAN_ROLLBACK};
    return is_steady(p) ? PLAN_STEADY : modes[p->state.mode];
}

static const enum phase op_phases[OP_KIND_COUNT] = {
    [OP_PULL] = PHASE_DOWNLOADING,       [OP_NETWORK_CREATE] = PHASE_UPDATING,
    [OP_VOLUME_CREATE] = PHASE_UPDATING, [OP_CREATE] = PHASE_UPDATING,
    [OP_CONNECT] = PHASE_UPDATING,       [OP_LIMITS] = PHASE_UPDATING,
    [OP_STOP] = PHASE_UPDATING,          [OP_RENAME] = PHASE_UPDATING,
    [OP_DISCONNECT] = PHASE_UPDATING,    [OP_START] = PHASE_ACTIVATING,
    [OP_VERIFY] = PHASE_VERIFYING,
};

static void log_step(const struct project *p, const struct step_news *news)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(1024);

    if (news->event != STEP_ENDS || !op_is_change(news->op->kind))
        return;
    op_format(news->op, &text);
    log_info("manager", "done", LOG_STR("project", p->name), LOG_STR("step", text.data));
}

void project_tell_step(struct project *p, const struct step_news *news)
{
    log_step(p, news);
    collector_take_step(p->settings.collector, news);
    p->settings.progress(p->settings.context, p, news);
}

static void on_step(void *context, const struct step_news *news)
{
    struct project *p = context;
    const struct op *op = news->op;
    enum phase phase = op_phases[op->kind];

    /* Only forward: services are at different places. What was good before is verified, too. */
    if (p->state.mode == MODE_APPLY && !p->keeping && phase > p->state.phase &&
        !(op->kind == OP_VERIFY && op->after_count == 0 && plan_changes(&p->plan) > 0))
        project_set_phase(p, phase);
    project_tell_step(p, news);
}

static int on_commit(void *context, struct err *e)
{
    return project_commit(context, e);
}

static void on_executed(void *context, const struct execution_result *result)
{
    struct project *p = context;
    struct failure failure = result->failure;

    p->execution = NULL;
    uv_timer_stop(&p->deadline);
    if (p->timed_out)
        failure = (struct failure){
            .code = REASON_TIMEOUT,
            .message = "the apply took longer than the policy's progressDeadline",
        };
    p->timed_out = false;
    if (failure.code != REASON_NONE && (!result->cancelled || failure.code == REASON_TIMEOUT)) {
        if (project_goes_around(p, &failure))
            ; /* no failure of the document */
        else if (is_steady(p) && failure.code != REASON_TIMEOUT)
            project_keep_failed(p, &failure);
        else
            project_failed(p, &failure);
    } else if (is_steady(p)) {
        p->keep_attempt = 0;
        p->next_keep_ms = 0;
        p->trouble = (struct failure){0};
    }
    project_changed(p);
    project_schedule(p, 0);
}

static void on_deadline(uv_timer_t *timer)
{
    struct project *p = timer->data;

    p->timed_out = true;
    execution_cancel(p->execution);
}

static void execute(struct project *p)
{
    const struct policy *policy = &p->target->document->policy;
    struct err e = {0};
    const struct execution_settings settings = {
        .loop = p->settings.loop,
        .engine = p->settings.engine,
        .document = p->target->document,
        .observed = p->observed,
        .plan = &p->plan,
        .node = p->settings.node,
        .secrets_dir = p->settings.safety->secrets_dir,
        .registry_config = p->settings.registry_config,
        .keep_going = is_steady(p) || policy->on_failure == ON_FAILURE_KEEP_PARTIAL,
        .context = p,
        .commit = on_commit,
        .step = on_step,
        .done = on_executed,
    };

    if (execution_start(&settings, &p->execution, &e) < 0) {
        log_error("manager", "nothing can be done", LOG_STR("project", p->name),
                  LOG_STR("reason", e.msg));
        project_schedule(p, LIST_MS);
        return;
    }
    if (!is_steady(p) && p->state.mode == MODE_APPLY)
        uv_timer_start(&p->deadline, on_deadline,
                       (uint64_t)(policy->progress_deadline_ns / 1000000), 0);
}

/* ---- deciding ---- */

static bool is_drift(enum op_kind kind)
{
    return op_is_change(kind) && kind != OP_PULL && kind != OP_CONNECT;
}

static void list_drift(struct project *p)
{
    p->drift_count = 0;
    for (size_t i = 0; i < p->plan.count && p->drift_count < DRIFT_MAX; i++) {
        const struct op *op = &p->plan.ops[i];
        struct drift *last = p->drift_count > 0 ? &p->drift[p->drift_count - 1] : NULL;

        if (op->may_fail || !is_drift(op->kind) || op->reason[0] == '\0' ||
            (last && str_equal(last->object, op->object)))
            continue;
        struct drift *drift = &p->drift[p->drift_count++];
        (void)snprintf(drift->service, sizeof(drift->service), "%s",
                       op->service ? op->service->name : "");
        (void)snprintf(drift->object, sizeof(drift->object), "%s", op->object);
        (void)snprintf(drift->cause, sizeof(drift->cause), "%s", op->reason);
    }
}

static bool has_pulls(const struct plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->ops[i].kind == OP_PULL)
            return true;
    return false;
}

static struct failure failure_of(const struct obstacle *obstacle)
{
    struct failure failure = {.code = obstacle->code};

    (void)snprintf(failure.service, sizeof(failure.service), "%s",
                   obstacle->service ? obstacle->service : "");
    (void)snprintf(failure.message, sizeof(failure.message), "%s", obstacle->message);
    return failure;
}

/* What is good is kept as it says. */
static void decide_keep(struct project *p)
{
    int64_t wait_ms = p->next_keep_ms - clock_monotonic_ms();
    struct failure failure = failure_of(&p->plan.obstacle);

    p->converged = plan_changes(&p->plan) == 0 && failure.code == REASON_NONE;
    list_drift(p);
    if (p->converged) {
        p->trouble = (struct failure){0};
        p->keep_attempt = 0;
        p->next_keep_ms = 0;
        if (!p->keeping)
            project_forget_ghosts(p);
        if (p->plan.count > 0)
            p->next_ghost_ms = clock_monotonic_ms() + GHOST_MS;
    }
    if ((p->converged && p->plan.count == 0) || p->state.paused ||
        p->target->document->policy.drift == DRIFT_REPORT) {
        ; /* nothing is to be done, or it is told, and left */
    } else if (p->next_keep_ms != 0 && wait_ms > 0) {
        project_schedule(p, wait_ms);
    } else if (failure.code != REASON_NONE ||
               !breaker_allows(&p->breaker, &p->plan, clock_monotonic_ms(), &failure)) {
        project_keep_failed(p, &failure);
    } else {
        execute(p);
    }
    project_changed(p);
}

/* What is desired, or was good, is to become. */
static void decide_change(struct project *p)
{
    struct failure failure = failure_of(&p->plan.obstacle);

    p->converged = false;
    p->drift_count = 0;
    if (p->state.failure.code == REASON_ENGINE_DOWN)
        p->state.failure = (struct failure){0};
    if (p->state.paused || p->state.held)
        ; /* told, and left */
    else if (failure.code != REASON_NONE)
        project_failed(p, &failure);
    else if (has_pulls(&p->plan))
        project_fetch(p);
    else
        execute(p);
    project_changed(p);
}

static void on_observed(void *context, struct observed *observed, const struct err *e)
{
    struct project *p = context;
    const struct plan_settings settings = {
        .mode = plan_mode(p),
        .refresh_images = p->refresh_images && !is_steady(p),
        .bad_image = is_steady(p) && p->bad_image[0] != '\0' ? p->bad_image : NULL,
        .ghosts = &p->ghosts,
        .suspects = &p->suspects,
        .remove_ghosts = is_steady(p) && clock_monotonic_ms() >= p->next_ghost_ms,
    };

    p->observation = NULL;
    if (!observed) {
        log_debug("manager", "the engine cannot be looked at", LOG_STR("project", p->name),
                  LOG_STR("reason", e->msg));
        project_schedule(p, 1000);
        return;
    }
    plan_deinit(&p->plan);
    observed_release(p->observed);
    p->observed = observed;
    schedule_list(p);
    if (p->again)
        project_schedule(p, 0);
    if (plan_make(&p->plan, p->target->document, p->observed, &settings) < 0) {
        log_error("manager", "out of memory", LOG_STR("project", p->name));
        plan_deinit(&p->plan);
        return;
    }
    if (is_steady(p))
        decide_keep(p);
    else
        decide_change(p);
}

static void wait_for_gate(struct project *p, int64_t opens_us)
{
    struct failure *failure = &p->state.failure;
    char text[CLOCK_TEXT_SIZE];

    p->gate_us = opens_us;
    clock_format_us(opens_us, text);
    *failure = (struct failure){.code = REASON_WINDOW};
    (void)snprintf(failure->message, sizeof(failure->message), "revision %lld %s %s",
                   (long long)p->desired->document->revision,
                   opens_us == INT64_MAX ? "has a window that never opens:" : "may begin at",
                   opens_us == INT64_MAX ? p->desired->document->policy.window.cron : text);
    project_set_phase(p, PHASE_WAITING);
}

/* When the change that is asked for may go on: 0, or in so many ms. */
static int64_t change_waits_ms(struct project *p)
{
    int64_t wait_ms = p->next_retry_ms == 0 ? 0 : p->next_retry_ms - clock_monotonic_ms();

    if (wait_ms > 0)
        return wait_ms;
    if (p->state.mode != MODE_APPLY || p->state.phase > PHASE_DOWNLOADING)
        return 0;
    int64_t now_us = clock_wall_us(), opens_us = gate_opens_us(p->desired->document, now_us);
    if (opens_us == 0) {
        p->gate_us = 0;
        if (p->state.failure.code == REASON_WINDOW)
            p->state.failure = (struct failure){0};
        return 0;
    }
    wait_for_gate(p, opens_us);
    /* The clock may be set: looked at again before. */
    return (opens_us - now_us) / 1000 < LIST_MS ? (opens_us - now_us) / 1000 + 1 : LIST_MS;
}

/* False: there is nothing to do now. */
static bool choose_target(struct project *p)
{
    int64_t wait_ms = p->state.mode == MODE_STEADY ? 0 : change_waits_ms(p);
    bool waits = wait_ms > 0 || p->fetch.target;

    p->keeping = waits && p->state.mode == MODE_APPLY;
    if (wait_ms > 0)
        project_schedule(p, wait_ms);
    if (waits && (!p->keeping || p->state.last_good.number == 0))
        return false;
    plan_deinit(&p->plan); /* refers to what the next lines may free */
    taken_unref(p->target);
    p->target = taken_ref(p->keeping ? p->good : project_taken(p));
    return true;
}

static void wait_for_engine(struct project *p)
{
    if (p->state.mode != MODE_APPLY || p->state.phase != PHASE_IDENTIFYING)
        return;
    p->state.failure =
        (struct failure){.code = REASON_ENGINE_DOWN, .message = "the engine does not answer"};
    project_set_phase(p, PHASE_WAITING);
}

void project_step(struct project *p)
{
    struct observe_settings settings = {
        .engine = p->settings.engine,
        .node = p->settings.node,
        .project = p->name,
        .done = on_observed,
        .context = p,
    };
    struct err e = {0};

    if (p->execution || p->observation) {
        p->again = true; /* looks again when that is done */
        return;
    }
    p->again = false;
    if (engine_state(p->settings.engine) != ENGINE_UP) {
        wait_for_engine(p); /* project_engine_changed() goes on */
        return;
    }
    uv_timer_stop(&p->wake);
    if (!choose_target(p))
        return;
    settings.document = p->target->document;
    if (observe_start(&settings, &p->observation, &e) < 0)
        project_schedule(p, LIST_MS);
}

void project_engine_changed(struct project *p)
{
    if (engine_state(p->settings.engine) == ENGINE_UP) {
        /* Whatever was waited for may have become possible. */
        p->next_retry_ms = p->next_retry_us = p->next_keep_ms = 0;
        project_forget_ghosts(p);
        project_schedule(p, 0);
    } else {
        p->converged = false;
    }
    project_changed(p);
}

/* ---- beginning and end ---- */

int project_save(struct project *p, struct err *e)
{
    int r = project_state_write(p->settings.store, p->name, &p->state, e);
    if (r < 0)
        log_error("manager", "the state could not be stored", LOG_STR("project", p->name),
                  LOG_STR("reason", e->msg));
    return r;
}

static int load_document(struct project *p, enum store_file file, struct taken **ret_taken,
                         struct err *e)
{
    struct document *document = NULL;
    struct rejection rejection = {0};
    char *text AUTO(free) = NULL;
    size_t len;

    int r = store_read(p->settings.store, p->name, file, &text, &len, e);
    if (r == -ENOENT)
        return 0;
    if (r == 0) {
        r = document_parse(text, len, p->settings.safety, &document, &rejection);
        if (r < 0)
            *e = rejection.e;
    }
    if (r < 0) {
        err_context(e, "the stored document of project '%s'", p->name);
        return r;
    }
    *ret_taken = taken_new(document, text, len);
    return *ret_taken ? 0 : FAIL(e, ENOMEM, "out of memory");
}

static int load(struct project *p, struct err *e)
{
    int r = project_state_read(p->settings.store, p->name, &p->state, e);
    if (r == 0)
        r = load_document(p, STORE_LAST_GOOD, &p->good, e);
    if (r == 0)
        r = load_document(p, STORE_DESIRED, &p->desired, e);
    if (r == 0 && !p->good)
        p->good = taken_empty(p->name);
    if (r == 0 && !p->good)
        r = FAIL(e, ENOMEM, "out of memory");
    if (r < 0)
        return r;
    /* The document is stored before the state that tells of it. */
    if (p->desired && !str_equal(p->desired->document->digest, p->state.desired.digest) &&
        !project_state_is_quarantined(&p->state, p->desired->document->digest)) {
        p->state.desired.number = p->desired->document->revision;
        memcpy(p->state.desired.digest, p->desired->document->digest, DIGEST_SIZE);
        p->state.mode = MODE_APPLY;
        p->state.phase = PHASE_IDENTIFYING;
    }
    if (p->state.mode == MODE_APPLY && !p->desired)
        p->state.mode = MODE_STEADY;
    return 0;
}

int project_new(const struct project_settings *settings, const char *name,
                struct project **ret_project, struct err *e)
{
    struct project *p = calloc(1, sizeof(*p));

    if (!p)
        return FAIL(e, ENOMEM, "out of memory");
    p->settings = *settings;
    p->refresh_images = true;
    int r = str_copy(p->name, sizeof(p->name), name)
                ? load(p, e)
                : FAIL(e, EINVAL, "'%s' is too long for a project's name", name);
    if (r < 0) {
        taken_unref(p->desired);
        taken_unref(p->good);
        free(p);
        return r;
    }
    uv_timer_init(settings->loop, &p->wake);
    uv_timer_init(settings->loop, &p->deadline);
    p->wake.data = p->deadline.data = p;
    project_schedule(p, 0);
    *ret_project = p;
    return 0;
}

static void on_closed(uv_handle_t *handle)
{
    struct project *p = handle->data;

    if (handle == (uv_handle_t *)&p->deadline) {
        uv_close((uv_handle_t *)&p->wake, on_closed);
        return;
    }
    plan_deinit(&p->plan);
    observed_release(p->observed);
    taken_unref(p->target);
    taken_unref(p->desired);
    taken_unref(p->good);
    free(p);
}

void project_free(struct project *p)
{
    if (!p)
        return;
    execution_free(TAKE(p->execution));
    project_fetch_free(p);
    observe_cancel(TAKE(p->observation));
    uv_timer_stop(&p->wake);
    uv_close((uv_handle_t *)&p->deadline, on_closed);
}
