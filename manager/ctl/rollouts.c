#include <inttypes.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/ctl/command.h"
#include "manager/ctl/console.h"
#include "manager/ctl/publish.h"
#include "manager/ctl/rollout.h"
#include "manager/ctl/table.h"
#include "manager/ctl/view.h"

static bool is_rollout(const cJSON *retained)
{
    return str_starts_with(retained->string, "bellbuoy/rollouts/") &&
           rollout_check(retained, NULL) == 0;
}

/* ---- listing ---- */

static void add_rollout(struct table *table, const cJSON *state)
{
    bool halted = str_equal(view_string(state, "state"), "halted");
    size_t stage = rollout_stage(state);

    table_add(table, STYLE_STRONG, rollout_id(state));
    table_add(table, STYLE_PLAIN, view_string(state, "group"));
    table_addf(table, STYLE_PLAIN, "%" PRId64,
               view_int(view_object(state, "document"), "revision"));
    table_addf(table, STYLE_PLAIN, "%zu of %zu (%s)", stage + 1, rollout_stage_count(state),
               cJSON_GetArrayItem(view_array(state, "stages"), (int)stage)->valuestring);
    table_addf(table, STYLE_PLAIN, "%zu of %d", rollout_stage_end(state, stage),
               cJSON_GetArraySize(view_array(state, "nodes")));
    table_add(table, halted ? STYLE_BAD : STYLE_GOOD, view_string(state, "state"));
    table_add(table, STYLE_PLAIN, view_string(state, "updated"));
    table_add(table, STYLE_PLAIN, view_string(state, "reason"));
}

static int list(const struct call *call, const struct console *console)
{
    static const char *const headings[] = {"ROLLOUT", "GROUP",   "REVISION", "STAGE", "NODES",
                                           "STATE",   "UPDATED", "REASON",   NULL};
    struct table *table AUTO(table_free) = table_new(headings);
    cJSON *tree AUTO(cJSON_Delete) = cJSON_CreateArray();
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    for (const cJSON *one = console->retained->child; tree && one; one = one->next) {
        cJSON *copy = is_rollout(one) ? cJSON_Duplicate(one, true) : NULL;
        if (!copy)
            continue;
        add_rollout(table, one);
        if (!cJSON_AddItemToArray(tree, copy))
            cJSON_Delete(copy);
    }
    if (!tree)
        return call_fail(call, CTL_FAILED, "out of memory");
    if (call->flags->output != OUTPUT_TABLE)
        return call_print_tree(call, tree);
    table_print(table, &call->out, &out);
    return call_print(call, &out);
}

/* ---- giving up ---- */

/* The document of the rollout, and not one that came after it. */
static bool is_of_rollout(const cJSON *document, const cJSON *state)
{
    return document && str_equal(view_string(document, "id"),
                                 view_string(view_object(state, "document"), "id"));
}

static int withdraw(struct console *console, const cJSON *state, const char *name, struct err *e)
{
    const struct node *node = fleet_add(&console->fleet, name);
    char topic[TOPIC_SIZE];

    if (!node)
        return FAIL(e, ENOMEM, "out of memory");
    int r = publish_node_topic(node, view_string(state, "project"), topic, e);
    if (r == 0)
        r = console_hear(console, topic, e);
    if (r < 0 || !is_of_rollout(console_retained(console, topic), state))
        return r;
    return console_retain(console, topic, NULL, e);
}

/* The nodes go back to what their group says; where that says nothing, they keep what they have. */
static int give_up(const struct call *call, struct console *console, cJSON *state)
{
    char topic[TOPIC_SIZE];
    struct err e = {0};
    int r = rollout_topic(rollout_id(state), topic, &e);

    /* Whoever goes on with it shall give no further node the document. */
    if (r == 0)
        r = rollout_hold(state, &e);
    if (r == 0)
        r = console_retain(console, topic, state, &e);
    for (const cJSON *n = view_array(state, "nodes")->child; r == 0 && n; n = n->next)
        r = withdraw(console, state, n->valuestring, &e);
    if (r == 0)
        r = console_retain(console, topic, NULL, &e);
    if (r < 0)
        return call_fail_error(call, &e);
    call_note(call, "%s is given up: its nodes follow their group again",
              call->flags->operands.items[0]);
    return CTL_CONVERGED;
}

int rollouts_run(const struct call *call)
{
    const struct flags *flags = call->flags;
    const char *id = flags->operands.items[0];
    cJSON *state AUTO(cJSON_Delete) = NULL;
    CONSOLE console = {0};
    char topic[TOPIC_SIZE];
    struct err e = {0};

    if (flags->abort && !id)
        return call_fail(call, CTL_USAGE, "which rollout? buoyctl rollouts ID --abort");
    if ((id && rollout_topic(id, topic, &e) < 0) || console_open(&console, call, &e) < 0 ||
        console_hear(&console, id ? topic : "bellbuoy/rollouts/+", &e) < 0)
        return call_fail_error(call, &e);
    const cJSON *found = id ? console_retained(&console, topic) : NULL;
    if (id && (!found || !is_rollout(found)))
        return call_fail(call, CTL_USAGE, "there is no rollout '%s'; buoyctl rollouts lists them",
                         id);
    if (!flags->abort)
        return list(call, &console);
    state = cJSON_Duplicate(found, true);
    return state ? give_up(call, &console, state) : call_fail(call, CTL_FAILED, "out of memory");
}
