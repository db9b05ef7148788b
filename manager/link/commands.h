#pragma once

/*
 * Orders over MQTT: JSON-RPC 2.0 (jsonrpc.org/specification) with `reply_to` and `correlation_id`
 * (docs/nodes.md, "Commands"). Each is answered once, at its reply topic; one that cannot be
 * answered is not carried out.
 */

#include "manager/desired/store.h"
#include "manager/link/link.h"
#include "manager/reconcile/projects.h"

struct commands;

struct commands_settings {
    struct engine *engine;
    struct projects *projects;
    struct store *store;
    struct link *link;
    const struct safety *safety;
    const char *node;
    cJSON *(*report)(void *context);
    void *context;
};

MUST_CHECK int commands_new(const struct commands_settings *settings,
                            struct commands **ret_commands, struct err *e);
/* Ends those that are under way without an answer. Accepts NULL. */
void commands_free(struct commands *commands);
void commands_handle(struct commands *commands, const char *text, size_t len);
