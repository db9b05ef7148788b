#pragma once

/*
 * All nodes that are known: what each said last, kept durably, and in memory how far it is with
 * what it does. The ingest thread takes messages, makes them durable with those of its batch, and
 * only then shows them; the serving thread sees what is shown, in the order of names or in that of
 * changes. Whoever knows a version asks for what changed since: however much that was, each node
 * comes once, as it is now.
 *
 * A report or presence of a lower session than one that is known comes late (the will of a manager
 * that is back) and changes nothing. A report of a higher one makes the presence unknown until the
 * new session has said it. A payload of length zero takes back what was said; a node of which
 * nothing is left is gone.
 */

#include "common/base/buf.h"
#include "common/base/random.h"
#include "common/metrics/metrics.h"
#include "receiver/journal/nodes.h"
#include "receiver/nodes/topic.h"
#include "receiver/query/cursor.h"

#define REGISTRY_NODES_MAX 10000
#define REGISTRY_BYTES_MAX ((size_t)64 << 20) /* of all that they said */

struct registry;

struct registry_settings {
    size_t max_nodes, max_bytes;
    size_t max_payload_bytes; /* of one message */
    const struct random_source *random;
    struct metrics *metrics;
};

/* -ENOMEM. */
MUST_CHECK int registry_new(const struct registry_settings *settings,
                            struct registry **ret_registry);
void registry_free(struct registry *registry);
DEFINE_CLEANUP(struct registry *, registry_free);

/* ---- the ingest thread ---- */

/* Takes over what the journal keeps, and is open from then on. What is no longer understood is left
 * out, with a line in the log. */
MUST_CHECK int registry_open(struct registry *registry, struct journal_reader *reader,
                             struct err *e);
/* The same without a journal that can be read: nothing is known yet. */
void registry_open_empty(struct registry *registry);

struct registry_message {
    struct node_topic topic;
    const char *payload; /* NULL where size is 0 */
    size_t size;
    bool is_retained; /* said before we listened: the report's own time counts */
    int64_t now_us;
};
/* Takes one message of a batch. 0, also where it changes nothing; -EINVAL with a sentence: it is
 * not to be understood, or there is no room; -ENOMEM. */
MUST_CHECK int registry_take(struct registry *registry, const struct registry_message *message,
                             struct err *e);
/* Memory that the batch's messages hold. */
size_t registry_taken_bytes(const struct registry *registry);

/*
 * Makes durable what the batch changed, and shows it. What differs from what is stored by its time
 * alone is shown without a write, unless the row is ten minutes old; `all` writes such rows of all
 * nodes, for the end. After a failure nothing of the batch is left: the broker is to send it again.
 * As journal_put_nodes.
 */
MUST_CHECK int registry_commit(struct registry *registry, struct journal *journal, bool all,
                               struct err *e);
/* Forgets the batch. */
void registry_drop(struct registry *registry);

/* ---- the serving thread ---- */

enum node_state { NODE_UNKNOWN, NODE_ONLINE, NODE_OFFLINE };
const char *node_state_name(enum node_state state);

/* `changed` is called on the ingest thread after something is shown; NULL: nobody. Set while that
 * thread does not run. */
void registry_on_change(struct registry *registry, void (*changed)(void *context), void *context);

bool registry_is_open(struct registry *registry);
/* Of the newest change: the epoch is drawn at start and when a node is gone, for then whoever
 * follows the changes must begin anew. */
struct cursor registry_last(struct registry *registry);

struct registry_item {
    const char *level;
    struct cursor version;
    const char *json; /* the object of docs/api.md; all valid during the callback */
    size_t len;
};
/* By level, after `after` ("": from the first), until `each` returns > 0: then returns 1, else 0;
 * -ENOMEM. */
MUST_CHECK int registry_each(struct registry *registry, const char *after,
                             int (*each)(void *context, const struct registry_item *item),
                             void *context);
/* That one; -ENOENT, -ENOMEM. */
MUST_CHECK int registry_find(struct registry *registry, const char *level,
                             int (*found)(void *context, const struct registry_item *item),
                             void *context);
/* By version, after `after` of the present epoch; as registry_each. */
MUST_CHECK int registry_each_change(struct registry *registry, uint64_t after,
                                    int (*each)(void *context, const struct registry_item *item),
                                    void *context);
