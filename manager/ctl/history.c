#include <inttypes.h>

#include "manager/ctl/ask.h"
#include "manager/ctl/command.h"
#include "manager/ctl/table.h"
#include "manager/ctl/view.h"

#define DIGEST_SHOWN 12

static void add_node(struct table *table, const struct node *node, const cJSON *result)
{
    const cJSON *revisions = view_array(result, "revisions");

    for (const cJSON *r = revisions ? revisions->child : NULL; r; r = r->next) {
        table_add(table, STYLE_STRONG, node->name);
        table_addf(table, STYLE_PLAIN, "%" PRId64, view_int(r, "revision"));
        table_addf(table, STYLE_FAINT, "%.*s", DIGEST_SHOWN, view_string(r, "digest"));
        table_add(table, STYLE_PLAIN, view_string(r, "taken"));
        table_add(table, STYLE_PLAIN, view_string(r, "state"));
    }
}

static int show(const struct call *call, const struct answers *answers)
{
    static const char *const headings[] = {"NODE", "REVISION", "DIGEST", "TAKEN", "STATE", NULL};
    struct table *table AUTO(table_free) = table_new(headings);
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = ask_tree(answers);
        return tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    }
    for (size_t i = 0; i < answers->waiting.count; i++) {
        if (answers->results[i])
            add_node(table, answers->waiting.nodes[i], answers->results[i]);
    }
    table_print(table, &call->out, &out);
    return call_print(call, &out);
}

int history_run(const struct call *call)
{
    ANSWERS answers = {0};
    int status = ask_nodes(call, &(struct ask){.method = "history", .of_project = true}, &answers);

    if (ask_has_results(&answers) && show(call, &answers) != CTL_CONVERGED)
        return CTL_FAILED;
    return status;
}
