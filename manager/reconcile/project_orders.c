#include <string.h>

#include "common/base/str.h"
#include "manager/reconcile/project_internal.h"

/* What a person orders, and what is told about a project. */

int project_retry(struct project *p, struct err *e)
{
    if (!p->desired)
        return FAIL(e, ENOENT, "project '%s' has no document to try", p->name);
    project_state_release(&p->state, p->state.desired.digest);
    p->state.held = false;
    if (!str_equal(p->state.desired.digest, p->state.last_good.digest) &&
        p->state.mode != MODE_APPLY) {
        p->state.mode = MODE_APPLY;
        p->state.failure = (struct failure){0};
    }
    p->trouble = (struct failure){0};
    int r = project_save(p, e);
    if (r < 0)
        return r;
    project_supersede(p);
    if (p->state.mode == MODE_APPLY)
        project_set_phase(p, PHASE_IDENTIFYING);
    return 0;
}

int project_pause(struct project *p, bool paused, struct err *e)
{
    p->state.paused = paused;
    int r = project_save(p, e);
    if (paused) {
        project_fetch_free(p);
        if (p->execution)
            execution_cancel(p->execution);
    }
    project_schedule(p, 0);
    project_changed(p);
    return r;
}

static int find_earlier(const struct project *p, int64_t *ret_revision, char digest[DIGEST_SIZE],
                        struct err *e)
{
    struct store_entry *entries AUTO(free) = NULL;
    size_t count = 0;

    int r = store_history(p->settings.store, p->name, &entries, &count, e);
    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        bool present = str_starts_with(p->state.desired.digest, entries[i].digest);
        bool bad = false;

        for (size_t k = 0; k < STATE_QUARANTINE; k++)
            bad |= p->state.quarantine[k][0] != '\0' &&
                   str_starts_with(p->state.quarantine[k], entries[i].digest);
        if (present || bad || entries[i].revision > p->state.desired.number)
            continue;
        *ret_revision = entries[i].revision;
        memcpy(digest, entries[i].digest, sizeof(entries[i].digest));
        return 0;
    }
    return FAIL(e, ENOENT, "project '%s' has no earlier revision in its history", p->name);
}

/* A revision of the history; 0: find_earlier(). The caller frees both. */
static int load_revision(const struct project *p, int64_t revision, struct document **ret_document,
                         char **ret_text, size_t *ret_len, struct err *e)
{
    char digest[DIGEST_SIZE] = "";
    char *text AUTO(free) = NULL;
    struct rejection rejection = {0};
    size_t len = 0;

    int r = revision == 0 ? find_earlier(p, &revision, digest, e) : 0;
    if (r == 0)
        r = store_read_history(p->settings.store, p->name, revision, digest[0] ? digest : NULL,
                               &text, &len, e);
    if (r < 0)
        return r;
    r = document_parse(text, len, p->settings.safety, ret_document, &rejection);
    if (r < 0) {
        *e = rejection.e;
        return r;
    }
    *ret_text = TAKE(text);
    *ret_len = len;
    return 0;
}

int project_roll_back(struct project *p, int64_t revision, struct err *e)
{
    struct document *document = NULL;
    char *text AUTO(free) = NULL;
    size_t len = 0;

    int r = load_revision(p, revision, &document, &text, &len, e);
    if (r < 0)
        return r;
    struct taken *taken = taken_new(document, text, len);
    if (!taken)
        return FAIL(e, ENOMEM, "out of memory");
    project_state_release(&p->state, document->digest);
    return project_take(p, taken, "rollback", e);
}

/* ---- images ---- */

static void add_images(const struct document *document, struct image_names *names)
{
    for (size_t i = 0; i < document->service_count; i++)
        image_names_add(names, document->services[i].image);
}

void project_add_images(const struct project *p, bool earlier, struct image_names *names)
{
    struct document *document AUTO(document_free) = NULL;
    char *text AUTO(free) = NULL;
    struct err e = {0};
    size_t len;

    if (p->desired)
        add_images(p->desired->document, names);
    add_images(p->good->document, names);
    if (earlier && load_revision(p, 0, &document, &text, &len, &e) == 0)
        add_images(document, names);
}

/* ---- status ---- */

static const char *source_of(const struct project *p)
{
    for (size_t i = 0; i < STATE_ORIGINS; i++)
        if (str_equal(p->state.origins[i].name, p->state.source))
            return p->state.origins[i].stated ? p->state.source : "lost";
    return p->state.source;
}

static bool is_refusal_shown(const struct project *p)
{
    return p->refused.code != REASON_NONE && p->refused.code != REASON_STALE;
}

static const struct failure *failure_of(const struct project *p)
{
    if (p->refused.code != REASON_NONE)
        return &p->refused;
    return p->state.failure.code != REASON_NONE ? &p->state.failure : &p->trouble;
}

/* What goes on in an apply: its pulls are an execution of their own. */
static const struct execution *under_way(const struct project *p)
{
    return p->fetch.execution ? p->fetch.execution : p->execution;
}

void project_status(const struct project *p, struct project_status *ret_status)
{
    bool refused = is_refusal_shown(p);
    const struct revision unknown = {.number = p->refused_revision};

    *ret_status = (struct project_status){
        .source = source_of(p),
        .desired = refused ? unknown : p->state.desired,
        .applied = p->state.applied,
        .last_good = p->state.last_good,
        .id = p->desired && !refused ? p->desired->document->id : NULL,
        .accepted = !refused,
        .phase = refused ? PHASE_REJECTED : p->state.phase,
        .since_us = p->state.since_us,
        .attempt = p->attempt,
        .next_retry_us = p->next_retry_us,
        .paused = p->state.paused,
        .converged = p->converged,
        .failure = failure_of(p),
        .drift = p->drift,
        .drift_count = p->drift_count,
        .applies = p->applies,
        .rollbacks = p->rollbacks,
    };
    if (under_way(p))
        ret_status->steps_done = execution_progress(under_way(p), &ret_status->steps_total);
    if (p->next_retry_us == 0 && p->state.phase == PHASE_WAITING && p->gate_us != INT64_MAX)
        ret_status->next_retry_us = p->gate_us;
}

struct taken *project_taken(const struct project *p)
{
    return p->state.mode == MODE_APPLY ? p->desired : p->good;
}

bool project_is_steady(const struct project *p)
{
    return p->state.mode == MODE_STEADY;
}

const struct document *project_document(const struct project *p)
{
    const struct taken *taken = project_taken(p);
    return taken ? taken->document : NULL;
}

const struct observed *project_observed(const struct project *p)
{
    return p->observed ? p->observed : p->fetch.observed;
}
