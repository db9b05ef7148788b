#pragma once

/* How far a node is with one project (docs/nodes.md#progress): the last that it said. In memory
 * only. */

#include "receiver/nodes/text.h"

#define PROGRESS_MAX_BYTES   ((size_t)16 << 10)
#define PROGRESS_PER_NODE    16 /* projects */
#define PROGRESS_PROJECT_MAX 128

struct progress {
    struct node_text *text;
    char project[PROGRESS_PROJECT_MAX + 1];
    struct progress *next;
};

/* From the payload of bellbuoy/nodes/<level>/progress; `came_us` of the text is the caller's to
 * set. -EINVAL with a sentence, -ENOMEM. */
MUST_CHECK int progress_parse(const char *level, const char *payload, size_t size,
                              struct progress **ret_progress, struct err *e);
void progress_free(struct progress *progress); /* one */
DEFINE_CLEANUP(struct progress *, progress_free);
