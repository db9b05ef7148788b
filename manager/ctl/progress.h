#pragma once

/* How an apply goes, for people: bars that change in place on a terminal, lines elsewhere. */

#include <stdint.h>

#include "common/base/buf.h"
#include "manager/ctl/fleet.h"
#include "manager/ctl/outcome.h"
#include "manager/ctl/terminal.h"

/* "[=====>    ]  52%  1.2 MB / 2.3 MB"; without a total what was had so far. */
void progress_append_bar(struct buf *out, int64_t current, int64_t total);
/* "1.2 MB" */
void progress_append_bytes(struct buf *out, int64_t bytes);

/* One node's line, or lines: its phase and step, and its pulls below. Returns how many. */
size_t progress_append_node(struct buf *out, const struct terminal *terminal,
                            const struct node *node, const struct expectation *expected,
                            enum outcome outcome);

/* What a report says of the failure or the wait: "pull-notfound: web: there is no ..."; "" for
 * nothing. */
void progress_append_reason(struct buf *out, const struct node *node, const char *project);
