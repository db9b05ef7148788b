#include <stdio.h>

#include "common/base/log.h"
#include "manager/reconcile/disk.h"
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
    collector_cancel(TAKE(p->fetch.room));
    execution_free(TAKE(p->fetch.execution));
    release(p);
}

static void on_step(void *context, const struct step_news *news)
{
    project_tell_step(context, news);
}

static void fail(struct project *p, const struct failure *failure)
{
    release(p);
    project_failed(p, failure);
    project_schedule(p, 0);
}

static void on_cleared(void *context)
{
    struct project *p = context;
    const struct failure failure = p->fetch.failure;

    p->fetch.room = NULL;
    fail(p, &failure);
}

/* The next try has what room there can be: what the disk has free is not always to be seen. */
static bool clear_disk(struct project *p, const struct failure *failure)
{
    p->fetch.failure = *failure;
    return failure->code == REASON_DISK && collector_make_room(p->settings.collector, INT64_MAX,
                                                               on_cleared, p, &p->fetch.room) == 0;
}

static void on_done(void *context, const struct execution_result *result)
{
    struct project *p = context;
    const struct failure failure = result->failure;

    p->fetch.execution = NULL;
    if (failure.code == REASON_NONE) {
        release(p);
        p->refresh_images = false;
        p->attempt = 0;
        p->state.failure = failure;
        project_schedule(p, 0);
    } else if (!clear_disk(p, &failure)) {
        fail(p, &failure);
    }
}

/* A plan with pulls is done up to those, and has no commit to come to. */
static int no_commit(void *context, struct err *e)
{
    (void)context;
    return FAIL(e, EINVAL, "nothing was verified");
}

static void start(struct project *p)
{
    struct err e = {0};
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

/* ---- room ---- */

static int64_t wanted_bytes(const struct project *p)
{
    return p->fetch.target->document->policy.min_free_disk_bytes;
}

/* Layers' sizes are known only as they come, and a full disk would stop what runs: some room is
 * kept. Where the engine's folder is not to be seen, as in a pod, its own errors must do. */
static bool has_room(const struct project *p)
{
    int64_t free_bytes = disk_free_bytes(p->settings.engine);
    return free_bytes < 0 || free_bytes >= wanted_bytes(p);
}

static void fail_for_room(struct project *p)
{
    struct failure failure = {.code = REASON_DISK, .pulling = true};

    (void)snprintf(failure.message, sizeof(failure.message),
                   "%s has %lld MiB free, and the policy's minFreeDisk is %lld MiB",
                   engine_data_root(p->settings.engine),
                   (long long)(disk_free_bytes(p->settings.engine) >> 20),
                   (long long)(wanted_bytes(p) >> 20));
    fail(p, &failure);
}

static void on_room(void *context)
{
    struct project *p = context;

    p->fetch.room = NULL;
    if (has_room(p))
        start(p);
    else
        fail_for_room(p);
}

void project_fetch(struct project *p)
{
    p->fetch.plan = p->plan;
    p->plan = (struct plan){0};
    p->fetch.observed = TAKE(p->observed);
    p->fetch.target = taken_ref(p->target);
    if (has_room(p))
        start(p);
    else if (collector_make_room(p->settings.collector, wanted_bytes(p), on_room, p,
                                 &p->fetch.room) < 0)
        fail_for_room(p);
}
