#pragma once

/*
 * What a machine plays: how long it waits, what it draws for each message, and how that is written.
 * A profile keeps no state, so that one of them serves any number of sources.
 */

#include <stdbool.h>
#include <stdint.h>

#include "broadcaster/message.h"
#include "common/base/random.h"

struct profile_times {
    int64_t period_ms;
    int64_t session_period_ms;
};

/* The gap between two messages of a source is drawn uniformly, both ends included. */
struct profile_gaps {
    int64_t min_ms;
    int64_t max_ms;
};

struct profile_source {
    const char *path;
    const char *boot_id;
};

struct profile {
    const char *type;        /* of CloudEvents */
    const char *log_message; /* of the log line for each message; NULL: too many for that */
    struct profile_gaps (*gaps)(const struct profile_times *times);
    /* Fills the message's body; NULL: it has none. */
    void (*draw)(struct message *message, const struct random_source *random);
    /* Appends the event's data as JSON. */
    void (*encode)(struct buf *out, const struct message *message,
                   const struct profile_source *source);
};

extern const struct profile profile_hello;
extern const struct profile profile_event;
extern const struct profile profile_session;

/* For --profile: the names, NULL-terminated, and the profile at an index of theirs. */
extern const char *const profile_names[];
const struct profile *profile_at(int index);
