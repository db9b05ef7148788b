#include <inttypes.h>
#include <stdio.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "manager/ctl/command.h"
#include "manager/ctl/console.h"
#include "manager/ctl/table.h"
#include "manager/ctl/view.h"

#define WATCH_TURN_MS 60000
#define CLEAR         "\033[H\033[2J\033[3J"

/* ---- nodes ---- */

static enum style presence_style(enum presence presence)
{
    static const enum style styles[] = {STYLE_WARNING, STYLE_BAD, STYLE_GOOD};

    return styles[presence];
}

static enum style phase_style(const char *phase)
{
    if (str_equal(phase, "COMPLETED"))
        return STYLE_GOOD;
    return str_equal(phase, "REJECTED") || str_equal(phase, "ROLLED_BACK") ||
                   str_equal(phase, "STALLED") || str_equal(phase, "INCOMPLETE")
               ? STYLE_BAD
               : STYLE_WARNING;
}

static void add_engine(struct table *table, const struct node *node)
{
    const cJSON *engine = view_object(node->report, "engine");
    const char *state = view_string(engine, "state");

    if (str_equal(state, "up"))
        table_addf(table, STYLE_GOOD, "up %s", view_string(engine, "version"));
    else
        table_add(table, STYLE_BAD, engine ? state : "-");
}

static void add_revision(struct table *table, const cJSON *project)
{
    int64_t desired = view_int(view_object(project, "desired"), "revision");
    int64_t applied = view_int(view_object(project, "applied"), "revision");

    if (desired == applied)
        table_addf(table, STYLE_PLAIN, "%" PRId64, applied);
    else
        table_addf(table, STYLE_WARNING, "%" PRId64 " of %" PRId64, applied, desired);
}

static void add_truth(struct table *table, const cJSON *project)
{
    const cJSON *drift = view_array(project, "drift");
    const cJSON *ghosts = view_array(project, "ghosts");
    bool converged = view_bool(project, "converged");

    if (drift && drift->child)
        table_addf(table, STYLE_WARNING, "drift: %s", view_string(drift->child, "cause"));
    else if (ghosts && ghosts->child)
        table_addf(table, STYLE_WARNING, "%s, ghost: %s", converged ? "yes" : "no",
                   view_string(ghosts->child, "object"));
    else
        table_add(table, converged ? STYLE_GOOD : STYLE_WARNING, converged ? "yes" : "no");
}

static void add_reason(struct table *table, const cJSON *project)
{
    const cJSON *reason = view_object(project, "reason");

    if (view_bool(project, "paused"))
        table_add(table, STYLE_WARNING, "paused");
    else if (reason)
        table_addf(table, STYLE_BAD, "%s: %s", view_string(reason, "code"),
                   view_string(reason, "message"));
    else
        table_add(table, STYLE_PLAIN, "");
}

static bool is_shown(const struct flags *flags, const cJSON *project)
{
    return !flags->project || str_equal(project->string, flags->project);
}

static void add_node(struct table *table, const struct node *node, const struct flags *flags)
{
    const cJSON *projects = view_object(node->report, "projects");
    bool any = false;

    for (const cJSON *p = projects ? projects->child : NULL; p; p = p->next) {
        if (!is_shown(flags, p))
            continue;
        table_add(table, STYLE_STRONG, any ? "" : node->name);
        table_add(table, presence_style(node->presence), any ? "" : presence_name(node->presence));
        if (any)
            table_add(table, STYLE_PLAIN, "");
        else
            add_engine(table, node);
        table_add(table, STYLE_PLAIN, p->string);
        add_revision(table, p);
        table_add(table, phase_style(view_string(p, "phase")), view_string(p, "phase"));
        add_truth(table, p);
        add_reason(table, p);
        any = true;
    }
    if (any)
        return;
    table_add(table, STYLE_STRONG, node->name);
    table_add(table, presence_style(node->presence), presence_name(node->presence));
    add_engine(table, node);
    for (int i = 0; i < 5; i++)
        table_add(table, STYLE_FAINT, i == 0 ? "-" : "");
}

/* ---- services ---- */

static enum style health_style(const char *health)
{
    return str_equal(health, "healthy")     ? STYLE_GOOD
           : str_equal(health, "unhealthy") ? STYLE_BAD
                                            : STYLE_PLAIN;
}

static void add_service(struct table *table, const struct node *node, const cJSON *project,
                        const cJSON *service)
{
    const cJSON *replicas = view_object(service, "replicas");
    const char *state = view_string(service, "state");

    table_add(table, STYLE_STRONG, node->name);
    table_addf(table, STYLE_PLAIN, "%s/%s", project->string, service->string);
    table_add(table, str_equal(state, "running") ? STYLE_GOOD : STYLE_WARNING, state);
    table_add(table, health_style(view_string(service, "health")), view_string(service, "health"));
    table_addf(table, STYLE_PLAIN, "%" PRId64 "/%" PRId64, view_int(replicas, "running"),
               view_int(replicas, "desired"));
    table_addf(table, STYLE_PLAIN, "%" PRId64, view_int(service, "restarts"));
    table_add(table, STYLE_PLAIN, view_string(service, "image"));
}

static void add_services(struct table *table, const struct node *node, const struct flags *flags)
{
    const cJSON *projects = view_object(node->report, "projects");

    for (const cJSON *p = projects ? projects->child : NULL; p; p = p->next) {
        const cJSON *services = is_shown(flags, p) ? view_object(p, "services") : NULL;
        for (const cJSON *s = services ? services->child : NULL; s; s = s->next)
            add_service(table, node, p, s);
    }
}

/* ---- all of it ---- */

static bool is_known(const struct node *node)
{
    return node->presence != PRESENCE_UNKNOWN || node->report;
}

static void append_tables(struct buf *out, const struct call *call, const struct fleet *fleet)
{
    static const char *const node_headings[] = {
        "NODE", "PRESENCE", "ENGINE", "PROJECT", "REVISION", "PHASE", "CONVERGED", "REASON", NULL};
    static const char *const service_headings[] = {"NODE",     "SERVICE",  "STATE", "HEALTH",
                                                   "REPLICAS", "RESTARTS", "IMAGE", NULL};
    struct table *nodes AUTO(table_free) = table_new(node_headings);
    struct table *services AUTO(table_free) = table_new(service_headings);

    for (size_t i = 0; i < fleet->count; i++) {
        add_node(nodes, fleet->nodes[i], call->flags);
        add_services(services, fleet->nodes[i], call->flags);
    }
    table_print(nodes, &call->out, out);
    if (table_rows(services) > 0) {
        buf_append_char(out, '\n');
        table_print(services, &call->out, out);
    }
}

static cJSON *tree_of(const struct fleet *fleet)
{
    cJSON *tree AUTO(cJSON_Delete) = cJSON_CreateObject();
    cJSON *nodes = cJSON_AddArrayToObject(tree, "nodes");

    for (size_t i = 0; i < fleet->count; i++) {
        const struct node *node = fleet->nodes[i];
        cJSON *one = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(nodes, one)) {
            cJSON_Delete(one);
            return NULL;
        }
        cJSON_AddStringToObject(one, "node", node->name);
        cJSON_AddStringToObject(one, "presence", presence_name(node->presence));
        cJSON_AddItemToObject(
            one, "report", node->report ? cJSON_Duplicate(node->report, true) : cJSON_CreateNull());
    }
    return nodes ? TAKE(tree) : NULL;
}

static int show(const struct call *call, const struct fleet *fleet)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (call->flags->output != OUTPUT_TABLE) {
        cJSON *tree AUTO(cJSON_Delete) = tree_of(fleet);
        return tree ? call_print_tree(call, tree) : call_fail(call, CTL_FAILED, "out of memory");
    }
    if (call->flags->watch && call->out.is_terminal)
        buf_append_str(&out, CLEAR);
    append_tables(&out, call, fleet);
    return call_print(call, &out);
}

static unsigned count_changes(const struct fleet *fleet)
{
    unsigned changes = 0;

    for (size_t i = 0; i < fleet->count; i++)
        changes += fleet->nodes[i]->changes;
    return changes;
}

static int watch(const struct call *call, struct console *console)
{
    unsigned shown = count_changes(&console->fleet);

    for (;;) {
        session_turn(console->session, clock_monotonic_ms() + WATCH_TURN_MS);
        unsigned changes = count_changes(&console->fleet);
        if (changes != shown && show(call, &console->fleet) != CTL_CONVERGED)
            return CTL_FAILED;
        shown = changes;
    }
}

/* Those that were asked for by name and are not there. */
static int check_absent(const struct call *call, struct console *console)
{
    int status = CTL_CONVERGED;
    struct err e = {0};

    for (size_t i = 0; i < call->flags->operands.count; i++) {
        const char *name = call->flags->operands.items[i];
        const struct node *node = fleet_find(&console->fleet, name);
        if (!node || is_known(node))
            continue;
        const char *nearest = console_hear_nodes(console, NULL, false, &e) == 0
                                  ? fleet_nearest(&console->fleet, name)
                                  : NULL;
        status =
            call_fail(call, CTL_ABSENT, "no node '%s' was ever seen%s%s%s", name,
                      nearest ? "; did you mean " : "", nearest ? nearest : "", nearest ? "?" : "");
    }
    return status;
}

int status_run(const struct call *call)
{
    CONSOLE console = {0};
    struct err e = {0};

    int r = console_open(&console, call, &e);
    if (r == 0)
        r = console_hear_nodes(&console, &call->flags->operands, false, &e);
    if (r < 0)
        return call_fail_error(call, &e);
    if (console.fleet.count == 0 && call->flags->output == OUTPUT_TABLE)
        call_note(call, "no node was ever seen at %s", call->flags->mqtt.broker_url);
    int status = show(call, &console.fleet);
    if (status == CTL_CONVERGED && call->flags->watch)
        return watch(call, &console);
    return status != CTL_CONVERGED ? status : check_absent(call, &console);
}
