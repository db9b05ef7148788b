#pragma once

/* The report of a node (docs/nodes.md, "Report"): what it was told, what it did, what there is.
 * Pure: from what projects tell of themselves. */

#include <cjson/cJSON.h>

#include "manager/engine/engine.h"
#include "manager/reconcile/projects.h"

struct report_group {
    const char *name;
    int priority;
};

struct report_context {
    const char *node;
    int64_t session;
    const struct report_group *groups;
    size_t group_count;
    const struct engine *engine;
    const char *engine_reason; /* why it is away; NULL: it is there */
    const struct projects *projects;
};

/* The caller frees. NULL: no memory. */
cJSON *report_make(const struct report_context *context);

/* {"node", "online", "session", "since", "version"}; the text must be freed. NULL: no memory. */
char *presence_make(const char *node, bool online, int64_t session, int64_t since_us);

/* What goes on in one project (docs/nodes.md, "Progress"). The text must be freed. NULL: no memory.
 */
char *progress_make(const struct report_context *context, const struct project *project,
                    const struct step_news *news);
