#pragma once

/*
 * From a message's bytes to a batch's entry: an event, or a quarantined message with the reason.
 * Nothing is refused here, for a message that is not stored would come again for ever.
 *
 * A JSON object with "specversion" must be a valid CloudEvent (event_decode). Its text is kept as
 * it came, but for white space around values and for copies of the attributes that the receiver
 * appends (docs/events.md). Any other JSON is wrapped into an event with source /topics/<topic>, an
 * id of ours, and the time at which it was recorded; such an entry has `dedupe_none`. What is no
 * JSON (json_parse), too large, or came by a topic that fits no source, is quarantined.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/random.h"
#include "receiver/journal/batch.h"

struct admitter;

/* Payloads above `max_payload_bytes` are quarantined, of which so many bytes are kept. -ENOMEM. */
MUST_CHECK int admitter_new(size_t max_payload_bytes, const struct random_source *random,
                            struct admitter **ret_admitter);
void admitter_free(struct admitter *admitter);
DEFINE_CLEANUP(struct admitter *, admitter_free);

/*
 * Adds one entry; all texts are copied. Where memory or the batch's maximum is at its end it shows
 * in batch_failed(), and the batch is not to be stored. An entry takes at most max_payload_bytes,
 * the topic's length and 8 KiB of the batch's arena `in`. `payload` may be NULL when `size` is 0.
 */
void admit(struct admitter *admitter, const char *topic, const void *payload, size_t size,
           int64_t recorded_us, struct batch *batch);

/* Adds an entry for a message that another part did not understand, and why. */
void admit_refused(struct admitter *admitter, const char *topic, const void *payload, size_t size,
                   int64_t recorded_us, const char *reason, struct batch *batch);
