#include "manager/ctl/canary.h"

#include <inttypes.h>
#include <stdio.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/ctl/apply.h"
#include "manager/ctl/console.h"
#include "manager/ctl/publish.h"
#include "manager/ctl/rollout.h"
#include "manager/ctl/source.h"
#include "manager/ctl/view.h"
#include "manager/ctl/wait.h"

/*
 * Node beats group: the first nodes get the document at their own topics, share by share; at the
 * end the group gets it, and the nodes' own are taken away again. The state is written before what
 * it tells is done, and all that is done can be done again: a rollout that was killed anywhere goes
 * on with --resume. Who resumes takes it over: the one before, should it still live, ends.
 */

struct canary {
    const struct call *call;
    struct console console;
    cJSON *state;
    char topic[TOPIC_SIZE]; /* of the state */
};

static void canary_deinit(struct canary *c)
{
    cJSON_Delete(c->state);
    console_deinit(&c->console);
}
#define CANARY __attribute__((cleanup(canary_deinit))) struct canary

/* ---- the state at the broker ---- */

static int check_held(const struct canary *c, struct err *e)
{
    return rollout_check_held(console_retained(&c->console, c->topic), c->state, e);
}

static bool is_held(const void *context)
{
    return check_held(context, NULL) == 0;
}

static int hold(struct canary *c, struct err *e)
{
    int r = rollout_hold(c->state, e);

    if (r == 0)
        r = rollout_topic(rollout_id(c->state), c->topic, e);
    return r < 0 ? r : console_retain(&c->console, c->topic, c->state, e);
}

static int save(struct canary *c, size_t stage, const char *name, const char *reason, struct err *e)
{
    int r = check_held(c, e);

    if (r == 0 && rollout_set(c->state, stage, name, reason) < 0)
        r = FAIL(e, ENOMEM, "out of memory");
    return r < 0 ? r : console_retain(&c->console, c->topic, c->state, e);
}

static int forget(struct canary *c, struct err *e)
{
    int r = check_held(c, e);

    return r < 0 ? r : console_retain(&c->console, c->topic, NULL, e);
}

/* ---- publishing ---- */

static const char *node_name(const struct canary *c, size_t index)
{
    return cJSON_GetArrayItem(view_array(c->state, "nodes"), (int)index)->valuestring;
}

/* `document` NULL takes it away. */
static int put(struct canary *c, const char *topic, const cJSON *document, struct err *e)
{
    int r = console_hear(&c->console, topic, e);

    if (r == 0)
        r = check_held(c, e);
    return r < 0 ? r : console_retain(&c->console, topic, document, e);
}

static int put_at_node(struct canary *c, size_t index, const cJSON *document, struct err *e)
{
    const struct node *node = fleet_add(&c->console.fleet, node_name(c, index));
    char topic[TOPIC_SIZE];

    if (!node)
        return FAIL(e, ENOMEM, "out of memory");
    int r = publish_node_topic(node, view_string(c->state, "project"), topic, e);
    return r < 0 ? r : put(c, topic, document, e);
}

static int put_at_group(struct canary *c, const cJSON *document, struct err *e)
{
    char topic[TOPIC_SIZE];
    int r = publish_group_topic(view_string(c->state, "group"), view_string(c->state, "project"),
                                topic, e);

    return r < 0 ? r : put(c, topic, document, e);
}

static int publish_stage(struct canary *c, size_t stage, struct err *e)
{
    const cJSON *document = view_object(c->state, "document");
    bool last = stage + 1 == rollout_stage_count(c->state);
    size_t before = stage > 0 ? rollout_stage_end(c->state, stage - 1) : 0;
    size_t end = rollout_stage_end(c->state, stage);
    int r = last ? put_at_group(c, document, e) : 0;

    for (size_t i = last ? 0 : before; r == 0 && i < (last ? before : end); i++)
        r = put_at_node(c, i, last ? NULL : document, e);
    return r;
}

/* ---- stages ---- */

/* All that have the document so far: one that was good and no longer is halts it too. */
static int wait_stage(struct canary *c, size_t stage, struct waiting *waiting, struct err *e)
{
    bool last = stage + 1 == rollout_stage_count(c->state);
    const cJSON *document = view_object(c->state, "document");
    const char *group = view_string(c->state, "group");

    int r = last ? waiting_init(waiting, &c->console, group, e)
                 : waiting_init_names(waiting, &c->console, view_array(c->state, "nodes"),
                                      rollout_stage_end(c->state, stage), e);
    if (r < 0)
        return r;
    waiting->expected.project = source_project(document);
    waiting->expected.id = view_string(document, "id");
    waiting->expected.revision = view_int(document, "revision");
    waiting->goes_on = is_held;
    waiting->context = c;
    r = waiting_run(waiting, &c->console, e);
    return r < 0 ? r : check_held(c, e);
}

/* Of those that are not good alone: that some are does not matter. */
static enum ctl_exit why_halted(const struct waiting *waiting)
{
    enum ctl_exit status = CTL_CONVERGED;

    for (size_t i = 0; i < waiting->count; i++) {
        enum ctl_exit one = outcome_exit(&waiting->outcomes[i], 1);
        if (one != CTL_CONVERGED)
            status = status == CTL_CONVERGED || status == one ? one : CTL_PARTIAL;
    }
    return status;
}

static int fail(const struct canary *c, const struct err *e)
{
    return e->code == ECANCELED ? call_fail(c->call, CTL_PARTIAL, "%s", e->msg)
                                : call_fail_error(c->call, e);
}

static int halt(struct canary *c, size_t stage, const struct waiting *waiting, struct err *e)
{
    char reason[256] = "";

    for (size_t i = 0; i < waiting->count && reason[0] == '\0'; i++) {
        if (waiting->outcomes[i] != OUTCOME_CONVERGED)
            (void)snprintf(reason, sizeof reason, "%s: %s", waiting->nodes[i]->name,
                           outcome_name(waiting->outcomes[i]));
    }
    if (save(c, stage, "halted", reason, e) < 0)
        return fail(c, e);
    (void)apply_report(c->call, &c->console, waiting);
    return call_fail(
        c->call, why_halted(waiting),
        "halted at stage %zu of %zu, %s; all other nodes are as they were. Mend it and "
        "go on: buoyctl apply --resume %s; or give up: buoyctl rollouts %s --abort",
        stage + 1, rollout_stage_count(c->state), reason, rollout_id(c->state),
        rollout_id(c->state));
}

/* The exit status; CTL_CONVERGED goes on to the next stage. */
static int run_stage(struct canary *c, size_t stage, struct err *e)
{
    bool last = stage + 1 == rollout_stage_count(c->state);
    WAITING waiting = {0};

    call_note(c->call, "stage %zu of %zu of rollout %s: %s", stage + 1,
              rollout_stage_count(c->state), rollout_id(c->state),
              cJSON_GetArrayItem(view_array(c->state, "stages"), (int)stage)->valuestring);
    int r = save(c, stage, "running", NULL, e);
    if (r == 0)
        r = publish_stage(c, stage, e);
    if (r == 0)
        r = wait_stage(c, stage, &waiting, e);
    if (r < 0)
        return fail(c, e);
    int status = (int)outcome_exit(waiting.outcomes, waiting.count);
    if (!last)
        return status == CTL_CONVERGED ? status : halt(c, stage, &waiting, e);
    /* The group has it: nothing is left to do for who stands by. */
    return forget(c, e) < 0 ? fail(c, e) : apply_report(c->call, &c->console, &waiting);
}

static int run(struct canary *c)
{
    int status = CTL_CONVERGED;
    struct err e = {0};

    if (hold(c, &e) < 0)
        return fail(c, &e);
    for (size_t stage = rollout_stage(c->state);
         status == CTL_CONVERGED && stage < rollout_stage_count(c->state); stage++)
        status = run_stage(c, stage, &e);
    return status;
}

/* ---- the start ---- */

/* Those that are there and follow a group: the document of a node's own would be lost. */
static bool takes_part(const struct canary *c, const struct node *node, const char *project)
{
    bool has_own = str_equal(view_string(node_project(node, project), "source"), "node");

    if (node->presence != PRESENCE_ONLINE)
        call_note(c->call, "%s is %s: it takes the document with its group", node->name,
                  presence_name(node->presence));
    else if (has_own)
        call_note(c->call, "%s has a document of its own, and keeps it", node->name);
    return node->presence == PRESENCE_ONLINE && !has_own;
}

static cJSON *choose_nodes(struct canary *c, const char *project)
{
    cJSON *names AUTO(cJSON_Delete) = cJSON_CreateArray();

    for (size_t i = 0; names && i < c->console.fleet.count; i++) {
        const struct node *node = c->console.fleet.nodes[i];
        if (!node_group(node, c->call->flags->group) || !takes_part(c, node, project))
            continue;
        cJSON *name = cJSON_CreateString(node->name);
        if (!cJSON_AddItemToArray(names, name)) {
            cJSON_Delete(name);
            return NULL;
        }
    }
    return TAKE(names);
}

/* Above all that stands at the topics that it will be published at. */
static int set_revision(struct canary *c, cJSON *document, struct err *e)
{
    const char *project = source_project(document);
    struct fleet *fleet = &c->console.fleet;
    char topic[TOPIC_SIZE];

    int r = publish_group_topic(c->call->flags->group, project, topic, e);
    if (r == 0)
        r = console_hear(&c->console, topic, e);
    if (r < 0)
        return r;
    int64_t next = publish_next_revision(&c->console, topic, fleet->nodes, fleet->count, project);
    if (c->call->flags->revision > 0 && c->call->flags->revision < next)
        return FAIL(e, EINVAL,
                    "--revision %" PRId64 " is known already: %" PRId64 " or more is new",
                    c->call->flags->revision, next);
    return c->call->flags->revision > 0 ? 0 : source_set_revision(document, next, e);
}

static int hear(struct canary *c, struct err *e)
{
    int r = console_open(&c->console, c->call, e);

    if (r == 0)
        r = console_hear_nodes(&c->console, NULL, true, e);
    return r < 0 ? r : console_hear(&c->console, "bellbuoy/rollouts/+", e);
}

int canary_start(const struct call *call, cJSON *document)
{
    const struct flags *flags = call->flags;
    cJSON *owned AUTO(cJSON_Delete) = document;
    CANARY c = {.call = call};
    struct err e = {0};
    size_t count;

    if (!flags->group || !flags->wait)
        return call_fail(call, CTL_USAGE, "--canary needs --group NAME, and it waits");
    if (rollout_share(flags->canary, 1, &count, &e) < 0)
        return call_fail_error(call, &e);
    if (hear(&c, &e) < 0)
        return call_fail_error(call, &e);
    cJSON *nodes AUTO(cJSON_Delete) = choose_nodes(&c, source_project(document));
    if (!nodes)
        return call_fail(call, CTL_FAILED, "out of memory");
    if (!nodes->child)
        return call_fail(call, CTL_ABSENT, "no node of group %s is there to begin with",
                         flags->group);
    if (set_revision(&c, owned, &e) < 0 || rollout_new(flags->group, flags->canary, &flags->then,
                                                       TAKE(nodes), TAKE(owned), &c.state, &e) < 0)
        return call_fail_error(call, &e);
    return run(&c);
}

int canary_resume(const struct call *call)
{
    CANARY c = {.call = call};
    char topic[TOPIC_SIZE];
    struct err e = {0};

    if (rollout_topic(call->flags->resume, topic, &e) < 0 || hear(&c, &e) < 0)
        return call_fail_error(call, &e);
    const cJSON *found = console_retained(&c.console, topic);
    if (!found)
        return call_fail(call, CTL_USAGE, "there is no rollout '%s'; buoyctl rollouts lists them",
                         call->flags->resume);
    if (rollout_check(found, &e) < 0)
        return call_fail_error(call, &e);
    c.state = cJSON_Duplicate(found, true);
    return c.state ? run(&c) : call_fail(call, CTL_FAILED, "out of memory");
}
