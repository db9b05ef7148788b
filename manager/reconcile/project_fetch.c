#include "common/base/log.h"
#include "manager/reconcile/project_internal.h"

/* The pulls of an apply. They may take long: what was good is kept up meanwhile. */

static void release(struct project *p)
{
    plan_deinit(&p->fetch.plan);
    observed_release(TAKE(p->fetch.observed));
    taken_unref(TAKE(p->fetch.target));
}

void project_fetch_free(struct project *p)
{
    execution_free(TAKE(p->fetch.execution));
    release(p);
}

static void on_step(void *context, const struct step_news *news)
{
    project_tell_step(context, news);
}

static void on_done(void *context, const struct execution_result *result)
{
    struct project *p = context;
    struct failure failure = result->failure;

    p->fetch.execution = NULL;
    release(p);
    if (failure.code == REASON_NONE) {
        p->refresh_images = false;
        p->attempt = 0;
        p->state.failure = failure;
    } else {
        project_failed(p, &failure);
    }
    project_schedule(p, 0);
}

/* A plan with pulls is done up to those, and has no commit to come to. */
static int no_commit(void *context, struct err *e)
{
    (void)context;
    return FAIL(e, EINVAL, "nothing was verified");
}

void project_fetch(struct project *p)
{
    struct err e = {0};

    p->fetch.plan = p->plan;
    p->plan = (struct plan){0};
    p->fetch.observed = TAKE(p->observed);
    p->fetch.target = taken_ref(p->target);
    const struct execution_settings settings = {
        .loop = p->settings.loop,
        .engine = p->settings.engine,
        .document = p->fetch.target->document,
        .observed = p->fetch.observed,
        .plan = &p->fetch.plan,
        .node = p->settings.node,
        .registry_config = p->settings.registry_config,
        .context = p,
        .commit = no_commit,
        .step = on_step,
        .done = on_done,
    };
    if (execution_start(&settings, &p->fetch.execution, &e) < 0) {
        log_error("manager", "nothing can be pulled", LOG_STR("project", p->name),
                  LOG_STR("reason", e.msg));
        release(p);
        return;
    }
    project_set_phase(p, PHASE_DOWNLOADING);
    project_schedule(p, 0);
}
