#pragma once

/* A node's report (docs/nodes.md#report). */

#include "receiver/nodes/text.h"

/*
 * From the payload of bellbuoy/nodes/<level>/reported. The digest leaves out the times at which it
 * was made and how much disk was free then: two reports that differ in these only are the same.
 * `came_us` is the caller's to set. -EINVAL with a sentence: not JSON, no object, without what the
 * page and the API go by, or of another node; -ENOMEM.
 */
MUST_CHECK int report_parse(const char *level, const char *payload, size_t size,
                            struct node_text **ret_report, struct err *e);

/* True where the report says that nothing is being done for the project: it stands in a phase that
 * ends a rollout, or is not there. */
bool report_is_settled(const struct node_text *report, const char *project);
