#include "manager/ctl/ask.h"

#include <stdlib.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "manager/ctl/revision.h"
#include "manager/ctl/source.h"
#include "manager/ctl/view.h"

#define CODE_NOT_FOUND (-32000)

void answers_deinit(struct answers *answers)
{
    free(answers->results);
    cJSON_Delete(answers->nothing);
    waiting_deinit(&answers->waiting);
    console_deinit(&answers->console);
}

static void set_outcome(struct answers *a, size_t index, enum outcome outcome)
{
    a->waiting.outcomes[index] = outcome;
}

/* The node's project, or NULL after saying that nobody can know which is meant. */
static const char *project_of(const struct call *call, const struct node *node)
{
    const cJSON *projects = view_object(node->report, "projects");

    if (call->flags->project)
        return call->flags->project;
    if (projects && projects->child && !projects->child->next)
        return projects->child->string;
    (void)call_fail(call, CTL_USAGE, "%s: which project? --project names it%s%s%s", node->name,
                    projects && projects->child ? "; there is " : "",
                    projects && projects->child ? projects->child->string : "",
                    projects && projects->child ? " and others" : "");
    return NULL;
}

static cJSON *params_of(const struct call *call, const struct ask *ask, const struct node *node,
                        const char *project)
{
    cJSON *params AUTO(cJSON_Delete) =
        ask->params ? cJSON_Duplicate(ask->params, true) : cJSON_CreateObject();
    cJSON *document = cJSON_GetObjectItemCaseSensitive(params, "document");

    if (project && params && !cJSON_AddStringToObject(params, "project", project))
        return NULL;
    if (document && call->flags->revision == 0 &&
        source_set_revision(document, revision_reported(node, source_project(document)) + 1, NULL) <
            0)
        return NULL;
    return TAKE(params);
}

/* > 0: there is nobody to ask, or nothing. */
static int ask_one(struct answers *a, const struct ask *ask, size_t index, unsigned *ret_id,
                   struct err *e)
{
    const struct call *call = a->console.call;
    const struct node *node = a->waiting.nodes[index];
    const char *nearest = fleet_nearest(&a->console.fleet, node->name);
    const char *project = NULL;

    if (node->presence != PRESENCE_ONLINE) {
        set_outcome(a, index, OUTCOME_ABSENT);
        if (node->presence == PRESENCE_OFFLINE || node->report)
            (void)call_fail(call, CTL_ABSENT, "%s is %s: nobody there answers", node->name,
                            presence_name(node->presence));
        else
            (void)call_fail(call, CTL_ABSENT, "no node '%s' was ever seen%s%s%s", node->name,
                            nearest ? "; did you mean " : "", nearest ? nearest : "",
                            nearest ? "?" : "");
        return 1;
    }
    if (ask->of_project && !(project = project_of(call, node))) {
        set_outcome(a, index, OUTCOME_REJECTED);
        return 1;
    }
    return console_ask(&a->console, node, ask->method, params_of(call, ask, node, project), ret_id,
                       e);
}

static void take_answer(struct answers *a, const struct ask *ask, size_t index, unsigned id,
                        int64_t deadline_ms)
{
    const struct call *call = a->console.call;
    const char *name = a->waiting.nodes[index]->name;
    const cJSON *answer = NULL;
    struct err e = {0};

    if (console_await(&a->console, id, deadline_ms, &answer, &e) < 0) {
        set_outcome(a, index, OUTCOME_TIMEOUT);
        (void)call_fail(call, CTL_TIMEOUT, "%s: %s", name, e.msg);
        return;
    }
    const cJSON *error = view_object(answer, "error");
    bool nothing = ask->or_nothing && view_int(error, "code") == CODE_NOT_FOUND;
    a->results[index] = nothing ? a->nothing : view_member(answer, "result");
    if (a->results[index]) {
        set_outcome(a, index, OUTCOME_CONVERGED);
        return;
    }
    const char *reason = view_string(view_object(error, "data"), "reason");
    set_outcome(a, index, OUTCOME_REJECTED);
    (void)call_fail(call, CTL_REJECTED, "%s: %s%s%s", name, reason, reason[0] ? ": " : "",
                    view_string(error, "message"));
}

static int ask_all(struct answers *a, const struct ask *ask, struct err *e)
{
    int64_t deadline_ms = clock_monotonic_ms() + a->console.call->flags->timeout_ms;
    unsigned *ids AUTO(free) = calloc(a->waiting.count + 1, sizeof(unsigned));

    a->results = calloc(a->waiting.count + 1, sizeof(cJSON *));
    a->nothing = cJSON_CreateObject();
    if (!ids || !a->results || !a->nothing)
        return FAIL(e, ENOMEM, "out of memory");
    for (size_t i = 0; i < a->waiting.count; i++) {
        int r = ask_one(a, ask, i, &ids[i], e);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < a->waiting.count; i++) {
        if (ids[i] > 0)
            take_answer(a, ask, i, ids[i], deadline_ms);
    }
    return 0;
}

int ask_nodes(const struct call *call, const struct ask *ask, struct answers *ret)
{
    const struct flags *flags = call->flags;
    struct err e = {0};

    *ret = (struct answers){0};
    if ((flags->nodes.count > 0) == (flags->group != NULL))
        return call_fail(call, CTL_USAGE, "%s needs --node NAME or --group NAME: whom to ask?",
                         call->command);
    int r = console_open(&ret->console, call, &e);
    if (r == 0) /* all: for "did you mean" */
        r = console_hear_nodes(&ret->console, flags->group ? NULL : &flags->nodes, false, &e);
    if (r == 0 && !flags->group)
        r = console_hear_nodes(&ret->console, NULL, false, &e);
    if (r == 0)
        r = waiting_init(&ret->waiting, &ret->console, flags->group, &e);
    if (r == 0 && ret->waiting.count == 0)
        return call_fail(call, CTL_ABSENT, "no node of group %s is known", flags->group);
    if (r == 0)
        r = ask_all(ret, ask, &e);
    if (r < 0)
        return call_fail_error(call, &e);
    return (int)outcome_exit(ret->waiting.outcomes, ret->waiting.count);
}

bool ask_has_results(const struct answers *answers)
{
    for (size_t i = 0; answers->results && i < answers->waiting.count; i++) {
        if (answers->results[i])
            return true;
    }
    return false;
}

cJSON *ask_tree(const struct answers *answers)
{
    cJSON *tree AUTO(cJSON_Delete) = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(tree, "nodes");

    for (size_t i = 0; i < answers->waiting.count; i++) {
        cJSON *one = answers->results[i] ? cJSON_CreateObject() : NULL;
        if (!one)
            continue;
        if (!cJSON_AddItemToArray(nodes, one)) {
            cJSON_Delete(one);
            return NULL;
        }
        cJSON_AddStringToObject(one, "node", answers->waiting.nodes[i]->name);
        cJSON_AddItemToObject(one, "result", cJSON_Duplicate(answers->results[i], true));
    }
    return nodes ? TAKE(tree) : NULL;
}
