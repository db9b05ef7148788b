#pragma once

/*
 * A connection to the broker for one call of buoyctl: blocking, with a client id of its own and a
 * clean session. What is lost on the way is connected and subscribed again by itself.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/mqtt/validity.h"
#include "manager/ctl/flags.h"

struct session;

/* A message on any subscribed topic; `payload` is not NUL-terminated. */
typedef void session_message_fn(void *context, const char *topic, const char *payload, size_t size);

/* Connects. `flags` is borrowed. -ETIMEDOUT, -ECONNREFUSED, -EACCES... with a sentence. */
MUST_CHECK int session_open(const struct flags *flags, session_message_fn *on_message,
                            void *context, struct session **ret_session, struct err *e);
/* Says good-bye to the broker. */
void session_free(struct session *session);
DEFINE_CLEANUP(struct session *, session_free);

/* Where answers come: bellbuoy/reply/<client>. */
const char *session_reply_topic(const struct session *session);

/* Of the certificates in use; none without TLS. */
const struct validity *session_validity(const struct session *session);

/*
 * Subscribes to `filters` (NULL-terminated) and returns once all retained messages of theirs were
 * handed on: the broker keeps order, so that a message to ourselves which comes back has them all
 * before it.
 */
MUST_CHECK int session_listen(struct session *session, const char *const *filters, struct err *e);

/* Returns once the broker has acknowledged it, which it does for what it denies too. */
MUST_CHECK int session_publish(struct session *session, const char *topic, const char *payload,
                               size_t size, bool retain, struct err *e);

/* Waits for something to happen, until the monotonic clock is at `deadline_ms` at the latest. */
void session_turn(struct session *session, int64_t deadline_ms);

/* Why there is no connection at the moment; NULL while there is one. */
const char *session_trouble(const struct session *session);
