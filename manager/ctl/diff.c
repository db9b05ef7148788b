#include "common/base/str.h"
#include "manager/ctl/ask.h"
#include "manager/ctl/change.h"
#include "manager/ctl/command.h"
#include "manager/ctl/lint.h"
#include "manager/ctl/view.h"

static cJSON *tree_of(const struct answers *answers, const cJSON *document)
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
        cJSON_AddItemToObject(one, "changes", change_list(answers->results[i], document));
    }
    return nodes ? TAKE(tree) : NULL;
}

static void append_node(struct buf *out, const struct call *call, const cJSON *one)
{
    const cJSON *changes = view_array(one, "changes");

    terminal_append_styled(out, &call->out, STYLE_STRONG, view_string(one, "node"));
    buf_append_char(out, ':');
    if (!changes || !changes->child) {
        buf_append_char(out, ' ');
        terminal_append_styled(out, &call->out, STYLE_GOOD, "no difference");
        buf_append_char(out, '\n');
        return;
    }
    buf_append_char(out, '\n');
    change_append(out, &call->out, changes);
}

static int show(const struct call *call, const struct answers *answers, const cJSON *document)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);
    cJSON *tree AUTO(cJSON_Delete) = tree_of(answers, document);

    if (!tree)
        return call_fail(call, CTL_FAILED, "out of memory");
    if (call->flags->output != OUTPUT_TABLE)
        return call_print_tree(call, tree);
    const cJSON *nodes = view_array(tree, "nodes");
    for (const cJSON *one = nodes ? nodes->child : NULL; one; one = one->next)
        append_node(&out, call, one);
    return call_print(call, &out);
}

int diff_run(const struct call *call)
{
    cJSON *document AUTO(cJSON_Delete) = NULL;
    cJSON *params AUTO(cJSON_Delete) = cJSON_CreateObject();
    ANSWERS answers = {0};

    int status = lint_load(call, &document);
    if (status != CTL_CONVERGED)
        return status;
    if (!cJSON_AddStringToObject(params, "project", source_project(document)))
        return call_fail(call, CTL_FAILED, "out of memory");
    status = ask_nodes(
        call, &(struct ask){.method = "document", .params = params, .or_nothing = true}, &answers);
    if (ask_has_results(&answers) && show(call, &answers, document) != CTL_CONVERGED)
        return CTL_FAILED;
    return status;
}
