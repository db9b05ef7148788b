#include "manager/reconcile/project_state.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

static const char *const mode_names[] = {
    [MODE_STEADY] = "steady", [MODE_APPLY] = "apply", [MODE_ROLLBACK] = "rollback"};

/* ---- quarantine and origins ---- */

bool project_state_is_quarantined(const struct project_state *state, const char *digest)
{
    for (size_t i = 0; i < STATE_QUARANTINE; i++)
        if (str_equal(state->quarantine[i], digest))
            return true;
    return false;
}

void project_state_quarantine(struct project_state *state, const char *digest)
{
    project_state_release(state, digest);
    memmove(state->quarantine[1], state->quarantine[0],
            sizeof(state->quarantine) - sizeof(state->quarantine[0]));
    (void)snprintf(state->quarantine[0], DIGEST_SIZE, "%s", digest);
}

void project_state_release(struct project_state *state, const char *digest)
{
    for (size_t i = 0; i < STATE_QUARANTINE; i++)
        if (str_equal(state->quarantine[i], digest))
            state->quarantine[i][0] = '\0';
}

struct origin_state *project_state_origin(struct project_state *state, const char *name)
{
    for (size_t i = 0; i < STATE_ORIGINS; i++) {
        struct origin_state *origin = &state->origins[i];

        if (origin->name[0] == '\0' && !str_copy(origin->name, sizeof(origin->name), name))
            return NULL;
        if (str_equal(origin->name, name))
            return origin;
    }
    return NULL;
}

/* ---- reading ---- */

/* What is missing stays zero: a newer version may have known less. */
static void read_text(const cJSON *object, const char *name, char *out, size_t size)
{
    const char *text = cJSON_GetStringValue(json_member(object, name));
    if (!text || !str_copy(out, size, text))
        out[0] = '\0';
}

static int64_t read_number(const cJSON *object, const char *name)
{
    const cJSON *value = json_member(object, name);
    return cJSON_IsNumber(value) ? (int64_t)cJSON_GetNumberValue(value) : 0;
}

static struct revision read_revision(const cJSON *object, const char *name)
{
    const cJSON *json = json_member(object, name);
    struct revision revision = {.number = read_number(json, "revision")};

    read_text(json, "digest", revision.digest, sizeof(revision.digest));
    return revision;
}

static void read_origins(const cJSON *list, struct project_state *state)
{
    const cJSON *json;
    size_t i = 0;

    cJSON_ArrayForEach(json, list)
    {
        if (i == STATE_ORIGINS)
            break;
        struct origin_state *origin = &state->origins[i++];
        read_text(json, "name", origin->name, sizeof(origin->name));
        origin->priority = (int)read_number(json, "priority");
        origin->revision = read_revision(json, "last");
        origin->stated = cJSON_IsTrue(json_member(json, "stated"));
    }
}

static void read_quarantine(const cJSON *list, struct project_state *state)
{
    const cJSON *json;
    size_t i = 0;

    cJSON_ArrayForEach(json, list)
    {
        const char *digest = cJSON_GetStringValue(json);
        if (i < STATE_QUARANTINE && digest && str_copy(state->quarantine[i], DIGEST_SIZE, digest))
            i++;
    }
}

static void read_failure(const cJSON *json, struct failure *failure)
{
    const char *code = cJSON_GetStringValue(json_member(json, "code"));

    for (int i = 0; code && i < REASON_COUNT; i++)
        if (str_equal(code, reason_name((enum reason_code)i)))
            failure->code = (enum reason_code)i;
    read_text(json, "service", failure->service, sizeof(failure->service));
    read_text(json, "object", failure->object, sizeof(failure->object));
    read_text(json, "message", failure->message, sizeof(failure->message));
    read_text(json, "engine", failure->engine, sizeof(failure->engine));
}

static int find_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (str_equal(names[i], name))
            return (int)i;
    return 0;
}

static void read_state(const cJSON *json, struct project_state *state)
{
    char name[32];

    read_text(json, "mode", name, sizeof(name));
    state->mode = (enum project_mode)find_name(mode_names, ARRAY_SIZE(mode_names), name);
    read_text(json, "phase", name, sizeof(name));
    for (int i = 0; i < PHASE_COUNT; i++)
        if (str_equal(phase_name((enum phase)i), name))
            state->phase = (enum phase)i;
    read_text(json, "source", state->source, sizeof(state->source));
    state->desired = read_revision(json, "desired");
    state->applied = read_revision(json, "applied");
    state->last_good = read_revision(json, "lastGood");
    state->paused = cJSON_IsTrue(json_member(json, "paused"));
    state->held = cJSON_IsTrue(json_member(json, "held"));
    state->since_us = read_number(json, "since");
    read_origins(json_member(json, "origins"), state);
    read_quarantine(json_member(json, "quarantine"), state);
    read_failure(json_member(json, "failure"), &state->failure);
}

int project_state_read(const struct store *store, const char *project,
                       struct project_state *ret_state, struct err *e)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;
    char *text AUTO(free) = NULL;
    size_t len;

    *ret_state = (struct project_state){0};
    int r = store_read(store, project, STORE_STATE, &text, &len, e);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = json_parse(text, len, JSON_MAX_DEPTH, &json, e);
    if (r < 0) {
        err_context(e, "state.json of project '%s'", project);
        return r;
    }
    read_state(json, ret_state);
    return 0;
}

/* ---- writing ---- */

static void add_revision(cJSON *object, const char *name, const struct revision *revision)
{
    cJSON *json = cJSON_AddObjectToObject(object, name);

    cJSON_AddNumberToObject(json, "revision", (double)revision->number);
    cJSON_AddStringToObject(json, "digest", revision->digest);
}

static void add_origins(cJSON *object, const struct project_state *state)
{
    cJSON *list = cJSON_AddArrayToObject(object, "origins");

    for (size_t i = 0; i < STATE_ORIGINS && state->origins[i].name[0] != '\0'; i++) {
        const struct origin_state *origin = &state->origins[i];
        cJSON *json = cJSON_CreateObject();

        cJSON_AddStringToObject(json, "name", origin->name);
        cJSON_AddNumberToObject(json, "priority", origin->priority);
        add_revision(json, "last", &origin->revision);
        cJSON_AddBoolToObject(json, "stated", origin->stated);
        if (!cJSON_AddItemToArray(list, json))
            cJSON_Delete(json);
    }
}

static void add_quarantine(cJSON *object, const struct project_state *state)
{
    cJSON *list = cJSON_AddArrayToObject(object, "quarantine");

    for (size_t i = 0; i < STATE_QUARANTINE; i++) {
        cJSON *digest = state->quarantine[i][0] ? cJSON_CreateString(state->quarantine[i]) : NULL;
        if (digest && !cJSON_AddItemToArray(list, digest))
            cJSON_Delete(digest);
    }
}

static void add_failure(cJSON *object, const struct failure *failure)
{
    if (failure->code == REASON_NONE)
        return;
    cJSON *json = cJSON_AddObjectToObject(object, "failure");
    cJSON_AddStringToObject(json, "code", reason_name(failure->code));
    cJSON_AddStringToObject(json, "service", failure->service);
    cJSON_AddStringToObject(json, "object", failure->object);
    cJSON_AddStringToObject(json, "message", failure->message);
    cJSON_AddStringToObject(json, "engine", failure->engine);
}

int project_state_write(struct store *store, const char *project, const struct project_state *state,
                        struct err *e)
{
    cJSON *json AUTO(cJSON_Delete) = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "mode", mode_names[state->mode]);
    cJSON_AddStringToObject(json, "phase", phase_name(state->phase));
    cJSON_AddStringToObject(json, "source", state->source);
    add_revision(json, "desired", &state->desired);
    add_revision(json, "applied", &state->applied);
    add_revision(json, "lastGood", &state->last_good);
    cJSON_AddBoolToObject(json, "paused", state->paused);
    cJSON_AddBoolToObject(json, "held", state->held);
    add_origins(json, state);
    add_quarantine(json, state);
    add_failure(json, &state->failure);
    /* The last member: a tree cut short by a lack of memory has it not. */
    char *text AUTO(free) =
        cJSON_AddNumberToObject(json, "since", (double)state->since_us) ? cJSON_Print(json) : NULL;
    if (!text)
        return FAIL(e, ENOMEM, "out of memory");
    return store_write(store, project, STORE_STATE, text, strlen(text), e);
}
