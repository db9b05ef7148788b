#include "manager/reconcile/dry_run.h"

#include "common/base/json.h"

struct dry_run {
    struct dry_run_settings settings;
    struct observation *observation;
};

void dry_run_cancel(struct dry_run *run)
{
    if (!run)
        return;
    observe_cancel(run->observation);
    taken_unref(run->settings.taken);
    free(run);
}

static void on_observed(void *context, struct observed *observed, const struct err *e)
{
    struct dry_run *run = context;
    struct observed *seen AUTO(observed_release) = observed;
    const struct plan_settings settings = {
        .mode = run->settings.steady ? PLAN_STEADY : PLAN_APPLY,
        .refresh_images = !run->settings.steady,
    };
    struct plan plan = {0};
    struct err failed = *e;

    run->observation = NULL;
    int r = seen ? plan_make(&plan, run->settings.taken->document, seen, &settings) : -EIO;
    if (seen && r < 0)
        err_set(&failed, ENOMEM, "out of memory");
    run->settings.done(run->settings.context, r < 0 ? NULL : &plan, &failed);
    plan_deinit(&plan);
    dry_run_cancel(run);
}

int dry_run_start(const struct dry_run_settings *settings, struct dry_run **ret_run, struct err *e)
{
    struct dry_run *run = calloc(1, sizeof(*run));
    const struct observe_settings observe = {
        .engine = settings->engine,
        .node = settings->node,
        .project = settings->taken->document->project,
        .document = settings->taken->document,
        .done = on_observed,
        .context = run,
    };

    if (!run)
        return FAIL(e, ENOMEM, "out of memory");
    run->settings = *settings;
    run->settings.taken = taken_ref(settings->taken);
    int r = observe_start(&observe, &run->observation, e);
    if (r < 0)
        dry_run_cancel(TAKE(run));
    *ret_run = run;
    return r;
}

static cJSON *op_to_json(const struct op *op)
{
    struct buf text AUTO(buf_deinit) = BUF_INIT(4096);
    cJSON *json = cJSON_CreateObject();

    op_format(op, &text);
    cJSON_AddStringToObject(json, "text", text.data ? text.data : "");
    cJSON_AddStringToObject(json, "kind", op_kind_name(op->kind));
    if (op->service)
        cJSON_AddStringToObject(json, "service", op->service->name);
    cJSON_AddStringToObject(json, "object", op->object);
    cJSON_AddStringToObject(json, "reason", op->reason);
    return json;
}

cJSON *plan_to_json(const struct plan *plan)
{
    cJSON *json AUTO(cJSON_Delete) = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "operations");

    for (size_t i = 0; i < plan->count; i++) {
        cJSON *op = op_is_change(plan->ops[i].kind) ? op_to_json(&plan->ops[i]) : NULL;
        if (op && !cJSON_AddItemToArray(list, op))
            cJSON_Delete(op);
    }
    if (plan->obstacle.code == REASON_NONE)
        return cJSON_AddNullToObject(json, "obstacle") ? TAKE(json) : NULL;
    cJSON *obstacle = cJSON_AddObjectToObject(json, "obstacle");
    cJSON_AddStringToObject(obstacle, "code", reason_name(plan->obstacle.code));
    cJSON_AddStringToObject(obstacle, "service",
                            plan->obstacle.service ? plan->obstacle.service : "");
    return cJSON_AddStringToObject(obstacle, "message", plan->obstacle.message) ? TAKE(json) : NULL;
}
