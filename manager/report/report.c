#include "manager/report/report.h"

#include <stdio.h>
#include <sys/statvfs.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/container.h"
#include "manager/reconcile/plan.h"

static void add_time(cJSON *object, const char *name, int64_t time_us)
{
    char text[CLOCK_TEXT_SIZE];

    if (time_us == 0) {
        cJSON_AddNullToObject(object, name);
        return;
    }
    clock_format_us(time_us, text);
    cJSON_AddStringToObject(object, name, text);
}

/* NULL, and "" as well, is null. */
static void add_text(cJSON *object, const char *name, const char *text)
{
    if (text && text[0] != '\0')
        cJSON_AddStringToObject(object, name, text);
    else
        cJSON_AddNullToObject(object, name);
}

/* A failed add does not free what was to be added. */
static void append(cJSON *list, cJSON *item)
{
    if (!cJSON_AddItemToArray(list, item))
        cJSON_Delete(item);
}

/* ---- containers ---- */

/* Of a container that runs again the engine has forgotten with what code it ended. */
static void add_last_exit(cJSON *object, const struct inspection *now, const char *tail)
{
    if (now->finished_us == 0 || str_equal(now->status, "running")) {
        cJSON_AddNullToObject(object, "lastExit");
        return;
    }
    cJSON *json = cJSON_AddObjectToObject(object, "lastExit");
    cJSON_AddNumberToObject(json, "code", (double)now->exit_code);
    cJSON_AddBoolToObject(json, "oom", now->oom_killed);
    add_time(json, "at", now->finished_us);
    add_text(json, "tail", tail);
}

static cJSON *container_json(const struct container *c)
{
    struct inspection now = inspection_read(c->inspected);
    cJSON *json = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "name", c->name);
    cJSON_AddStringToObject(json, "id", c->id);
    cJSON_AddStringToObject(json, "imageId", c->image_id);
    cJSON_AddStringToObject(json, "state", container_state_name(c->state));
    cJSON_AddStringToObject(json, "health", now.health);
    cJSON_AddNumberToObject(json, "restarts", (double)now.restarts);
    add_time(json, "startedAt", now.started_us);
    add_last_exit(json, &now, c->tail);
    return json;
}

/* Worst first: one bad container makes the service's health. */
static int health_rank(const char *health)
{
    static const char *const ranks[] = {"none", "healthy", "starting", "unhealthy"};

    for (size_t i = 0; i < ARRAY_SIZE(ranks); i++)
        if (str_equal(health, ranks[i]))
            return (int)i;
    return 0;
}

static void add_service(cJSON *services, const struct document *document,
                        const struct service *service, const struct observed *observed)
{
    cJSON *json = cJSON_AddObjectToObject(services, service->name);
    cJSON *containers = cJSON_CreateArray();
    const char *state = "absent", *health = "none";
    int64_t restarts = 0;
    int running = 0;

    for (size_t i = 0; observed && i < observed->container_count; i++) {
        const struct container *c = &observed->containers[i];

        if (!str_equal(c->project, document->project) || !str_equal(c->service, service->name))
            continue;
        struct inspection now = inspection_read(c->inspected);
        running += c->state == CONTAINER_RUNNING;
        restarts += now.restarts;
        if (!str_equal(state, "running"))
            state = container_state_name(c->state);
        if (container_is_up(c) && health_rank(now.health) > health_rank(health))
            health = now.health;
        append(containers, container_json(c));
    }
    cJSON_AddStringToObject(json, "image", service->image);
    cJSON_AddStringToObject(json, "state", state);
    cJSON_AddStringToObject(json, "health", health);
    cJSON *replicas = cJSON_AddObjectToObject(json, "replicas");
    cJSON_AddNumberToObject(replicas, "desired", service->replicas);
    cJSON_AddNumberToObject(replicas, "running", running);
    cJSON_AddNumberToObject(json, "restarts", (double)restarts);
    if (!cJSON_AddItemToObject(json, "containers", containers))
        cJSON_Delete(containers);
}

/* ---- projects ---- */

static void add_revision(cJSON *object, const char *name, const struct revision *revision)
{
    if (revision->number == 0) {
        cJSON_AddNullToObject(object, name);
        return;
    }
    cJSON *json = cJSON_AddObjectToObject(object, name);
    cJSON_AddNumberToObject(json, "revision", (double)revision->number);
    add_text(json, "digest", revision->digest);
}

static void add_desired(cJSON *object, const struct project_status *status)
{
    cJSON *json = cJSON_AddObjectToObject(object, "desired");

    cJSON_AddNumberToObject(json, "revision", (double)status->desired.number);
    add_text(json, "id", status->id);
    add_text(json, "digest", status->desired.digest);
    cJSON_AddBoolToObject(json, "accepted", status->accepted);
}

static void add_reason(cJSON *object, const struct failure *failure)
{
    if (failure->code == REASON_NONE) {
        cJSON_AddNullToObject(object, "reason");
        return;
    }
    cJSON *json = cJSON_AddObjectToObject(object, "reason");
    cJSON_AddStringToObject(json, "code", reason_name(failure->code));
    add_text(json, "service", failure->service);
    cJSON_AddStringToObject(json, "message", failure->message);
    cJSON_AddStringToObject(json, "advice", reason_advice(failure->code));
    add_text(json, "engine", failure->engine);
}

static void add_drift(cJSON *object, const struct project_status *status)
{
    cJSON *list = cJSON_AddArrayToObject(object, "drift");

    for (size_t i = 0; i < status->drift_count; i++) {
        cJSON *json = cJSON_CreateObject();

        add_text(json, "service", status->drift[i].service);
        cJSON_AddStringToObject(json, "object", status->drift[i].object);
        cJSON_AddStringToObject(json, "cause", status->drift[i].cause);
        append(list, json);
    }
}

/* ---- what the engine does not let go of ---- */

static void add_ghost(cJSON *list, const struct container *c, const char *object, const char *cause)
{
    cJSON *json = cJSON_CreateObject();

    add_text(json, "service", c->service);
    cJSON_AddStringToObject(json, "object", object);
    cJSON_AddStringToObject(json, "cause", cause);
    append(list, json);
}

static void add_ghosts(cJSON *object, const struct document *document,
                       const struct observed *observed)
{
    cJSON *list = cJSON_AddArrayToObject(object, "ghosts");
    char wanted[CONTAINER_NAME_SIZE], cause[CONTAINER_NAME_SIZE + 128];

    for (size_t i = 0; document && observed && i < observed->container_count; i++) {
        const struct container *c = &observed->containers[i];
        const struct service *service = document_service(document, c->service);

        if (!service || !str_equal(c->project, document->project))
            continue;
        container_name_format(document, service, c->number, wanted);
        if (!ghosts_stands_in(c->name, wanted))
            continue;
        (void)snprintf(cause, sizeof(cause),
                       "the engine kept the name for a container that is not there: %.300s stands "
                       "in for it",
                       c->name);
        add_ghost(list, c, wanted, cause);
    }
    for (size_t i = 0; observed && i < observed->ghost_count; i++)
        add_ghost(list, &observed->ghosts[i], observed->ghosts[i].name,
                  "the engine could not stop or remove this container: it was taken out of its "
                  "networks, and its removal is tried again");
}

static void add_project(cJSON *projects, const struct project *project)
{
    cJSON *json = cJSON_AddObjectToObject(projects, project_name(project));
    const struct document *document = project_document(project);
    struct project_status status;

    project_status(project, &status);
    cJSON_AddStringToObject(json, "source", status.source);
    add_desired(json, &status);
    add_revision(json, "applied", &status.applied);
    add_revision(json, "lastGood", &status.last_good);
    cJSON_AddStringToObject(json, "phase", phase_name(status.phase));
    add_time(json, "since", status.since_us);
    cJSON_AddNumberToObject(json, "attempt", status.attempt + 1);
    add_time(json, "nextRetry", status.next_retry_us);
    cJSON_AddBoolToObject(json, "paused", status.paused);
    cJSON_AddBoolToObject(json, "converged", status.converged);
    add_drift(json, &status);
    add_ghosts(json, document, project_observed(project));
    add_reason(json, status.failure);
    cJSON *services = cJSON_AddObjectToObject(json, "services");
    for (size_t i = 0; document && i < document->service_count; i++)
        add_service(services, document, &document->services[i], project_observed(project));
}

/* ---- the node ---- */

static void add_engine(cJSON *object, const struct report_context *c)
{
    cJSON *json = cJSON_AddObjectToObject(object, "engine");
    bool up = engine_state(c->engine) == ENGINE_UP;
    char api[16];

    (void)snprintf(api, sizeof(api), "1.%d", engine_api_minor(c->engine));
    cJSON_AddStringToObject(json, "state", up ? "up" : "down");
    add_text(json, "version", engine_version(c->engine));
    add_text(json, "api", engine_api_minor(c->engine) > 0 ? api : NULL);
    add_text(json, "reason", up ? NULL : c->engine_reason);
}

/* Where the engine's own folder is to be seen: in a pod it is not. */
static void add_disk(cJSON *object, const struct report_context *c)
{
    const char *folder = engine_data_root(c->engine);
    struct statvfs fs;

    if (folder[0] == '\0' || statvfs(folder, &fs) < 0) {
        cJSON_AddNullToObject(object, "disk");
        return;
    }
    cJSON *json = cJSON_AddObjectToObject(object, "disk");
    cJSON_AddNumberToObject(json, "free", (double)fs.f_bavail * (double)fs.f_frsize);
    cJSON_AddNumberToObject(json, "total", (double)fs.f_blocks * (double)fs.f_frsize);
}

static void add_groups(cJSON *object, const struct report_context *c)
{
    cJSON *list = cJSON_AddArrayToObject(object, "groups");

    for (size_t i = 0; i < c->group_count; i++) {
        cJSON *json = cJSON_CreateObject();

        cJSON_AddStringToObject(json, "name", c->groups[i].name);
        cJSON_AddNumberToObject(json, "priority", c->groups[i].priority);
        append(list, json);
    }
}

static void add_counters(cJSON *object, const struct report_context *c)
{
    cJSON *json = cJSON_AddObjectToObject(object, "counters");
    uint64_t applies = 0, rollbacks = 0;
    struct project_status status;

    for (size_t i = 0; i < projects_count(c->projects); i++) {
        project_status(projects_at(c->projects, i), &status);
        applies += status.applies;
        rollbacks += status.rollbacks;
    }
    cJSON_AddNumberToObject(json, "engineWrites", (double)engine_writes(c->engine));
    cJSON_AddNumberToObject(json, "applies", (double)applies);
    cJSON_AddNumberToObject(json, "rollbacks", (double)rollbacks);
}

cJSON *report_make(const struct report_context *c)
{
    cJSON *json AUTO(cJSON_Delete) = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "node", c->node);
    cJSON_AddNumberToObject(json, "session", (double)c->session);
    cJSON *agent = cJSON_AddObjectToObject(json, "agent");
    cJSON_AddStringToObject(agent, "version", BELLBUOY_VERSION);
    add_time(json, "time", clock_wall_us());
    add_groups(json, c);
    add_engine(json, c);
    add_disk(json, c);
    add_counters(json, c);
    cJSON *projects = cJSON_AddObjectToObject(json, "projects");
    for (size_t i = 0; projects && i < projects_count(c->projects); i++)
        add_project(projects, projects_at(c->projects, i));
    return projects ? TAKE(json) : NULL;
}

char *presence_make(const char *node, bool online, int64_t session, int64_t since_us)
{
    cJSON *json AUTO(cJSON_Delete) = cJSON_CreateObject();

    cJSON_AddStringToObject(json, "node", node);
    cJSON_AddBoolToObject(json, "online", online);
    cJSON_AddNumberToObject(json, "session", (double)session);
    add_time(json, "since", since_us);
    return cJSON_AddStringToObject(json, "version", BELLBUOY_VERSION) ? cJSON_PrintUnformatted(json)
                                                                      : NULL;
}

static void add_pulls(cJSON *object, const struct step_news *news)
{
    static const char *const states[] = {[STEP_BEGINS] = "waiting",
                                         [STEP_GOES_ON] = "pulling",
                                         [STEP_ENDS] = "done",
                                         [STEP_FAILS] = "failed"};
    cJSON *list = cJSON_AddArrayToObject(object, "pulls");

    if (news->op->kind != OP_PULL)
        return;
    cJSON *json = cJSON_CreateObject();
    cJSON_AddStringToObject(json, "image", news->op->object);
    cJSON_AddStringToObject(json, "state", states[news->event]);
    cJSON_AddNumberToObject(json, "current", news->pull ? (double)news->pull->current_bytes : 0);
    cJSON_AddNumberToObject(json, "total", news->pull ? (double)news->pull->total_bytes : 0);
    append(list, json);
}

char *progress_make(const struct report_context *c, const struct project *project,
                    const struct step_news *news)
{
    cJSON *json AUTO(cJSON_Delete) = cJSON_CreateObject();
    struct buf text AUTO(buf_deinit) = BUF_INIT(1024);
    struct project_status status;

    project_status(project, &status);
    cJSON_AddStringToObject(json, "node", c->node);
    cJSON_AddNumberToObject(json, "session", (double)c->session);
    cJSON_AddStringToObject(json, "project", project_name(project));
    cJSON_AddNumberToObject(json, "revision", (double)status.desired.number);
    cJSON_AddStringToObject(json, "phase", phase_name(status.phase));
    add_pulls(json, news);
    op_format(news->op, &text);
    cJSON *step = cJSON_AddObjectToObject(json, "step");
    cJSON_AddNumberToObject(step, "done", (double)status.steps_done);
    cJSON_AddNumberToObject(step, "total", (double)status.steps_total);
    return cJSON_AddStringToObject(step, "text", text.data ? text.data : "")
               ? cJSON_PrintUnformatted(json)
               : NULL;
}
