#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/reconcile/project_internal.h"

/* Which document is to be followed: of several origins, of several revisions, by a person's order.
 */

int project_take(struct project *p, struct taken *taken, const char *source, struct err *e)
{
    const struct document *d = taken->document;
    struct project_state before = p->state;

    (void)snprintf(p->state.source, sizeof(p->state.source), "%s", source);
    p->state.desired.number = d->revision;
    memcpy(p->state.desired.digest, d->digest, DIGEST_SIZE);
    project_state_release(&p->state, d->digest); /* published anew, it is tried anew */
    p->state.held = false;
    p->state.mode = MODE_APPLY;
    p->state.phase = PHASE_IDENTIFYING;
    p->state.since_us = clock_wall_us();
    p->state.failure = (struct failure){0};
    int r = store_write(p->settings.store, p->name, STORE_DESIRED, taken->text, taken->len, e);
    if (r == 0)
        r = project_save(p, e);
    if (r < 0) {
        p->state = before;
        taken_unref(taken);
        return r;
    }
    taken_unref(p->desired);
    p->desired = taken;
    p->trouble = p->refused = (struct failure){0};
    log_info("manager", "a desired state is taken", LOG_STR("project", p->name),
             LOG_INT("revision", d->revision), LOG_STR("source", source));
    project_supersede(p);
    project_set_phase(p, PHASE_IDENTIFYING);
    project_changed(p);
    return 0;
}

/* ---- refusing ---- */

static void refuse(struct project *p, int64_t revision, enum reason_code code, const char *message)
{
    bool known = p->refused.code == code && str_equal(p->refused.message, message) &&
                 p->refused_revision == revision;

    if (known) /* it is retained, and comes at each connection */
        return;
    p->refused = (struct failure){.code = code};
    (void)snprintf(p->refused.message, sizeof(p->refused.message), "%s", message);
    p->refused_revision = revision;
    log_warning("manager", "a desired state is refused", LOG_STR("project", p->name),
                LOG_INT("revision", revision), LOG_STR("code", reason_name(code)),
                LOG_STR("reason", message));
    project_changed(p);
}

/* For the report: the rest of the document may be anything. */
static int64_t revision_of(const char *text, size_t len)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;
    int64_t revision = 0;

    if (len > DOCUMENT_MAX_BYTES || json_parse(text, len, JSON_MAX_DEPTH, &json, NULL) < 0 ||
        !cJSON_IsObject(json) ||
        json_get_int(json, "", "revision", 1, INT64_C(1) << 53, &revision, NULL) != 0)
        return 0;
    return revision;
}

/* ---- origins ---- */

static const struct origin_state *strongest(const struct project *p)
{
    const struct origin_state *best = NULL;

    for (size_t i = 0; i < STATE_ORIGINS; i++) {
        const struct origin_state *origin = &p->state.origins[i];
        if (origin->stated && (!best || origin->priority > best->priority))
            best = origin;
    }
    return best;
}

/* Another origin has become the strongest: its document is in the history. */
static int follow(struct project *p, const struct origin_state *origin, struct err *e)
{
    struct document *document = NULL;
    struct rejection rejection = {0};
    char *text AUTO(free) = NULL;
    size_t len;

    int r = store_read_history(p->settings.store, p->name, origin->revision.number,
                               origin->revision.digest, &text, &len, e);
    if (r == -ENOENT) /* too long ago: the last document goes on */
        return project_save(p, e);
    if (r == 0 && document_parse(text, len, p->settings.safety, &document, &rejection) < 0) {
        refuse(p, origin->revision.number, rejection.code, rejection.e.msg);
        return project_save(p, e);
    }
    if (r < 0)
        return r;
    struct taken *taken = taken_new(document, text, len);
    return taken ? project_take(p, taken, origin->name, e) : FAIL(e, ENOMEM, "out of memory");
}

/* The same content counts as the revision that it is published with. */
static void renumber(struct revision *revision, const struct revision *published)
{
    if (str_equal(revision->digest, published->digest))
        revision->number = published->number;
}

static int choose(struct project *p, struct err *e)
{
    const struct origin_state *origin = strongest(p);

    if (!origin)
        return project_save(p, e);
    if (!str_equal(origin->revision.digest, p->state.desired.digest))
        return follow(p, origin, e);
    (void)snprintf(p->state.source, sizeof(p->state.source), "%s", origin->name);
    renumber(&p->state.applied, &origin->revision);
    renumber(&p->state.last_good, &origin->revision);
    renumber(&p->state.desired, &origin->revision);
    return project_save(p, e);
}

static int withdraw(struct project *p, struct origin_state *state, struct err *e)
{
    if (!state->stated)
        return 0;
    state->stated = false;
    log_info("manager", "a desired state is withdrawn", LOG_STR("project", p->name),
             LOG_STR("origin", state->name));
    int r = choose(p, e);
    project_changed(p);
    return r;
}

/* ---- a document ---- */

static int take_new(struct project *p, struct origin_state *state, struct document *document,
                    const char *text, size_t len, struct err *e)
{
    struct taken *taken AUTO(taken_unref) = taken_new(document, text, len);

    if (!taken)
        return FAIL(e, ENOMEM, "out of memory");
    int r = store_remember(p->settings.store, p->name, document->revision, document->digest, text,
                           len, e);
    if (r < 0)
        return r;
    struct origin_state before = *state;
    state->revision.number = document->revision;
    memcpy(state->revision.digest, document->digest, DIGEST_SIZE);
    state->stated = true;
    if (strongest(p) != state)
        r = choose(p, e);
    else
        r = project_take(p, TAKE(taken), state->name, e);
    if (r < 0)
        *state = before;
    return r;
}

/* Of an origin that has stated one before: 0 where there is nothing to do, > 0 to go on. */
static int compare(struct project *p, struct origin_state *state, const struct document *document,
                   struct err *e)
{
    char message[320];

    if (document->revision > state->revision.number)
        return 1;
    if (document->revision < state->revision.number) {
        (void)snprintf(message, sizeof(message),
                       "revision %lld is lower than %lld, which was taken from %s before",
                       (long long)document->revision, (long long)state->revision.number,
                       state->name);
        refuse(p, document->revision, REASON_STALE, message);
        return 0;
    }
    if (!str_equal(document->digest, state->revision.digest)) {
        (void)snprintf(message, sizeof(message),
                       "revision %lld was taken before with other content; publish it with %lld",
                       (long long)document->revision, (long long)document->revision + 1);
        refuse(p, document->revision, REASON_CONFLICT, message);
        return 0;
    }
    p->refused = (struct failure){0};
    project_changed(p);
    if (state->stated)
        return 0;
    state->stated = true;
    return choose(p, e);
}

int project_offer(struct project *p, const struct origin *origin, const char *text, size_t len,
                  struct err *e)
{
    struct origin_state *state = project_state_origin(&p->state, origin->name);
    struct document *document AUTO(document_free) = NULL;
    struct rejection rejection = {0};

    if (!state) {
        refuse(p, 0, REASON_INVALID, "too many groups have published this project here");
        return 0;
    }
    state->priority = origin->priority;
    if (len == 0)
        return withdraw(p, state, e);
    int r = document_parse(text, len, p->settings.safety, &document, &rejection);
    if (r == -ENOMEM)
        return FAIL(e, ENOMEM, "out of memory");
    if (r < 0) {
        refuse(p, revision_of(text, len), rejection.code, rejection.e.msg);
        return 0;
    }
    if (!str_equal(document->project, p->name)) {
        refuse(p, document->revision, REASON_SCHEMA,
               "/project is not the project that the topic names");
        return 0;
    }
    if (document->expires_us != 0 && document->expires_us < clock_wall_us()) {
        refuse(p, document->revision, REASON_EXPIRED, "/expires is in the past");
        return 0;
    }
    if (state->revision.number != 0) {
        r = compare(p, state, document, e);
        if (r <= 0)
            return r;
    }
    return take_new(p, state, TAKE(document), text, len, e);
}
