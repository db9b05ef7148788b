#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/reconcile/project_internal.h"

/* What follows from how an apply, a rollback or a repair went. */

#define BACKOFF_MS      1000
#define BACKOFF_MAX_MS  300000
#define STALE_PLANS_MAX 3

/* ---- well ---- */

static int commit_apply(struct project *p, struct err *e)
{
    struct taken *taken = p->target;

    int r = store_write(p->settings.store, p->name, STORE_LAST_GOOD, taken->text, taken->len, e);
    if (r < 0)
        return r;
    taken_unref(p->good);
    p->good = taken_ref(taken);
    p->state.applied = p->state.last_good = p->state.desired;
    p->state.failure = (struct failure){0};
    p->applies++;
    project_set_phase(p, PHASE_COMPLETED);
    log_info("manager", "the revision is good", LOG_STR("project", p->name),
             LOG_INT("revision", p->state.applied.number));
    return 0;
}

static int commit_rollback(struct project *p)
{
    p->state.applied = p->state.last_good;
    project_set_phase(p, PHASE_ROLLED_BACK);
    log_warning("manager", "rolled back", LOG_STR("project", p->name),
                LOG_INT("revision", p->state.applied.number),
                LOG_INT("failed_revision", p->state.desired.number));
    return 0;
}

int project_commit(struct project *p, struct err *e)
{
    int r = p->state.mode == MODE_APPLY ? commit_apply(p, e) : commit_rollback(p);
    if (r < 0)
        return r;
    p->state.mode = MODE_STEADY;
    p->attempt = p->stale_plans = 0;
    p->next_retry_ms = p->next_retry_us = 0;
    return project_save(p, e);
}

/* ---- badly ---- */

static int64_t backoff_ms(const struct project *p, unsigned attempt, const struct failure *failure)
{
    int64_t ms = random_backoff_ms(p->settings.random, attempt, BACKOFF_MS, BACKOFF_MAX_MS);
    return ms < failure->retry_after_ms ? failure->retry_after_ms : ms;
}

static void retry_later(struct project *p, const struct failure *failure)
{
    int64_t ms = backoff_ms(p, p->attempt, failure);

    p->attempt++;
    /* What held a rollback up once does not hide why there is one. */
    if (p->state.mode == MODE_APPLY || p->attempt > 1)
        p->state.failure = *failure;
    p->next_retry_ms = clock_monotonic_ms() + ms;
    p->next_retry_us = clock_wall_us() + ms * 1000;
    project_schedule(p, ms);
    project_changed(p);
}

static void roll_back(struct project *p, const struct failure *failure)
{
    struct err e = {0};

    project_state_quarantine(&p->state, p->state.desired.digest);
    p->state.mode = MODE_ROLLBACK;
    p->state.failure = *failure;
    p->attempt = 0;
    p->next_retry_ms = p->next_retry_us = 0;
    p->rollbacks++;
    project_set_phase(p, PHASE_ROLLING_BACK);
    (void)project_save(p, &e); /* without it the next start tries the revision once more */
    project_schedule(p, 0);
}

static void hold(struct project *p, const struct failure *failure)
{
    struct err e = {0};

    p->state.held = true;
    p->state.failure = *failure;
    project_set_phase(p, PHASE_STALLED);
    (void)project_save(p, &e);
}

/* What may become possible without anybody's doing, as long as nothing was stopped for it. */
static bool is_transient(const struct failure *failure)
{
    if (failure->stuck[0] != '\0')
        return true;
    switch (failure->code) {
    case REASON_ENGINE_DOWN:
    case REASON_PULL_NETWORK:
    case REASON_PULL_RATELIMIT:
        return true;
    case REASON_DISK:
        return failure->pulling;
    default:
        return false;
    }
}

static void apply_failed(struct project *p, const struct failure *failure)
{
    if (failure->stale && p->stale_plans < STALE_PLANS_MAX) {
        p->stale_plans++;
        project_schedule(p, 0);
    } else if (is_transient(failure)) {
        if (failure->code != REASON_ENGINE_DOWN)
            project_set_phase(p, PHASE_INCOMPLETE);
        retry_later(p, failure);
    } else if (p->target->document->policy.on_failure == ON_FAILURE_ROLLBACK) {
        roll_back(p, failure);
    } else {
        hold(p, failure);
    }
}

static void log_failure(const struct project *p, const char *msg, const struct failure *failure)
{
    log_warning("manager", msg, LOG_STR("project", p->name),
                LOG_STR("code", reason_name(failure->code)),
                LOG_STR("service", failure->service[0] ? failure->service : NULL),
                LOG_STR("reason", failure->message),
                LOG_STR("engine", failure->engine[0] ? failure->engine : NULL));
}

static bool is_news(struct project *p, const struct failure *failure)
{
    if (failure->ghost[0] != '\0')
        return ghosts_add(&p->ghosts, failure->ghost);
    /* Once may be chance: it is tried again before a container is given up. */
    if (failure->stuck[0] == '\0' || ghosts_add(&p->suspects, failure->stuck))
        return false;
    return ghosts_add(&p->ghosts, failure->stuck);
}

bool project_goes_around(struct project *p, const struct failure *failure)
{
    if (!is_news(p, failure))
        return false;
    log_warning("manager", "the engine does not let go", LOG_STR("project", p->name),
                LOG_STR("ghost", failure->ghost[0] ? failure->ghost : failure->object),
                LOG_STR("engine", failure->engine));
    return true;
}

void project_forget_ghosts(struct project *p)
{
    ghosts_forget(&p->ghosts);
    ghosts_forget(&p->suspects);
}

void project_failed(struct project *p, const struct failure *failure)
{
    if (p->state.mode == MODE_APPLY) {
        log_failure(p, "the apply failed", failure);
        apply_failed(p, failure);
        return;
    }
    log_failure(p, "the rollback failed", failure);
    if (p->attempt > 0)
        project_set_phase(p, PHASE_INCOMPLETE);
    retry_later(p, failure);
}

/* A name was moved to an image that is not good, and the container of the one before is still
 * there: the next plan takes that one. */
static void avoid_image(struct project *p, const struct failure *failure)
{
    const struct service *service = document_service(p->target->document, failure->service);
    const struct image *image =
        service && p->observed ? observed_image(p->observed, service->image) : NULL;

    for (size_t i = 0; image && image->id && i < p->observed->container_count; i++) {
        const struct container *c = &p->observed->containers[i];

        if (!str_equal(c->service, service->name) || str_equal(c->image_id, image->id))
            continue;
        (void)snprintf(p->bad_image, sizeof(p->bad_image), "%s", image->id);
        log_warning("manager", "an image is avoided", LOG_STR("project", p->name),
                    LOG_STR("image", service->image), LOG_STR("id", image->id));
        return;
    }
}

void project_keep_failed(struct project *p, const struct failure *failure)
{
    int64_t ms = backoff_ms(p, p->keep_attempt, failure);

    log_failure(p, "what was good could not be restored", failure);
    p->keep_attempt++;
    p->trouble = *failure;
    avoid_image(p, failure);
    p->next_keep_ms = clock_monotonic_ms() + ms;
    project_schedule(p, ms);
}
