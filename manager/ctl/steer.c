/* retry, pause, resume, rollback: commands whose answer is that they were taken. */

#include <inttypes.h>

#include "manager/ctl/ask.h"
#include "manager/ctl/command.h"
#include "manager/ctl/view.h"

static int show(const struct call *call, const struct answers *answers, const char *done)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = ask_tree(answers);
        return tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    }
    for (size_t i = 0; i < answers->waiting.count; i++) {
        if (!answers->results[i])
            continue;
        int64_t revision = view_int(answers->results[i], "revision");
        terminal_append_styled(&out, &call->out, STYLE_STRONG, answers->waiting.nodes[i]->name);
        buf_appendf(&out, ": %s", done);
        if (revision > 0)
            buf_appendf(&out, " (revision %" PRId64 ")", revision);
        buf_append_char(&out, '\n');
    }
    return call_print(call, &out);
}

static int steer(const struct call *call, const char *method, const cJSON *params, const char *done)
{
    ANSWERS answers = {0};
    const struct ask ask = {.method = method, .params = params, .of_project = true};
    int status = ask_nodes(call, &ask, &answers);

    if (ask_has_results(&answers) && show(call, &answers, done) != CTL_CONVERGED)
        return CTL_FAILED;
    return status;
}

int retry_run(const struct call *call)
{
    return steer(call, "retry", NULL, "tries again");
}

int pause_run(const struct call *call)
{
    return steer(call, "pause", NULL, "paused");
}

int resume_run(const struct call *call)
{
    return steer(call, "resume", NULL, "goes on");
}

int rollback_run(const struct call *call)
{
    cJSON *params AUTO(cJSON_Delete) = cJSON_CreateObject();
    int64_t revision = call->flags->revision;

    if (!params || (revision > 0 && !cJSON_AddNumberToObject(params, "revision", (double)revision)))
        return call_fail(call, CTL_FAILED, "out of memory");
    return steer(call, "rollback", params, "goes back");
}
