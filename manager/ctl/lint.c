#include "manager/ctl/lint.h"

#include <stdio.h>

#include "manager/ctl/command.h"
#include "manager/ctl/view.h"

int lint_report(const struct call *call, const struct rejection *rejection)
{
    const char *advice = reason_advice(rejection->code);

    if (rejection->code == REASON_NONE)
        return call_fail(call, CTL_FAILED, "%s", rejection->e.msg);
    (void)call_fail(call, CTL_REJECTED, "%s: %s", reason_name(rejection->code), rejection->e.msg);
    if (advice[0] != '\0')
        call_note(call, "    %s", advice);
    return CTL_REJECTED;
}

int lint_load(const struct call *call, cJSON **ret_document)
{
    cJSON *document AUTO(cJSON_Delete) = NULL;
    struct rejection rejection = {0};
    struct err e = {0};

    int r = source_load(call, &document, &e);
    if (r < 0)
        return call_fail(call,
                         r == -EINVAL   ? CTL_REJECTED
                         : r == -ENOMEM ? CTL_FAILED
                                        : CTL_USAGE,
                         "%s", e.msg);
    if (source_check(document, &rejection) < 0)
        return lint_report(call, &rejection);
    *ret_document = TAKE(document);
    return CTL_CONVERGED;
}

int lint_run(const struct call *call)
{
    cJSON *document AUTO(cJSON_Delete) = NULL;
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);

    int status = lint_load(call, &document);
    if (status != CTL_CONVERGED)
        return status;
    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = cJSON_CreateObject();
        cJSON_AddStringToObject(tree, "project", source_project(document));
        cJSON_AddTrueToObject(tree, "valid");
        return tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    }
    terminal_append(&out, source_project(document));
    buf_append_str(&out, ": ");
    terminal_append_styled(&out, &call->out, STYLE_GOOD, "fit for a node");
    buf_appendf(&out, " (services: %d, networks: %d, volumes: %d)\n",
                cJSON_GetArraySize(view_object(document, "services")),
                cJSON_GetArraySize(view_object(document, "networks")),
                cJSON_GetArraySize(view_object(document, "volumes")));
    return call_print(call, &out);
}
