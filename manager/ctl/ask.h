#pragma once

/* Commands to nodes (docs/nodes.md) and what they answer. */

#include "manager/ctl/console.h"
#include "manager/ctl/outcome.h"
#include "manager/ctl/wait.h"

/* One command, to each node of --node or --group. A "document" in its parameters gets the revision
 * that apply would give it, unless --revision does. */
struct ask {
    const char *method;
    const cJSON *params; /* borrowed; NULL: none */
    bool of_project;     /* adds "project": --project, or the node's only one */
    bool or_nothing;     /* a node that knows no such project answers {} */
};

/* What each of `waiting.nodes` answered; outcomes: CONVERGED, REJECTED, ABSENT or TIMEOUT. */
struct answers {
    struct console console;
    struct waiting waiting;
    const cJSON **results; /* NULL where there is none; the console's */
    cJSON *nothing;        /* {} */
};

/*
 * Connects, asks all, and waits for all, until --timeout. Says on stderr what is wrong with each
 * that has no result. The exit status so far: CTL_CONVERGED, of the nodes together, or CTL_USAGE or
 * CTL_FAILED, after which there is nothing to show.
 */
MUST_CHECK int ask_nodes(const struct call *call, const struct ask *ask, struct answers *ret);
void answers_deinit(struct answers *answers);
#define ANSWERS __attribute__((cleanup(answers_deinit))) struct answers

/* True where `status` of ask_nodes() leaves something to show. */
bool ask_has_results(const struct answers *answers);
/* {"nodes": [{"node", "result"}]} of what was answered; the caller frees; NULL: no memory. */
cJSON *ask_tree(const struct answers *answers);
