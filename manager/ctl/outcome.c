#include "manager/ctl/outcome.h"

#include "common/base/str.h"
#include "manager/ctl/view.h"

static bool is_ours(const cJSON *desired, const struct expectation *expected)
{
    const char *id = view_string(desired, "id");

    if (expected->id && id[0] != '\0')
        return str_equal(id, expected->id);
    return view_int(desired, "revision") == expected->revision;
}

/* A node beats its groups; among groups the higher priority counts. */
static bool is_shadowed(const struct node *node, const cJSON *project, const struct expectation *x)
{
    const char *source = view_string(project, "source");

    if (!x->group)
        return false;
    if (str_equal(source, "node"))
        return true;
    if (!str_starts_with(source, "group:") || str_equal(source + 6, x->group))
        return false;
    return view_int(node_group(node, source + 6), "priority") >
           view_int(node_group(node, x->group), "priority");
}

/* Of a document that the node does not have: refused by its revision, or overtaken. */
static enum outcome outcome_without(const struct node *node, const cJSON *project,
                                    const struct expectation *x)
{
    const char *reason = view_string(view_object(project, "reason"), "code");
    int64_t revision = view_int(view_object(project, "desired"), "revision");

    if (is_shadowed(node, project, x))
        return OUTCOME_SHADOWED;
    if (str_equal(reason, "stale") || str_equal(reason, "conflict"))
        return OUTCOME_REJECTED;
    return revision > x->revision ? OUTCOME_SUPERSEDED : OUTCOME_PENDING;
}

enum outcome outcome_of(const struct node *node, const struct expectation *expected)
{
    const cJSON *project = node_project(node, expected->project);
    const cJSON *desired = view_object(project, "desired");
    const char *phase = view_string(project, "phase");

    if (!desired)
        return OUTCOME_PENDING;
    if (!is_ours(desired, expected))
        return outcome_without(node, project, expected);
    if (!view_bool(desired, "accepted") || str_equal(phase, "REJECTED"))
        return OUTCOME_REJECTED;
    if (str_equal(phase, "ROLLED_BACK"))
        return OUTCOME_ROLLED_BACK;
    if (str_equal(phase, "STALLED"))
        return OUTCOME_STALLED;
    return str_equal(phase, "COMPLETED") && view_bool(project, "converged") ? OUTCOME_CONVERGED
                                                                            : OUTCOME_PENDING;
}

static const struct {
    const char *name;
    enum style style;
    enum ctl_exit exit;
} facts[] = {
    [OUTCOME_PENDING] = {"under way", STYLE_PLAIN, CTL_TIMEOUT},
    [OUTCOME_CONVERGED] = {"converged", STYLE_GOOD, CTL_CONVERGED},
    [OUTCOME_REJECTED] = {"rejected", STYLE_BAD, CTL_REJECTED},
    [OUTCOME_ROLLED_BACK] = {"rolled back", STYLE_BAD, CTL_ROLLED_BACK},
    [OUTCOME_STALLED] = {"stalled", STYLE_BAD, CTL_PARTIAL},
    [OUTCOME_SUPERSEDED] = {"superseded", STYLE_WARNING, CTL_PARTIAL},
    [OUTCOME_SHADOWED] = {"has its own document", STYLE_WARNING, CTL_PARTIAL},
    [OUTCOME_ABSENT] = {"absent", STYLE_WARNING, CTL_ABSENT},
    [OUTCOME_TIMEOUT] = {"timed out", STYLE_BAD, CTL_TIMEOUT},
};

const char *outcome_name(enum outcome outcome)
{
    return facts[outcome].name;
}

enum style outcome_style(enum outcome outcome)
{
    return facts[outcome].style;
}

/* One that failed in its own way beside one that did not is a partial success; nodes that are
 * only away are that and no more. */
enum ctl_exit outcome_exit(const enum outcome *outcomes, size_t count)
{
    enum ctl_exit failure = CTL_CONVERGED; /* of those that are there */
    bool absent = false, converged = false, mixed = false;

    for (size_t i = 0; i < count; i++) {
        enum ctl_exit one = facts[outcomes[i]].exit;
        absent = absent || one == CTL_ABSENT;
        converged = converged || one == CTL_CONVERGED;
        if (one == CTL_ABSENT || one == CTL_CONVERGED)
            continue;
        mixed = mixed || (failure != CTL_CONVERGED && failure != one);
        failure = one;
    }
    if (failure == CTL_CONVERGED)
        return absent ? CTL_ABSENT : CTL_CONVERGED;
    return mixed || converged || absent ? CTL_PARTIAL : failure;
}
