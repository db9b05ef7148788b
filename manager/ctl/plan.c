#include <string.h>

#include "manager/ctl/ask.h"
#include "manager/ctl/command.h"
#include "manager/ctl/lint.h"
#include "manager/ctl/view.h"

static void append_operation(struct buf *out, const struct terminal *terminal, int number,
                             const cJSON *operation)
{
    const char *reason = view_string(operation, "reason");

    buf_appendf(out, "  %2d. ", number);
    terminal_append(out, view_string(operation, "text"));
    if (!strstr(view_string(operation, "text"), reason)) {
        buf_append_str(out, "  ");
        terminal_append_styled(out, terminal, STYLE_FAINT, reason);
    }
    buf_append_char(out, '\n');
}

/* What keeps the node from doing it. */
static void append_obstacle(struct buf *out, const struct terminal *terminal, const cJSON *obstacle)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(4096);

    buf_appendf(&text, "%s: %s", view_string(obstacle, "code"), view_string(obstacle, "message"));
    buf_append_str(out, "  in its way: ");
    terminal_append_styled(out, terminal, STYLE_BAD, buf_failed(&text) ? "" : text.data);
    buf_append_char(out, '\n');
}

static void append_plan(struct buf *out, const struct call *call, const struct node *node,
                        const cJSON *result)
{
    const cJSON *operations = view_array(result, "operations");
    const cJSON *obstacle = view_object(result, "obstacle");
    int number = 0;

    terminal_append_styled(out, &call->out, STYLE_STRONG, node->name);
    buf_append_str(out, ": ");
    if (operations && operations->child)
        buf_appendf(out, "%d operations", cJSON_GetArraySize(operations));
    else if (!obstacle)
        terminal_append_styled(out, &call->out, STYLE_GOOD, "nothing to do");
    buf_append_char(out, '\n');
    for (const cJSON *o = operations ? operations->child : NULL; o; o = o->next)
        append_operation(out, &call->out, ++number, o);
    if (obstacle)
        append_obstacle(out, &call->out, obstacle);
}

static int show(const struct call *call, const struct answers *answers)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = ask_tree(answers);
        return tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    }
    for (size_t i = 0; i < answers->waiting.count; i++) {
        if (answers->results[i])
            append_plan(&out, call, answers->waiting.nodes[i], answers->results[i]);
    }
    return call_print(call, &out);
}

static int load_params(const struct call *call, cJSON **ret_params)
{
    cJSON *document AUTO(cJSON_Delete) = NULL;
    cJSON *params AUTO(cJSON_Delete) = cJSON_CreateObject();

    int status = lint_load(call, &document);
    if (status != CTL_CONVERGED)
        return status;
    if (!cJSON_AddItemToObject(params, "document", document))
        return call_fail(call, CTL_FAILED, "out of memory");
    (void)TAKE(document);
    *ret_params = TAKE(params);
    return CTL_CONVERGED;
}

int plan_run(const struct call *call)
{
    const struct flags *flags = call->flags;
    bool of_files = flags->operands.count > 0 || flags->files.count > 0;
    cJSON *params AUTO(cJSON_Delete) = NULL;
    ANSWERS answers = {0};

    int status = of_files ? load_params(call, &params) : CTL_CONVERGED;
    if (status != CTL_CONVERGED)
        return status;
    const struct ask ask = {.method = "plan", .params = params, .of_project = !of_files};
    status = ask_nodes(call, &ask, &answers);
    if (ask_has_results(&answers) && show(call, &answers) != CTL_CONVERGED)
        return CTL_FAILED;
    return status;
}
