#pragma once

/*
 * A session and what it has heard: the nodes, retained documents, answers to commands. One
 * call's; everything in it blocks.
 */

#include <cjson/cJSON.h>

#include "manager/ctl/call.h"
#include "manager/ctl/fleet.h"
#include "manager/ctl/session.h"

struct console {
    const struct call *call;
    struct session *session;
    struct fleet fleet;
    cJSON *retained; /* by topic: documents and rollouts, as they stand at the broker */
    cJSON *answers;  /* by correlation id */
    unsigned asked;
};

MUST_CHECK int console_open(struct console *console, const struct call *call, struct err *e);
void console_deinit(struct console *console);
#define CONSOLE __attribute__((cleanup(console_deinit))) struct console

/* Presence, report and, where wanted, progress of the nodes of `names` (NULL or empty: of all);
 * with what is retained when it returns. */
MUST_CHECK int console_hear_nodes(struct console *console, const struct option_list *names,
                                  bool progress, struct err *e);
/* What is retained at `filter`, in `retained`. */
MUST_CHECK int console_hear(struct console *console, const char *filter, struct err *e);

/* The document that stands at the broker; NULL: none. */
const cJSON *console_retained(const struct console *console, const char *topic);

/* Publishes a retained message, NULL to take one away, and waits until it comes back: a broker
 * acknowledges what it denies. The topic must be heard. */
MUST_CHECK int console_retain(struct console *console, const char *topic, const cJSON *json,
                              struct err *e);

/* Sends a command to a node; the id of its answer is written. `params` becomes the console's. */
MUST_CHECK int console_ask(struct console *console, const struct node *node, const char *method,
                           cJSON *params, unsigned *ret_id, struct err *e);
/* The answer with its "result" or "error"; stays the console's. -ETIMEDOUT. */
MUST_CHECK int console_await(struct console *console, unsigned id, int64_t deadline_ms,
                             const cJSON **ret_answer, struct err *e);
