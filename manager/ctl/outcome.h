#pragma once

/* What became of a document on a node, from the node's report and presence. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "manager/ctl/exit.h"
#include "manager/ctl/fleet.h"
#include "manager/ctl/terminal.h"

enum outcome {
    OUTCOME_PENDING,
    OUTCOME_CONVERGED,
    OUTCOME_REJECTED,
    OUTCOME_ROLLED_BACK,
    OUTCOME_STALLED,    /* failed for good, held, or given up */
    OUTCOME_SUPERSEDED, /* a newer document was published */
    OUTCOME_SHADOWED,   /* of a group: the node follows its own document, or a higher group's */
    OUTCOME_ABSENT,
    OUTCOME_TIMEOUT,
};

struct expectation {
    const char *project;
    const char *id; /* of the document; NULL: the revision alone tells */
    int64_t revision;
    const char *group; /* that it was published for; NULL: for the node */
};

/* PENDING or one of those that a report can tell; never ABSENT or TIMEOUT. */
enum outcome outcome_of(const struct node *node, const struct expectation *expected);

/* One word, such as "rolled back". */
const char *outcome_name(enum outcome outcome);
enum style outcome_style(enum outcome outcome);

/* The exit status for all nodes together. */
enum ctl_exit outcome_exit(const enum outcome *outcomes, size_t count);
