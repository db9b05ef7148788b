#include "manager/link/commands.h"

#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/log.h"
#include "common/base/str.h"
#include "manager/engine/logs.h"
#include "manager/link/answer.h"
#include "manager/reconcile/dry_run.h"

#define PENDING_MAX 16
#define COMMAND_MAX (2 << 20)
#define LOGS_MAX    (128 << 10) /* of one answer */
#define LOGS_TAIL   100

/* A command whose answer takes the engine's answers. */
struct pending {
    struct commands *commands;
    struct answer answer;
    struct dry_run *run;
    struct logs *logs; /* of one container after the other */
    char **containers; /* ids and names, by turns; NULL-terminated */
    size_t next;
    cJSON *lines;
    size_t bytes;
    int tail;
    bool timestamps, truncated;
};

struct commands {
    struct commands_settings settings;
    struct pending *pending[PENDING_MAX];
};

/* ---- pending ones ---- */

static void pending_free(struct pending *p)
{
    if (!p)
        return;
    dry_run_cancel(p->run);
    logs_cancel(p->logs);
    for (size_t i = 0; p->containers && p->containers[i]; i++)
        free(p->containers[i]);
    free(p->containers);
    cJSON_Delete(p->lines);
    answer_deinit(&p->answer);
    free(p);
}

static void forget(struct pending *p)
{
    for (size_t i = 0; i < PENDING_MAX; i++)
        if (p->commands->pending[i] == p)
            p->commands->pending[i] = NULL;
    pending_free(p);
}

/* Takes the answer over, also where it is refused: NULL, and that is answered. */
static struct pending *begin(struct commands *c, struct answer *answer)
{
    for (size_t i = 0; i < PENDING_MAX; i++) {
        if (c->pending[i])
            continue;
        struct pending *p = calloc(1, sizeof(*p));
        if (!p)
            break;
        p->commands = c;
        p->answer = *answer;
        *answer = (struct answer){0};
        return c->pending[i] = p;
    }
    answer_error(answer, ANSWER_BUSY, "too many commands are under way: try again", REASON_NONE);
    return NULL;
}

/* ---- params ---- */

struct call {
    struct commands *commands;
    struct answer *answer;
    const cJSON *params; /* an object or NULL */
};

static struct project *find_project(const struct call *call)
{
    const char *name = NULL;
    struct err e = {0};

    int r = json_get_string(call->params, "/params", "project", &name, &e);
    if (r != 0) {
        answer_error(call->answer, ANSWER_INVALID_PARAMS,
                     r > 0 ? "/params/project is missing" : e.msg, REASON_NONE);
        return NULL;
    }
    struct project *project = projects_find(call->commands->settings.projects, name);
    if (!project)
        answer_error(call->answer, ANSWER_NOT_FOUND, "this node knows no such project",
                     REASON_NONE);
    return project;
}

/* JSON_ABSENT leaves the value as it is; false: answered. */
static bool get_int(const struct call *call, const char *name, int64_t min, int64_t max,
                    int64_t *ret_value)
{
    struct err e = {0};

    if (json_get_int(call->params, "/params", name, min, max, ret_value, &e) >= 0)
        return true;
    answer_error(call->answer, ANSWER_INVALID_PARAMS, e.msg, REASON_NONE);
    return false;
}

static void answer_done(const struct call *call, int r, const struct err *e)
{
    if (r == 0)
        answer_result(call->answer, cJSON_CreateObject());
    else
        answer_error(call->answer, r == -ENOENT ? ANSWER_NOT_FOUND : ANSWER_REFUSED, e->msg,
                     REASON_NONE);
}

/* ---- plan ---- */

static void on_planned(void *context, const struct plan *plan, const struct err *e)
{
    struct pending *p = context;

    p->run = NULL;
    if (plan)
        answer_result(&p->answer, plan_to_json(plan));
    else
        answer_error(&p->answer, ANSWER_ENGINE, e->msg, REASON_ENGINE_DOWN);
    forget(p);
}

static void start_plan(const struct call *call, struct taken *taken, bool steady)
{
    const struct commands_settings *s = &call->commands->settings;
    struct pending *p = begin(call->commands, call->answer);
    struct err e = {0};

    if (!p)
        return;
    const struct dry_run_settings settings = {
        .engine = s->engine,
        .node = s->node,
        .taken = taken,
        .steady = steady,
        .done = on_planned,
        .context = p,
    };
    if (dry_run_start(&settings, &p->run, &e) < 0) {
        answer_error(&p->answer, ANSWER_INTERNAL, e.msg, REASON_NONE);
        forget(p);
    }
}

static struct taken *take(const struct call *call, const char *text, size_t len)
{
    struct document *document = NULL;
    struct rejection rejection = {0};
    struct taken *taken;

    if (document_parse(text, len, call->commands->settings.safety, &document, &rejection) < 0) {
        answer_error(call->answer, ANSWER_REFUSED, rejection.e.msg, rejection.code);
        return NULL;
    }
    taken = taken_new(document, text, len);
    if (!taken)
        answer_error(call->answer, ANSWER_INTERNAL, "out of memory", REASON_NONE);
    return taken;
}

static void call_plan(const struct call *call)
{
    const cJSON *document = json_member(call->params, "document");
    char *text AUTO(free) = NULL;
    struct project *project = NULL;
    struct taken *taken AUTO(taken_unref) = NULL;

    if (document) {
        text = cJSON_PrintUnformatted(document);
        taken = take(call, text ? text : "", text ? strlen(text) : 0);
    } else {
        project = find_project(call);
        taken = project ? taken_ref(project_taken(project)) : NULL;
    }
    if (taken)
        start_plan(call, taken, document == NULL && project_is_steady(project));
}

/* ---- orders ---- */

static void call_status(const struct call *call)
{
    const struct commands_settings *s = &call->commands->settings;
    answer_result(call->answer, s->report(s->context));
}

static void call_retry(const struct call *call)
{
    struct project *project = find_project(call);
    struct err e = {0};

    if (project)
        answer_done(call, project_retry(project, &e), &e);
}

static void call_pause(const struct call *call)
{
    struct project *project = find_project(call);
    struct err e = {0};

    if (project)
        answer_done(call, project_pause(project, true, &e), &e);
}

static void call_resume(const struct call *call)
{
    struct project *project = find_project(call);
    struct err e = {0};

    if (project)
        answer_done(call, project_pause(project, false, &e), &e);
}

static void call_rollback(const struct call *call)
{
    struct project *project = find_project(call);
    int64_t revision = 0;
    struct err e = {0};

    if (project && get_int(call, "revision", 1, INT64_MAX, &revision))
        answer_done(call, project_roll_back(project, revision, &e), &e);
}

/* ---- history ---- */

static cJSON *entry_json(const struct project_status *status, const struct store_entry *entry)
{
    cJSON *json = cJSON_CreateObject();
    char taken[CLOCK_TEXT_SIZE];
    const char *state = "taken";

    if (str_starts_with(status->applied.digest, entry->digest))
        state = "applied";
    else if (str_starts_with(status->last_good.digest, entry->digest))
        state = "good";
    else if (str_starts_with(status->desired.digest, entry->digest))
        state = phase_name(status->phase);
    clock_format_us(entry->taken_us, taken);
    cJSON_AddNumberToObject(json, "revision", (double)entry->revision);
    cJSON_AddStringToObject(json, "digest", entry->digest);
    cJSON_AddStringToObject(json, "taken", taken);
    cJSON_AddStringToObject(json, "state", state);
    return json;
}

static void call_history(const struct call *call)
{
    struct project *project = find_project(call);
    struct store_entry *entries AUTO(free) = NULL;
    struct project_status status;
    struct err e = {0};
    size_t count = 0;

    if (!project)
        return;
    int r =
        store_history(call->commands->settings.store, project_name(project), &entries, &count, &e);
    if (r < 0) {
        answer_done(call, r, &e);
        return;
    }
    cJSON *json = cJSON_CreateObject();
    cJSON *list = cJSON_AddArrayToObject(json, "revisions");
    project_status(project, &status);
    for (size_t i = 0; i < count; i++) {
        cJSON *entry = entry_json(&status, &entries[i]);
        if (!cJSON_AddItemToArray(list, entry))
            cJSON_Delete(entry);
    }
    answer_result(call->answer, json);
}

static void call_document(const struct call *call)
{
    struct project *project = find_project(call);
    cJSON *document AUTO(cJSON_Delete) = NULL;
    char *text AUTO(free) = NULL;
    struct project_status status;
    struct err e = {0};
    size_t len;

    if (!project)
        return;
    project_status(project, &status);
    int64_t revision = status.applied.number;
    if (!get_int(call, "revision", 1, INT64_MAX, &revision))
        return;
    int r = store_read_history(call->commands->settings.store, project_name(project), revision,
                               NULL, &text, &len, &e);
    if (r == 0)
        r = json_parse(text, len, JSON_MAX_DEPTH, &document, &e);
    if (r < 0)
        answer_done(call, r, &e);
    else
        answer_result(call->answer, TAKE(document));
}

/* ---- logs ---- */

static void next_logs(struct pending *p);

static void on_line(void *context, const char *line, size_t len, bool is_error)
{
    struct pending *p = context;
    const char *container = p->containers[p->next - 1];
    cJSON *json;

    p->bytes += len;
    if (p->bytes > LOGS_MAX || !str_is_utf8(line, len, NULL)) {
        p->truncated = true;
        return;
    }
    char *text AUTO(free) = strndup(line, len);
    json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "container", container);
    cJSON_AddStringToObject(json, "stream", is_error ? "stderr" : "stdout");
    cJSON_AddStringToObject(json, "text", text ? text : "");
    if (!cJSON_AddItemToArray(p->lines, json))
        cJSON_Delete(json);
}

static void on_logs_done(void *context, const char *error)
{
    struct pending *p = context;

    p->logs = NULL;
    if (error) {
        answer_error(&p->answer, ANSWER_ENGINE, error, REASON_NONE);
        forget(p);
        return;
    }
    next_logs(p);
}

static void answer_logs(struct pending *p)
{
    cJSON *json = cJSON_CreateObject();

    cJSON_AddBoolToObject(json, "truncated", p->truncated);
    if (cJSON_AddItemToObject(json, "lines", p->lines))
        p->lines = NULL;
    answer_result(&p->answer, json);
    forget(p);
}

static void next_logs(struct pending *p)
{
    struct err e = {0};

    if (!p->containers[p->next]) {
        answer_logs(p);
        return;
    }
    const struct logs_settings settings = {
        .container = p->containers[p->next++],
        .tail = p->tail,
        .timestamps = p->timestamps,
        .max_bytes = LOGS_MAX,
        .line = on_line,
        .done = on_logs_done,
        .context = p,
    };
    if (logs_start(p->commands->settings.engine, &settings, &p->logs, &e) < 0) {
        answer_error(&p->answer, ANSWER_INTERNAL, e.msg, REASON_NONE);
        forget(p);
    }
}

static int list_containers(struct pending *p, const struct project *project, const char *service)
{
    const struct observed *observed = project_observed(project);
    size_t count = observed ? observed->container_count : 0, found = 0;

    p->containers = calloc(count + 1, sizeof(*p->containers));
    p->lines = cJSON_CreateArray();
    if (!p->containers || !p->lines)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct container *c = &observed->containers[i];

        if (service && !str_equal(c->service, service))
            continue;
        p->containers[found] = strdup(c->name);
        if (!p->containers[found++])
            return -ENOMEM;
    }
    return 0;
}

static void call_logs(const struct call *call)
{
    struct project *project = find_project(call);
    const char *service = NULL;
    struct err e = {0};
    int64_t tail = LOGS_TAIL;
    bool timestamps = false;

    if (!project || !get_int(call, "tail", 1, 10000, &tail))
        return;
    if (json_get_string(call->params, "/params", "service", &service, &e) < 0 ||
        json_get_bool(call->params, "/params", "timestamps", &timestamps, &e) < 0) {
        answer_error(call->answer, ANSWER_INVALID_PARAMS, e.msg, REASON_NONE);
        return;
    }
    struct pending *p = begin(call->commands, call->answer);
    if (!p)
        return;
    p->tail = (int)tail;
    p->timestamps = timestamps;
    if (list_containers(p, project, service) == 0 && (p->containers[0] || !service)) {
        next_logs(p);
        return;
    }
    answer_error(&p->answer, ANSWER_NOT_FOUND, "this project has no container of that service here",
                 REASON_NONE);
    forget(p);
}

/* ---- requests ---- */

static const struct {
    const char *name;
    void (*call)(const struct call *call);
} methods[] = {
    {"status", call_status},   {"plan", call_plan},         {"retry", call_retry},
    {"pause", call_pause},     {"resume", call_resume},     {"rollback", call_rollback},
    {"history", call_history}, {"document", call_document}, {"logs", call_logs},
};

static void dispatch(const struct call *call, const char *method)
{
    for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
        if (str_equal(methods[i].name, method)) {
            log_info("manager", "command", LOG_STR("method", method),
                     LOG_STR("reply_to", call->answer->reply_to));
            methods[i].call(call);
            return;
        }
    answer_error(call->answer, ANSWER_UNKNOWN_METHOD, "there is no such method", REASON_NONE);
}

/* False: nobody can be answered. */
static bool read_envelope(const struct commands *c, const cJSON *json, struct answer *answer)
{
    const char *reply_to = NULL, *correlation_id = "";
    const cJSON *id = json_member(json, "id");

    if (json_get_string(json, "", "reply_to", &reply_to, NULL) != 0 ||
        json_get_string(json, "", "correlation_id", &correlation_id, NULL) < 0 ||
        !str_copy(answer->reply_to, sizeof(answer->reply_to), reply_to) ||
        !str_copy(answer->correlation_id, sizeof(answer->correlation_id), correlation_id))
        return false;
    answer->link = c->settings.link;
    answer->node = c->settings.node;
    if (cJSON_IsString(id) || cJSON_IsNumber(id))
        answer->id = cJSON_Duplicate(id, false);
    return true;
}

void commands_handle(struct commands *commands, const char *text, size_t len)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;
    struct answer answer = {0};
    struct err e = {0};
    const char *method = NULL, *version = NULL;

    int r = len > COMMAND_MAX ? FAIL(&e, EFBIG, "it is longer than %d bytes", COMMAND_MAX)
                              : json_parse(text, len, JSON_MAX_DEPTH, &json, &e);
    if (r < 0 || !cJSON_IsObject(json) || !read_envelope(commands, json, &answer)) {
        log_warning("manager", "a command that nobody can be answered is left",
                    LOG_STR("reason", e.code ? e.msg : "it has no reply_to"));
        answer_deinit(&answer);
        return;
    }
    const struct call call = {commands, &answer, json_member(json, "params")};
    if (json_get_string(json, "", "method", &method, &e) != 0 ||
        json_get_string(json, "", "jsonrpc", &version, &e) != 0 || !str_equal(version, "2.0"))
        answer_error(&answer, ANSWER_INVALID_REQUEST, "this is no request of JSON-RPC 2.0",
                     REASON_NONE);
    else if (call.params && !cJSON_IsObject(call.params))
        answer_error(&answer, ANSWER_INVALID_PARAMS, "/params must be an object", REASON_NONE);
    else
        dispatch(&call, method);
    answer_deinit(&answer);
}

int commands_new(const struct commands_settings *settings, struct commands **ret_commands,
                 struct err *e)
{
    struct commands *c = calloc(1, sizeof(*c));

    if (!c)
        return FAIL(e, ENOMEM, "out of memory");
    c->settings = *settings;
    *ret_commands = c;
    return 0;
}

void commands_free(struct commands *commands)
{
    for (size_t i = 0; commands && i < PENDING_MAX; i++)
        pending_free(commands->pending[i]);
    free(commands);
}
