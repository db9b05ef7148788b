#pragma once

/* What is published for a POST: the dashboard's own message as a CloudEvent, or a whole one. */

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/cloudevent/event.h"
#include "common/mqtt/topic.h"

#define MESSAGE_SOURCE    "/machines/dashboard"
#define MESSAGE_TEXT_MAX  4096               /* bytes */
#define MESSAGE_MAX_BYTES ((size_t)64 << 10) /* of a request's body */

struct message {
    char topic[TOPIC_SIZE];
    char source[EVENT_SOURCE_MAX + 1];
    char id[EVENT_ID_MAX + 1];
    struct buf payload;
};

void message_deinit(struct message *message);

/* From `{"text":"...","color":"#rrggbb"}`, as a hello of that identity. -EINVAL names the member.
 */
MUST_CHECK int message_from_text(const char *body, size_t size,
                                 const struct event_identity *identity, struct message *ret_message,
                                 struct err *e);
/*
 * From a CloudEvent in the JSON format, byte for byte. Stricter than what comes from the broker:
 * its source is /machines/<name>, its attributes are named and typed as CloudEvents 1.0 says
 * (spec.md, "Attribute Naming Convention" and "Type System"), and none of them is the receiver's to
 * give.
 */
MUST_CHECK int message_from_event(const char *body, size_t size, struct message *ret_message,
                                  struct err *e);
