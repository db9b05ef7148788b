#pragma once

/*
 * The node's place at the broker: hears desired states and commands, tells the report, presence and
 * progress (docs/nodes.md). A desired state is acknowledged once it is on disk; one that could not
 * be stored is sent again.
 *
 * The session at the broker is a clean one: what is desired is retained, and a command that nobody
 * was there for must not be carried out days later.
 */

#include <cjson/cJSON.h>
#include <uv.h>

#include "common/mqtt/client.h"
#include "manager/report/report.h"

struct link;

struct link_handlers {
    /* < 0: not stored, the connection is dropped and the message comes again. */
    int (*desired)(void *context, const char *project, const struct origin *origin,
                   const char *text, size_t len, struct err *e);
    void (*command)(void *context, const char *text, size_t len);
    cJSON *(*report)(void *context); /* taken over; NULL: none */
    /* Others know this node with a session above ours: the one to go on with, < 0 where it could
     * not be kept. */
    int64_t (*raise_session)(void *context, int64_t known);
    void (*closed)(void *context); /* after link_close() */
    void *context;
};

struct link_settings {
    uv_loop_t *loop;
    const struct mqtt_options *mqtt; /* borrowed, as all here */
    struct mqtt_address address;
    const char *node;
    int64_t session;
    const struct report_group *groups;
    size_t group_count;
    struct link_handlers handlers;
};

MUST_CHECK int link_new(const struct link_settings *settings, struct link **ret_link,
                        struct err *e);
/* Says goodbye: presence offline, then the end. */
void link_close(struct link *link);
void link_stop(
    struct link *link); /* the loop must run once more before link_free(); accepts NULL */
void link_free(struct link *link);

/* The report has changed: told soon, several changes at once. */
void link_report_changed(struct link *link);
/* Takes the text over; nothing is kept for later where there is no connection. NULL: nothing. */
void link_tell_progress(struct link *link, char *text);
/* Only below bellbuoy/reply/. -EINVAL elsewhere, -ENOTCONN, -ENOMEM. */
MUST_CHECK int link_reply(struct link *link, const char *topic, const char *text);

bool link_is_ready(const struct link *link, char *reason, size_t size);
const struct validity *link_validity(const struct link *link);
