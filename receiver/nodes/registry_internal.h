#pragma once

/* What registry.c and intake.c share; not for users of registry.h. */

#include <pthread.h>

#include "receiver/nodes/node.h"
#include "receiver/nodes/registry.h"

enum node_outcome { NODE_TAKEN, NODE_LATE, NODE_REFUSED };

struct registry {
    struct registry_settings settings;
    void (*changed)(void *context);
    void *context;
    struct metric *m_outcomes[NODE_REFUSED + 1];

    /* the ingest thread's */
    struct node *touched;
    size_t bytes;       /* of all texts, those of the batch among them */
    size_t taken_bytes; /* of the batch */

    pthread_mutex_t lock; /* of what follows, and of what is shown of each node */
    struct node *nodes;   /* by level */
    struct node *oldest;  /* by version */
    uint32_t epoch;
    uint64_t version; /* of the newest change */
    bool is_open;
    struct buf item; /* where objects are written for who asks */
};

/* NULL: there is none. The ingest thread, or under the lock. */
struct node *registry_node(struct registry *registry, const char *level);

/* Under the lock: the node is the newest change. */
void registry_show(struct registry *registry, struct node *node);
/* Under the lock: takes the node out and frees it; who follows the changes begins anew. */
void registry_hide(struct registry *registry, struct node *node);
