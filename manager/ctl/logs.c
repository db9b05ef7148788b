#include "common/base/str.h"
#include "manager/ctl/ask.h"
#include "manager/ctl/command.h"
#include "manager/ctl/view.h"

static enum style stream_style(const cJSON *line)
{
    return str_equal(view_string(line, "stream"), "stderr") ? STYLE_WARNING : STYLE_PLAIN;
}

static void append_lines(struct buf *out, const struct call *call, const struct node *node,
                         bool many, const cJSON *result)
{
    const cJSON *lines = view_array(result, "lines");

    for (const cJSON *line = lines ? lines->child : NULL; line; line = line->next) {
        if (many) {
            terminal_append_styled(out, &call->out, STYLE_FAINT, node->name);
            buf_append_char(out, ' ');
        }
        terminal_append_styled(out, &call->out, STYLE_STRONG, view_string(line, "container"));
        buf_append_str(out, " | ");
        terminal_append_styled(out, &call->out, stream_style(line), view_string(line, "text"));
        buf_append_char(out, '\n');
    }
}

static int show(const struct call *call, const struct answers *answers)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = ask_tree(answers);
        return tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    }
    for (size_t i = 0; i < answers->waiting.count; i++) {
        const struct node *node = answers->waiting.nodes[i];
        append_lines(&out, call, node, answers->waiting.count > 1, answers->results[i]);
        if (view_bool(answers->results[i], "truncated"))
            call_note(call, "%s: older lines were left out to keep the answer short (--tail)",
                      node->name);
    }
    return call_print(call, &out);
}

int logs_run(const struct call *call)
{
    cJSON *params AUTO(cJSON_Delete) = cJSON_CreateObject();
    const struct flags *flags = call->flags;
    ANSWERS answers = {0};

    if (!cJSON_AddNumberToObject(params, "tail", (double)flags->tail) ||
        !cJSON_AddBoolToObject(params, "timestamps", flags->timestamps) ||
        (flags->service && !cJSON_AddStringToObject(params, "service", flags->service)))
        return call_fail(call, CTL_FAILED, "out of memory");
    const struct ask ask = {.method = "logs", .params = params, .of_project = true};
    int status = ask_nodes(call, &ask, &answers);
    if (ask_has_results(&answers) && show(call, &answers) != CTL_CONVERGED)
        return CTL_FAILED;
    return status;
}
