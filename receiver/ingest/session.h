#pragma once

/*
 * What the broker is expected to remember of this receiver: which session, subscribed to what. Kept
 * in `session.json` in the data folder, so that a broker that forgot is noticed after a restart
 * too, and a filter that was taken out of the configuration is unsubscribed.
 */

#include <stdbool.h>

#include "common/base/error.h"
#include "common/mqtt/settings.h"

#define SESSION_MAX_FILTERS 64

struct session {
    char *path;
    char *broker_url; /* NULL: nothing is remembered */
    char *client_id;
    char *filters[SESSION_MAX_FILTERS + 1]; /* NULL-terminated */
};

/* Reads what is remembered; a missing or unreadable file is an empty memory, said in the log.
 * -ENOMEM. */
MUST_CHECK int session_open(const char *dir, struct session *ret_session, struct err *e);
void session_deinit(struct session *session);

/* True if this broker should know this client: a session that it lacks was lost. */
bool session_is_expected(const struct session *session, const struct mqtt_options *mqtt);
/* True if exactly these filters were granted in that session. */
bool session_has_filters(const struct session *session, const char *const *filters);
/* Remembers, durably. */
MUST_CHECK int session_save(struct session *session, const struct mqtt_options *mqtt,
                            const char *const *filters, struct err *e);
