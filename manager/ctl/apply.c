#include "manager/ctl/apply.h"

#include <inttypes.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/canary.h"
#include "manager/ctl/command.h"
#include "manager/ctl/lint.h"
#include "manager/ctl/progress.h"
#include "manager/ctl/publish.h"
#include "manager/ctl/view.h"

/* ---- the result ---- */

static void append_result(struct buf *out, const struct call *call, const struct console *console,
                          const struct node *node, enum outcome outcome, const char *project)
{
    AUTO(buf_deinit) struct buf reason = BUF_INIT(4096);

    terminal_append_styled(out, &call->out, STYLE_STRONG, node->name);
    buf_append_str(out, ": ");
    terminal_append_styled(out, &call->out, outcome_style(outcome), outcome_name(outcome));
    if (outcome == OUTCOME_ABSENT) {
        const char *nearest =
            node->presence == PRESENCE_UNKNOWN ? fleet_nearest(&console->fleet, node->name) : NULL;
        buf_append_str(out, node->presence == PRESENCE_UNKNOWN
                                ? ": no manager of that name was ever seen"
                                : ": offline; it takes the document when it is back");
        if (nearest)
            buf_appendf(out, "; did you mean %s?", nearest);
    } else if (outcome != OUTCOME_CONVERGED) {
        progress_append_reason(&reason, node, project);
        const char *advice =
            view_string(view_object(node_project(node, project), "reason"), "advice");
        if (reason.len > 0)
            buf_appendf(out, ": %s", reason.data);
        if (reason.len > 0 && !strstr(reason.data, advice))
            buf_appendf(out, "\n    %s", advice);
    }
    buf_append_char(out, '\n');
}

static cJSON *result_tree(const struct waiting *w)
{
    cJSON *tree AUTO(cJSON_Delete) = cJSON_CreateObject();

    cJSON_AddStringToObject(tree, "project", w->expected.project);
    cJSON_AddNumberToObject(tree, "revision", (double)w->expected.revision);
    cJSON_AddStringToObject(tree, "id", w->expected.id);
    if (w->expected.group)
        cJSON_AddStringToObject(tree, "group", w->expected.group);
    cJSON *nodes = cJSON_AddArrayToObject(tree, "nodes");
    for (size_t i = 0; i < w->count; i++) {
        const cJSON *reason = view_object(node_project(w->nodes[i], w->expected.project), "reason");
        cJSON *one = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(nodes, one)) {
            cJSON_Delete(one);
            return NULL;
        }
        cJSON_AddStringToObject(one, "node", w->nodes[i]->name);
        cJSON_AddStringToObject(one, "presence", presence_name(w->nodes[i]->presence));
        cJSON_AddStringToObject(one, "outcome", outcome_name(w->outcomes[i]));
        if (reason && w->outcomes[i] != OUTCOME_CONVERGED)
            cJSON_AddItemToObject(one, "reason", cJSON_Duplicate(reason, true));
    }
    return TAKE(tree);
}

int apply_report(const struct call *call, const struct console *console,
                 const struct waiting *waiting)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);
    int r;

    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = result_tree(waiting);
        r = tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    } else {
        for (size_t i = 0; i < waiting->count; i++)
            append_result(&out, call, console, waiting->nodes[i], waiting->outcomes[i],
                          waiting->expected.project);
        r = call_print(call, &out);
    }
    return r != CTL_CONVERGED ? r : (int)outcome_exit(waiting->outcomes, waiting->count);
}

/* ---- publishing ---- */

static int topic_of(const struct waiting *w, size_t index, char topic[static TOPIC_SIZE],
                    struct err *e)
{
    return w->expected.group ? publish_group_topic(w->expected.group, w->expected.project, topic, e)
                             : publish_node_topic(w->nodes[index], w->expected.project, topic, e);
}

static size_t count_topics(const struct waiting *w)
{
    return w->expected.group ? 1 : w->count;
}

/* To every node the same revision, above that of each. -ESTALE for one of --revision that is below:
 * it would take the newer document's place at the broker, and no node would take it. */
static int choose_revision(struct console *console, struct waiting *w, struct err *e)
{
    int64_t given = console->call->flags->revision;
    char topic[TOPIC_SIZE];
    int64_t next = 1;

    for (size_t i = 0; i < count_topics(w); i++) {
        int r = topic_of(w, i, topic, e);
        if (r == 0)
            r = console_hear(console, topic, e);
        if (r < 0)
            return r;
        int64_t one =
            publish_next_revision(console, topic, w->nodes, w->count, w->expected.project);
        next = one > next ? one : next;
    }
    if (given > 0 && given < next - 1)
        return FAIL(e, ESTALE,
                    "stale: --revision %" PRId64 " is below revision %" PRId64 " of %s, which is "
                    "known already; leave --revision out, or take %" PRId64 " or more",
                    given, next - 1, w->expected.project, next);
    w->expected.revision = given > 0 ? given : next;
    return 0;
}

static int publish(struct console *console, cJSON *document, struct waiting *w, struct err *e)
{
    char topic[TOPIC_SIZE];

    int r = choose_revision(console, w, e);
    if (r == 0)
        r = source_set_revision(document, w->expected.revision, e);
    for (size_t i = 0; r == 0 && i < count_topics(w); i++) {
        r = topic_of(w, i, topic, e);
        if (r == 0)
            r = console_retain(console, topic, document, e);
        if (r == 0)
            call_note(console->call, "published %s revision %" PRId64 " at %s", w->expected.project,
                      w->expected.revision, topic);
    }
    return r;
}

/* Names for "did you mean", where one was never seen. */
static int hear_others(struct console *console, const struct waiting *waiting, struct err *e)
{
    for (size_t i = 0; i < waiting->count; i++) {
        if (waiting->nodes[i]->presence == PRESENCE_UNKNOWN)
            return console_hear_nodes(console, NULL, false, e);
    }
    return 0;
}

static int apply_document(const struct call *call, cJSON *document, struct console *console,
                          struct waiting *waiting, struct err *e)
{
    const struct flags *flags = call->flags;

    int r = console_open(console, call, e);
    if (r == 0)
        r = console_hear_nodes(console, flags->group ? NULL : &flags->nodes, true, e);
    if (r == 0)
        r = waiting_init(waiting, console, flags->group, e);
    if (r < 0)
        return r;
    waiting->expected.project = source_project(document);
    waiting->expected.id = view_string(document, "id");
    r = publish(console, document, waiting, e);
    if (r == 0 && flags->wait)
        r = hear_others(console, waiting, e);
    if (r == 0 && flags->wait)
        r = waiting_run(waiting, console, e);
    return r;
}

int apply_run(const struct call *call)
{
    const struct flags *flags = call->flags;
    cJSON *document AUTO(cJSON_Delete) = NULL;
    CONSOLE console = {0};
    WAITING waiting = {0};
    struct err e = {0};

    if (flags->resume)
        return canary_resume(call);
    if ((flags->nodes.count > 0) == (flags->group != NULL))
        return call_fail(call, CTL_USAGE,
                         "apply needs --node NAME or --group NAME: who is it for?");
    int status = lint_load(call, &document);
    if (status != CTL_CONVERGED)
        return status;
    if (flags->canary)
        return canary_start(call, TAKE(document));
    int r = apply_document(call, document, &console, &waiting, &e);
    if (r == -ESTALE)
        return call_fail(call, CTL_REJECTED, "%s", e.msg);
    if (r < 0)
        return call_fail_error(call, &e);
    if (!flags->wait)
        return CTL_CONVERGED;
    if (waiting.count == 0)
        return call_fail(call, CTL_ABSENT,
                         "no node of group %s is known: the next one takes the "
                         "document when it comes",
                         flags->group);
    return apply_report(call, &console, &waiting);
}
