#include "manager/ctl/rollout.h"

#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/random.h"
#include "common/base/str.h"
#include "manager/ctl/view.h"

#define ALL        "all"
#define STAGES_MAX 32
#define COUNT_MAX  1000000

int rollout_share(const char *text, size_t total, size_t *ret_count, struct err *e)
{
    char digits[16];
    size_t len = strlen(text);
    bool percent = len > 0 && text[len - 1] == '%';
    int64_t value = 0;

    if (str_equal(text, ALL)) {
        *ret_count = total;
        return 0;
    }
    if (!str_copy_n(digits, sizeof digits, text, percent ? len - 1 : len) ||
        str_parse_int(digits, 1, percent ? 100 : COUNT_MAX, &value) < 0)
        return FAIL(e, EINVAL, "'%.32s' is no share of nodes: a number, a percentage or all", text);
    size_t count = percent ? ((size_t)value * total + 99) / 100 : (size_t)value;
    *ret_count = count < total ? count : total;
    return 0;
}

/* ---- making ---- */

static int add_stage(cJSON *stages, const char *text, struct err *e)
{
    size_t count;
    int r = rollout_share(text, 1, &count, e);
    cJSON *stage = r == 0 ? cJSON_CreateString(text) : NULL;

    if (r == 0 && !cJSON_AddItemToArray(stages, stage)) {
        cJSON_Delete(stage);
        r = FAIL(e, ENOMEM, "out of memory");
    }
    return r;
}

static int add_stages(cJSON *state, const char *canary, const struct option_list *then,
                      struct err *e)
{
    cJSON *stages = cJSON_AddArrayToObject(state, "stages");
    const char *last = canary;

    int r = add_stage(stages, canary, e);
    for (size_t i = 0; r == 0 && i < then->count; i++) {
        last = then->items[i];
        r = add_stage(stages, last, e);
    }
    if (r == 0 && !str_equal(last, ALL))
        r = add_stage(stages, ALL, e);
    if (r == 0 && cJSON_GetArraySize(stages) > STAGES_MAX)
        r = FAIL(e, EINVAL, "there may be %d stages at most", STAGES_MAX);
    return r;
}

static bool add_facts(cJSON *state, const char *group, const char *project)
{
    char id[ROLLOUT_ID_SIZE];
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(clock_wall_us(), now);
    (void)snprintf(id, sizeof id, "%.64s-%08" PRIx32, project, (uint32_t)random_u64());
    return cJSON_AddStringToObject(state, "id", id) &&
           cJSON_AddStringToObject(state, "group", group) &&
           cJSON_AddStringToObject(state, "project", project) &&
           cJSON_AddStringToObject(state, "started", now);
}

/* Gives `child` to `state`, or frees it. */
static bool give(cJSON *state, const char *name, cJSON *child)
{
    if (child && cJSON_AddItemToObject(state, name, child))
        return true;
    cJSON_Delete(child);
    return false;
}

int rollout_new(const char *group, const char *canary, const struct option_list *then, cJSON *nodes,
                cJSON *document, cJSON **ret_state, struct err *e)
{
    cJSON *state AUTO(cJSON_Delete) = cJSON_CreateObject();
    bool given = give(state, "nodes", nodes);

    given = give(state, "document", document) && given;
    if (!given || !add_facts(state, group, view_string(view_object(state, "document"), "project")))
        return FAIL(e, ENOMEM, "out of memory");
    int r = add_stages(state, canary, then, e);
    if (r == 0 && rollout_set(state, 0, "running", NULL) < 0)
        r = FAIL(e, ENOMEM, "out of memory");
    if (r == 0)
        *ret_state = TAKE(state);
    return r;
}

/* ---- reading ---- */

static bool has_strings(const cJSON *array)
{
    for (const cJSON *item = array ? array->child : NULL; item; item = item->next) {
        if (!cJSON_IsString(item))
            return false;
    }
    return array && array->child;
}

int rollout_check(const cJSON *state, struct err *e)
{
    const cJSON *stages = view_array(state, "stages");
    size_t count;

    if (!view_object(state, "document") || view_string(state, "id")[0] == '\0' ||
        view_string(state, "group")[0] == '\0' || !has_strings(view_array(state, "nodes")) ||
        !has_strings(stages) || view_int(state, "stage") < 0 ||
        view_int(state, "stage") >= cJSON_GetArraySize(stages))
        return FAIL(e, EINVAL, "what stands there is not the state of a rollout");
    for (const cJSON *s = stages->child; s; s = s->next) {
        int r = rollout_share(s->valuestring, 1, &count, e);
        if (r < 0)
            return r;
    }
    return 0;
}

const char *rollout_id(const cJSON *state)
{
    return view_string(state, "id");
}

size_t rollout_stage(const cJSON *state)
{
    return (size_t)view_int(state, "stage");
}

size_t rollout_stage_count(const cJSON *state)
{
    return (size_t)cJSON_GetArraySize(view_array(state, "stages"));
}

size_t rollout_stage_end(const cJSON *state, size_t stage)
{
    size_t total = (size_t)cJSON_GetArraySize(view_array(state, "nodes"));
    const cJSON *text = view_array(state, "stages")->child;
    size_t end = 0;

    for (size_t i = 0; i <= stage && text; i++, text = text->next) {
        size_t share = 0;
        if (rollout_share(text->valuestring, total, &share, NULL) == 0 && share > end)
            end = share;
    }
    return end;
}

/* ---- changing ---- */

static bool set_string(cJSON *state, const char *name, const char *text)
{
    cJSON_DeleteItemFromObjectCaseSensitive(state, name);
    return cJSON_AddStringToObject(state, name, text) != NULL;
}

int rollout_set(cJSON *state, size_t stage, const char *name, const char *reason)
{
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(clock_wall_us(), now);
    cJSON_DeleteItemFromObjectCaseSensitive(state, "stage");
    return set_string(state, "updated", now) && set_string(state, "state", name) &&
                   set_string(state, "reason", reason ? reason : "") &&
                   cJSON_AddNumberToObject(state, "stage", (double)stage)
               ? 0
               : -ENOMEM;
}

int rollout_hold(cJSON *state, struct err *e)
{
    char host[HOST_NAME_MAX + 1] = "";
    char holder[HOST_NAME_MAX + 16];

    (void)gethostname(host, sizeof host); /* for people: the random part tells holders apart */
    (void)snprintf(holder, sizeof holder, "%s_%08" PRIx32, host, (uint32_t)random_u64());
    return set_string(state, "holder", holder) ? 0 : FAIL(e, ENOMEM, "out of memory");
}

int rollout_check_held(const cJSON *standing, const cJSON *state, struct err *e)
{
    const char *holder = view_string(standing, "holder");

    if (standing && str_equal(holder, view_string(state, "holder")))
        return 0;
    if (!standing)
        return FAIL(e, ECANCELED, "rollout %s was given up elsewhere; nothing more is done here",
                    rollout_id(state));
    return FAIL(e, ECANCELED,
                "rollout %s was taken over or given up by another buoyctl (%.64s); nothing more is "
                "done here",
                rollout_id(state), holder);
}

int rollout_topic(const char *id, char topic[static TOPIC_SIZE], struct err *e)
{
    const char *const levels[] = {"bellbuoy", "rollouts", id, NULL};

    return topic_format(topic, TOPIC_SIZE, levels) == 0
               ? 0
               : FAIL(e, EINVAL, "'%.64s' is not the id of a rollout; buoyctl rollouts lists them",
                      id);
}
