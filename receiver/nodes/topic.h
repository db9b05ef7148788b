#pragma once

/* The topics of nodes that the receiver reads: bellbuoy/nodes/<level>/<kind>. */

#include <stdbool.h>

#include "common/mqtt/topic.h"

enum node_kind { NODE_REPORT, NODE_PRESENCE, NODE_PROGRESS };

#define NODE_FILTER_REPORT   "bellbuoy/nodes/+/reported"
#define NODE_FILTER_PRESENCE "bellbuoy/nodes/+/presence"
#define NODE_FILTER_PROGRESS "bellbuoy/nodes/+/progress"

struct node_topic {
    enum node_kind kind;
    char level[TOPIC_LEVEL_SIZE]; /* "" where it is none that Bellbuoy uses */
};

/* True where the topic is one of these. Cheap for all others: it is asked of every message. */
bool node_topic_parse(const char *topic, struct node_topic *ret_topic);
