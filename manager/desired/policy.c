#include "manager/desired/policy.h"
#include "manager/desired/cron.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

#define NS_PER_S             1000000000LL
#define PROGRESS_DEADLINE_NS (15 * 60 * NS_PER_S)
#define MAX_PULL_PARALLEL    2

/* In the order of their enums. */
static const char *const failures[] = {"rollback", "hold", "keep-partial", NULL};
static const char *const drifts[] = {"enforce", "report", NULL};
static const char *const orphans[] = {"remove", "keep", NULL};
static const char *const zones[] = {"local", "utc", NULL};

static int read_cron(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    struct cron cron;

    if (!cJSON_IsString(value) || cron_parse(value->valuestring, &cron) < 0)
        return reading_fail_value(r, at, value,
                                  "five fields (minute, hour, day, month, weekday) with one blank "
                                  "between them, such as \"0 2 * * 1-5\"");
    return value_read_string(r, at, key, value, ret_canonical);
}

/* ---- keys ---- */

static const struct key window_keys[] = {
    {.name = "cron", .read = read_cron, .required = true},
    {.name = "duration", .read = value_read_duration, .min = 60 * NS_PER_S, .required = true},
    {.name = "zone", .read = value_read_choice, .choices = zones},
    {.name = NULL},
};

const struct key policy_keys[] = {
    {.name = "onFailure", .read = value_read_choice, .choices = failures, .keep = true},
    {.name = "drift", .read = value_read_choice, .choices = drifts},
    {.name = "orphans", .read = value_read_choice, .choices = orphans},
    {.name = "allowEmpty", .read = value_read_bool},
    {.name = "progressDeadline",
     .read = value_read_duration,
     .min = NS_PER_S,
     .unset = PROGRESS_DEADLINE_NS},
    {.name = "minFreeDisk", .read = value_read_size},
    {.name = "maxPullParallel",
     .read = value_read_integer,
     .min = 1,
     .max = 8,
     .unset = MAX_PULL_PARALLEL},
    {.name = "window", .read = key_read_options, .keys = window_keys},
    {.name = NULL},
};

/* ---- values ---- */

static int choice_of(const cJSON *object, const char *name, const char *const *choices)
{
    const cJSON *value = json_member(object, name);

    for (int i = 0; value && choices[i]; i++)
        if (strcmp(choices[i], value->valuestring) == 0)
            return i;
    return 0;
}

static int64_t number_of(const cJSON *object, const char *name, int64_t unset)
{
    const cJSON *value = json_member(object, name);

    return value ? (int64_t)value->valuedouble : unset;
}

void policy_fill(const cJSON *canonical, struct policy *ret_policy)
{
    const cJSON *window = json_member(canonical, "window");

    *ret_policy = (struct policy){
        .on_failure = (enum on_failure)choice_of(canonical, "onFailure", failures),
        .drift = (enum drift_policy)choice_of(canonical, "drift", drifts),
        .keep_orphans = choice_of(canonical, "orphans", orphans) == 1,
        .allow_empty = canonical && cJSON_IsTrue(json_member(canonical, "allowEmpty")),
        .progress_deadline_ns = number_of(canonical, "progressDeadline", PROGRESS_DEADLINE_NS),
        .min_free_disk_bytes = number_of(canonical, "minFreeDisk", 0),
        .max_pull_parallel = (int)number_of(canonical, "maxPullParallel", MAX_PULL_PARALLEL),
    };
    if (!window)
        return;
    ret_policy->window.cron = json_member(window, "cron")->valuestring;
    ret_policy->window.duration_ns = number_of(window, "duration", 0);
    ret_policy->window.utc = choice_of(window, "zone", zones) == 1;
}
