#include "manager/ctl/command.h"
#include "manager/ctl/lint.h"

/* A document is JSON: --output table means nothing here. */
int config_run(const struct call *call)
{
    cJSON *document AUTO(cJSON_Delete) = NULL;
    int status = lint_load(call, &document);

    return status == CTL_CONVERGED ? call_print_tree(call, document) : status;
}
