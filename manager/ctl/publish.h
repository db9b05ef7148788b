#pragma once

/* Documents on their way to the broker. */

#include "common/mqtt/topic.h"
#include "manager/ctl/console.h"

/* The topic of a project's document for a node, by its level, or for a group. -EINVAL. */
MUST_CHECK int publish_node_topic(const struct node *node, const char *project,
                                  char topic[static TOPIC_SIZE], struct err *e);
MUST_CHECK int publish_group_topic(const char *group, const char *project,
                                   char topic[static TOPIC_SIZE], struct err *e);

/* One above the highest revision that stands at the topic or that any of the nodes reports; the
 * console must hear both. */
int64_t publish_next_revision(const struct console *console, const char *topic,
                              struct node *const *nodes, size_t count, const char *project);
