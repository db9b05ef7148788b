#pragma once

/*
 * The one query grammar: type source criticality_gt since until q after before limit order mean the
 * same in REST, in the stream and in the MQTT query. Text in, struct out; query/sql.h compiles it,
 * query/match.h applies it in memory.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/error.h"
#include "common/cloudevent/event.h"
#include "receiver/query/cursor.h"

#define QUERY_TEXT_MAX      256
#define QUERY_LIMIT_MAX     1000
#define QUERY_LIMIT_DEFAULT 50

enum query_key {
    QUERY_TYPE = 1 << 0,
    QUERY_SOURCE = 1 << 1,
    QUERY_CRITICALITY_GT = 1 << 2,
    QUERY_SINCE = 1 << 3,
    QUERY_UNTIL = 1 << 4,
    QUERY_Q = 1 << 5,
    QUERY_AFTER = 1 << 6,
    QUERY_BEFORE = 1 << 7,
    QUERY_LIMIT = 1 << 8,
    QUERY_ORDER = 1 << 9,
};
#define QUERY_FILTERS                                                                              \
    (QUERY_TYPE | QUERY_SOURCE | QUERY_CRITICALITY_GT | QUERY_SINCE | QUERY_UNTIL | QUERY_Q)
#define QUERY_ALL ((1 << 10) - 1)

struct query {
    unsigned given; /* set of query_key that were set; the others hold their default */
    char type[EVENT_TYPE_MAX + 1];
    char source[EVENT_SOURCE_MAX + 1];
    int64_t criticality_gt;
    int64_t since_us, until_us; /* on the event's time: inclusive, exclusive */
    char q[QUERY_TEXT_MAX + 1];
    struct cursor after, before; /* exclusive */
    unsigned limit;
    bool ascending;
};

void query_init(struct query *query);
/* The key of a parameter's name, 0 if it is none. `known` for messages: names of `allowed`,
 * comma-separated. */
enum query_key query_key_find(const char *name);
const char *query_key_name(enum query_key key);
/* Appends "type, source, ..." for the keys of the set. */
void query_key_list(unsigned keys, char *text, size_t size);
/* Sets one parameter from its text. -EINVAL with a sentence that names value and range; a second
 * setting of a key is an error too. */
MUST_CHECK int query_set(struct query *query, enum query_key key, const char *value, struct err *e);
