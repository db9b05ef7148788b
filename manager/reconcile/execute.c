#include "manager/reconcile/execute.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/reconcile/request.h"
#include "manager/reconcile/verify.h"

#define BODY_MAX (4 << 20)

enum step_state { STEP_WAITING, STEP_RUNNING, STEP_DONE, STEP_FAILED };

struct step {
    struct execution *execution;
    const struct op *op;
    enum step_state state;
    struct engine_call *call;
    struct pull *pull;
    struct verify *verify;
    char made[65];            /* the id of what OP_CREATE made */
    struct failure *conflict; /* over a name, while it is asked who has it */
    bool insists;             /* on a name that nobody had when it was asked */
};

struct execution {
    struct execution_settings settings;
    uv_check_t turn; /* ends and begins operations outside of whatever reported */
    uv_idle_t spin;  /* keeps the loop from waiting before that */
    struct step *steps;
    size_t count, running, pulls;
    struct execution_result result;
    bool stopping;
};

static void begin_what_can(struct execution *x);
static int begin_call(struct step *s, struct err *e);

/* ---- the end ---- */

static void on_closed(uv_handle_t *handle)
{
    struct execution *x = handle->data;

    if (handle == (uv_handle_t *)&x->spin) {
        uv_close((uv_handle_t *)&x->turn, on_closed);
        return;
    }
    free(x->steps);
    free(x);
}

void execution_free(struct execution *x)
{
    if (!x)
        return;
    for (size_t i = 0; i < x->count; i++) {
        engine_cancel(TAKE(x->steps[i].call));
        pull_cancel(TAKE(x->steps[i].pull));
        verify_cancel(TAKE(x->steps[i].verify));
        free(TAKE(x->steps[i].conflict));
    }
    uv_check_stop(&x->turn);
    uv_close((uv_handle_t *)&x->spin, on_closed);
}

static void finish(struct execution *x)
{
    x->settings.done(x->settings.context, &x->result);
    execution_free(x);
}

static void on_turn(uv_check_t *turn)
{
    begin_what_can(turn->data);
}

static void on_spin(uv_idle_t *spin)
{
    (void)spin;
}

static void take_turn(struct execution *x)
{
    uv_check_start(&x->turn, on_turn);
    uv_idle_start(&x->spin, on_spin);
}

static void stop_waiting(struct execution *x)
{
    for (size_t i = 0; i < x->count; i++) {
        struct step *s = &x->steps[i];
        if (s->state != STEP_RUNNING || (!s->pull && !s->verify))
            continue;
        pull_cancel(TAKE(s->pull));
        verify_cancel(TAKE(s->verify));
        s->state = STEP_FAILED;
        x->running--;
    }
}

void execution_cancel(struct execution *x)
{
    x->stopping = x->result.cancelled = true;
    stop_waiting(x);
    take_turn(x);
}

/* ---- one operation ---- */

static void tell(struct step *s, enum step_event event, const struct pull_progress *pull)
{
    const struct step_news news = {s->op, event, pull};
    s->execution->settings.step(s->execution->settings.context, &news);
}

static void end_step(struct step *s, const struct failure *failure)
{
    struct execution *x = s->execution;

    if (failure && s->op->may_fail) {
        log_debug("manager", "the engine did not do it", LOG_STR("object", s->op->object),
                  LOG_STR("reason", failure->message), LOG_STR("engine", failure->engine));
        s->state = STEP_DONE;
        x->running--;
        tell(s, STEP_FAILS, NULL);
        take_turn(x);
        return;
    }
    s->state = failure ? STEP_FAILED : STEP_DONE;
    x->running--;
    if (failure && x->result.failure.code == REASON_NONE)
        x->result.failure = *failure;
    if (failure && !x->settings.keep_going)
        x->stopping = true;
    tell(s, failure ? STEP_FAILS : STEP_ENDS, NULL);
    take_turn(x);
}

/* The id that {"Id": "..."} gives. */
static void keep_id(struct step *s, const struct engine_reply *reply)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;

    if (json_parse(reply->body, reply->size, JSON_MAX_DEPTH, &json, NULL) < 0)
        return;
    const char *id = cJSON_GetStringValue(json_member(json, "Id"));
    if (id && !str_copy(s->made, sizeof(s->made), id))
        s->made[0] = '\0';
}

/* One that was removed just then has left the name free: it is tried once more before the name is
 * taken for a ghost's. */
static void on_holder(void *context, const struct engine_reply *reply)
{
    struct step *s = context;
    struct failure failure = *s->conflict;
    struct err e = {0};

    s->call = NULL;
    free(TAKE(s->conflict));
    if (reply->status == 404 && !s->insists) {
        s->insists = true;
        if (begin_call(s, &e) == 0)
            return;
    }
    if (reply->status == 404)
        failure_set_ghost(&failure, s->op);
    end_step(s, &failure);
}

/* True where on_holder() goes on. */
static bool ask_for_holder(struct step *s, const struct engine_reply *reply,
                           const struct failure *failure)
{
    char id[65], path[128];

    if (!failure_name_holder(s->op, reply, id))
        return false;
    s->conflict = malloc(sizeof(*s->conflict));
    if (!s->conflict)
        return false;
    *s->conflict = *failure;
    (void)snprintf(path, sizeof(path), "/containers/%s/json", id);
    if (engine_call(s->execution->settings.engine,
                    &(struct engine_request){.method = "GET", .path = path}, on_holder, s,
                    &s->call) == 0)
        return true;
    free(TAKE(s->conflict));
    return false;
}

static void on_reply(void *context, const struct engine_reply *reply)
{
    struct step *s = context;
    struct failure failure = {0};

    s->call = NULL;
    bool done = failure_read(s->op, reply, &failure);
    if (done && s->op->kind == OP_CREATE) {
        keep_id(s, reply);
        if (s->made[0] == '\0') {
            failure_set(&failure, s->op, REASON_INVALID, "the engine gave it no id", reply->body);
            done = false;
        }
    }
    if (done)
        end_step(s, NULL);
    else if (!ask_for_holder(s, reply, &failure))
        end_step(s, &failure);
}

static void on_verified(void *context, const struct failure *failure)
{
    struct step *s = context;

    s->verify = NULL;
    end_step(s, failure);
}

static void on_pull_progress(void *context, const struct pull_progress *progress)
{
    tell(context, STEP_GOES_ON, progress);
}

static void on_pulled(void *context, const struct pull_result *result)
{
    struct step *s = context;
    struct failure failure;

    s->pull = NULL;
    if (result->code == REASON_NONE) {
        end_step(s, NULL);
        return;
    }
    failure_set(&failure, s->op, result->code, "it could not be pulled", result->message);
    failure.retry_after_ms = result->retry_after_ms;
    end_step(s, &failure);
}

static const char *container_of(const struct execution *x, const struct op *op)
{
    if (op->container)
        return op->container;
    return op->maker == OP_NONE ? NULL : x->steps[op->maker].made;
}

/* Of the service whose network it shares: the one there is, or the one this plan has made. */
static const char *namespace_container(const struct execution *x, const struct service *service)
{
    const struct observed *o = x->settings.observed;
    const char *id = NULL;

    if (!service || !service->namespace_of)
        return NULL;
    for (size_t i = 0; i < o->container_count; i++)
        if (str_equal(o->containers[i].project, x->settings.document->project) &&
            str_equal(o->containers[i].service, service->namespace_of))
            id = o->containers[i].id;
    for (size_t i = 0; i < x->count; i++)
        if (x->steps[i].made[0] != '\0' &&
            str_equal(x->steps[i].op->service->name, service->namespace_of))
            id = x->steps[i].made;
    return id;
}

static int begin_call(struct step *s, struct err *e)
{
    struct execution *x = s->execution;
    struct buf path AUTO(buf_deinit) = BUF_INIT(8192), body AUTO(buf_deinit) = BUF_INIT(BODY_MAX);
    const struct request_context context = {
        .document = x->settings.document,
        .observed = x->settings.observed,
        .node = x->settings.node,
        .secrets_dir = x->settings.secrets_dir,
        .container = container_of(x, s->op),
        .namespace_container = namespace_container(x, s->op->service),
    };
    struct engine_request request;

    if (request_make(s->op, &context, &path, &body, &request) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    if (engine_call(x->settings.engine, &request, on_reply, s, &s->call) < 0)
        return FAIL(e, ENOMEM, "out of memory");
    return 0;
}

static int begin_pull(struct step *s, struct err *e)
{
    const struct execution_settings *settings = &s->execution->settings;
    const struct pull_settings pull = {
        .image = s->op->service->image,
        .platform = s->op->service->platform,
        .registry_config = settings->registry_config,
        .progress = on_pull_progress,
        .done = on_pulled,
        .context = s,
    };
    return pull_start(settings->engine, &pull, &s->pull, e);
}

static int begin_verify(struct step *s, struct err *e)
{
    const struct verify_settings settings = {
        .loop = s->execution->settings.loop,
        .engine = s->execution->settings.engine,
        .op = s->op,
        .container = container_of(s->execution, s->op),
        .done = on_verified,
        .context = s,
    };
    return verify_start(&settings, &s->verify, e);
}

static int commit(struct step *s, struct err *e)
{
    const struct execution_settings *settings = &s->execution->settings;

    int r = settings->commit(settings->context, e);
    if (r == 0)
        end_step(s, NULL);
    return r;
}

static void begin(struct step *s)
{
    struct err e = {0};
    struct failure failure;
    int r;

    s->state = STEP_RUNNING;
    s->execution->running++;
    tell(s, STEP_BEGINS, NULL);
    switch (s->op->kind) {
    case OP_PULL:
        r = begin_pull(s, &e);
        break;
    case OP_VERIFY:
        r = begin_verify(s, &e);
        break;
    case OP_COMMIT:
        r = commit(s, &e);
        break;
    default:
        r = begin_call(s, &e);
        break;
    }
    if (r < 0) {
        failure_set(&failure, s->op, r == -ENOSPC ? REASON_DISK : REASON_INVALID, e.msg, NULL);
        end_step(s, &failure);
    }
}

/* ---- all operations ---- */

static bool can_begin(const struct execution *x, const struct step *s)
{
    if (s->state != STEP_WAITING || (x->pulls > 0 && s->op->kind != OP_PULL))
        return false;
    for (size_t i = 0; i < s->op->after_count; i++)
        if (x->steps[s->op->after[i]].state != STEP_DONE)
            return false;
    return true;
}

static size_t parallel(const struct execution *x)
{
    return x->pulls > 0 ? (size_t)x->settings.document->policy.max_pull_parallel : EXECUTE_PARALLEL;
}

static size_t busy(const struct execution *x)
{
    size_t count = 0;

    /* Waiting costs the engine nothing. */
    for (size_t i = 0; i < x->count; i++)
        count += x->steps[i].state == STEP_RUNNING && !x->steps[i].verify;
    return count;
}

/*
 * What was found good is in no hurry: others are to start before its limits are set, which costs
 * the engine half as much as a start.
 */
static bool is_urgent(const struct step *s)
{
    return s->op->kind != OP_LIMITS;
}

static bool is_starting(const struct execution *x)
{
    for (size_t i = 0; i < x->count; i++) {
        const struct step *s = &x->steps[i];

        if (s->state == STEP_RUNNING && (s->op->kind == OP_CREATE || s->op->kind == OP_START))
            return true;
    }
    return false;
}

static void begin_all(struct execution *x, bool urgent)
{
    for (size_t i = 0; i < x->count && !x->stopping && busy(x) < parallel(x); i++)
        if (is_urgent(&x->steps[i]) == urgent && can_begin(x, &x->steps[i]))
            begin(&x->steps[i]);
}

static void begin_what_can(struct execution *x)
{
    uv_check_stop(&x->turn);
    uv_idle_stop(&x->spin);
    if (x->stopping)
        stop_waiting(x);
    begin_all(x, true);
    if (!is_starting(x))
        begin_all(x, false);
    if (x->running == 0 && !uv_is_active((uv_handle_t *)&x->turn))
        finish(x);
}

void execution_wake(struct execution *x, const char *container)
{
    for (size_t i = 0; i < x->count; i++)
        if (x->steps[i].verify)
            verify_wake(x->steps[i].verify, container);
}

size_t execution_progress(const struct execution *x, size_t *ret_total)
{
    size_t done = 0;

    for (size_t i = 0; i < x->count; i++)
        done += x->steps[i].state == STEP_DONE;
    *ret_total = x->pulls > 0 ? x->pulls : x->count;
    return done;
}

int execution_start(const struct execution_settings *settings, struct execution **ret_execution,
                    struct err *e)
{
    struct execution *x = calloc(1, sizeof(*x));

    if (!x)
        return FAIL(e, ENOMEM, "out of memory");
    x->settings = *settings;
    x->count = settings->plan->count;
    x->steps = calloc(x->count + 1, sizeof(*x->steps));
    if (!x->steps) {
        free(x);
        return FAIL(e, ENOMEM, "out of memory");
    }
    for (size_t i = 0; i < x->count; i++) {
        x->steps[i] = (struct step){.execution = x, .op = &settings->plan->ops[i]};
        x->pulls += x->steps[i].op->kind == OP_PULL;
    }
    uv_check_init(settings->loop, &x->turn);
    uv_idle_init(settings->loop, &x->spin);
    x->turn.data = x->spin.data = x;
    take_turn(x);
    *ret_execution = x;
    return 0;
}
