#pragma once

/* What is known of the nodes: presence, report and progress, from their topics (docs/nodes.md). */

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"
#include "common/mqtt/topic.h"

enum presence { PRESENCE_UNKNOWN, PRESENCE_OFFLINE, PRESENCE_ONLINE };

struct node {
    char level[TOPIC_LEVEL_SIZE]; /* of its topics */
    const char *name;             /* the true one, or `level` as long as no payload told it */
    enum presence presence;
    int64_t session;                             /* the highest that was seen; 0: none */
    cJSON *presence_payload, *report, *progress; /* NULL: none */
    unsigned changes;                            /* of any of them */
};

struct fleet {
    struct node **nodes; /* by name of their level */
    size_t count;
};

void fleet_deinit(struct fleet *fleet);

/* True if it was a message of a node, well formed and news. A will of an earlier session, and what
 * is not JSON, is not. */
bool fleet_take(struct fleet *fleet, const char *topic, const char *payload, size_t size);

/* By true name, or by level; NULL: never seen. */
struct node *fleet_find(const struct fleet *fleet, const char *name);
/* The same, made where it was never seen; NULL: no memory. */
struct node *fleet_add(struct fleet *fleet, const char *name);
/* "did you mean": the nearest name; NULL: none. */
const char *fleet_nearest(const struct fleet *fleet, const char *name);

const char *presence_name(enum presence presence);
/* A project of its report; NULL: none. */
const cJSON *node_project(const struct node *node, const char *project);
/* The group's entry in its report; NULL: it is not in the group, as far as is known. */
const cJSON *node_group(const struct node *node, const char *group);
