#pragma once

/* Waits until a document has become of nodes what it will. */

#include "manager/ctl/console.h"
#include "manager/ctl/outcome.h"

/* The nodes that an apply is about, and what became of it on each. */
struct waiting {
    struct node **nodes;
    enum outcome *outcomes;
    int64_t *seen_ms; /* when each was last known to be online, by the monotonic clock; 0: never */
    size_t count;
    struct expectation expected;
    bool (*goes_on)(const void *context); /* NULL: always; false ends the waiting */
    const void *context;
};

/* Takes the nodes of the flags: --node, else those whose reports name the group. */
MUST_CHECK int waiting_init(struct waiting *waiting, struct console *console, const char *group,
                            struct err *e);
/* Takes the first `count` of an array of names. */
MUST_CHECK int waiting_init_names(struct waiting *waiting, struct console *console,
                                  const cJSON *names, size_t count, struct err *e);
void waiting_deinit(struct waiting *waiting);
#define WAITING __attribute__((cleanup(waiting_deinit))) struct waiting

/*
 * Until none is under way or the time is over, which is OUTCOME_TIMEOUT. A node that is not online
 * is not waited for; one that goes away while it works has 10 s to come back. The console must hear
 * the nodes, with progress. Only memory fails.
 */
MUST_CHECK int waiting_run(struct waiting *waiting, struct console *console, struct err *e);
