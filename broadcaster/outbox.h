#pragma once

/*
 * The messages on their way to the broker, in the order in which they were made: waiting, in
 * flight, and acknowledged. An acknowledged message stays for a while, since a broker that is
 * killed may have acknowledged what it had not saved; after a lost connection everything that is
 * kept goes out again, in order, and the receiver's dedupe makes the repeats harmless.
 *
 * The outbox is bounded. What was acknowledged before gives way first; then the newest message is
 * refused, so that what is kept stays without holes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "broadcaster/message.h"

#define OUTBOX_MAX_IN_FLIGHT 512

struct outbox;

/* Memory grows with what is in it and shrinks again. -ENOMEM. */
MUST_CHECK int outbox_new(size_t max_messages, int64_t window_ms, struct outbox **ret_outbox);
void outbox_free(struct outbox *outbox);
DEFINE_CLEANUP(struct outbox *, outbox_free);

/* False: it is full, or there is no memory, and the message is refused. */
MUST_CHECK bool outbox_put(struct outbox *outbox, const struct message *message);

/* The next message to publish, NULL where none waits or enough are in flight. */
const struct message *outbox_next(const struct outbox *outbox);
/* It was handed to the broker as `mid`. True if that was a repeat. */
bool outbox_sent(struct outbox *outbox, int mid);

enum outbox_ack {
    OUTBOX_UNKNOWN, /* no message in flight has this id */
    OUTBOX_FIRST,   /* *ret_message is acknowledged for the first time */
    OUTBOX_REPEAT,
};

/*
 * The broker acknowledged `mid`. Lets go of what was acknowledged a window before: measured from
 * one acknowledgement to another, never to the clock alone, since only an acknowledgement shows
 * that the broker was alive all the time.
 */
enum outbox_ack outbox_acknowledge(struct outbox *outbox, int mid, int64_t now_ms,
                                   struct message *ret_message);

/* The connection was lost: everything that is kept waits again. */
void outbox_rewind(struct outbox *outbox);

size_t outbox_count(const struct outbox *outbox);       /* kept, of any state */
size_t outbox_undelivered(const struct outbox *outbox); /* never acknowledged */
bool outbox_is_settled(const struct outbox *outbox);    /* nothing waits or is in flight */
