#pragma once

/*
 * A message as the outbox keeps it: what makes it, not its text. 100,000 of them take 4 MB instead
 * of 40, and the text comes out the same each time that it is published.
 */

#include <stdint.h>

#include "broadcaster/source.h"
#include "common/base/buf.h"
#include "common/cloudevent/event.h"
#include "common/mqtt/topic.h"

struct profile;

struct message {
    uint64_t sequence;
    int64_t time_us;
    uint32_t source; /* index */
    int32_t next_in_ms;
    union {
        struct {
            uint8_t text; /* index */
            uint8_t criticality;
            uint16_t number;
        } event;
        struct {
            uint32_t energy_wh;
            uint32_t duration_s;
            uint32_t cost_cents;
        } session;
    } body;
};

/* A message with all that it is named by: for the broker, the ledger and the log. */
struct message_name {
    char source[SOURCE_PATH_SIZE];
    char id[EVENT_ID_SIZE];
    char topic[TOPIC_SIZE];
};

void message_name(const struct message *message, const struct profile *profile,
                  const struct sources *sources, struct message_name *ret_name);

/* Appends the CloudEvent to `out`; `data` is a buffer for its inner part. */
void message_encode(const struct message *message, const struct profile *profile,
                    const struct sources *sources, struct buf *data, struct buf *out);
