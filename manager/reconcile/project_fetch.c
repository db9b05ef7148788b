#include <stdio.h>
#include <sys/statvfs.h>

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

/* Layers' sizes are known only as they come, and a full disk would stop what runs: some room is
 * kept. Where the engine's folder is not to be seen, as in a pod, its own errors must do. */
static bool has_room(struct project *p)
{
    int64_t wanted = p->target->document->policy.min_free_disk_bytes;
    const char *folder = engine_data_root(p->settings.engine);
    struct failure failure = {.code = REASON_DISK, .pulling = true};
    struct statvfs fs;

    if (wanted == 0 || folder[0] == '\0' || statvfs(folder, &fs) < 0)
        return true;
    int64_t there = (int64_t)(fs.f_bavail * fs.f_frsize);
    if (there >= wanted)
        return true;
    (void)snprintf(failure.message, sizeof(failure.message),
                   "%s has %lld MiB free, and the policy's minFreeDisk is %lld MiB", folder,
                   (long long)(there >> 20), (long long)(wanted >> 20));
    project_failed(p, &failure);
    return false;
}

void project_fetch(struct project *p)
{
    struct err e = {0};

    if (!has_room(p))
        return;

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
