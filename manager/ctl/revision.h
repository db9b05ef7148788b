#pragma once

/* Which revision comes next. Pure. */

#include <stdint.h>

#include "manager/ctl/fleet.h"

/* The highest that a node's report tells of a project: desired, applied, last good; 0: none. */
int64_t revision_reported(const struct node *node, const char *project);

/* The revision of a document that stands at the broker; 0: none, or none that is a revision. */
int64_t revision_published(const cJSON *document);
