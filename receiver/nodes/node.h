#pragma once

/* One node as the registry has it; for the files of this folder. */

#include <uthash.h>

#include "common/base/buf.h"
#include "receiver/nodes/progress.h"
#include "receiver/nodes/registry.h"

/* What is kept durably. */
struct node_facts {
    struct node_text *report, *presence; /* NULL: none */
};

struct node {
    char level[TOPIC_LEVEL_SIZE];
    struct node_facts shown; /* what others see: durable */
    /* What will be, once it is durable: shares with `shown` what does not change. The ingest
     * thread's. */
    struct node_facts next;
    struct {
        uint64_t report, presence; /* digests; 0: none */
        int64_t came_us;           /* of the report */
        bool exists;
    } stored;                     /* the row in the journal; the ingest thread's */
    bool is_touched, is_to_store; /* in this batch; the ingest thread's */
    struct node *next_touched;
    struct progress *progress;
    uint64_t version;           /* 0: not shown yet */
    struct node *older, *newer; /* by version */
    UT_hash_handle hh;          /* by level, in its order */
};

/* The highest session that is known of; -1: none. */
int64_t node_facts_session(const struct node_facts *facts);
enum node_state node_facts_state(const struct node_facts *facts);
/* "" where nothing is known. */
const char *node_facts_name(const struct node_facts *facts);

/* Memory that the texts take. */
size_t node_facts_bytes(const struct node_facts *facts);
size_t node_progress_bytes(const struct node *node);

/* The journal's row is as these. */
void node_note_stored(struct node *node, const struct node_facts *facts);
/* The object of docs/api.md, from what is shown. */
void node_append_json(struct buf *out, const struct node *node);
/* Takes the node and all that is in it. */
void node_free(struct node *node);
