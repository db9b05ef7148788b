#pragma once

/* A query's filters (QUERY_FILTERS; not the cursors, limit and order) applied to one event in
 * memory. The journal's SQL calls the same function for `q`. */

#include "receiver/query/grammar.h"

struct match_subject {
    const char *type;
    const char *source;
    int64_t time_us;     /* the event's time, or the recorded time where it has none */
    int64_t criticality; /* EVENT_NO_NUMBER: none */
    const char *data;    /* the JSON text of `data`, NULL if none */
    size_t data_len;
};

bool query_matches(const struct query *query, const struct match_subject *subject);
/* True if `needle` (UTF-8) is a substring of the JSON text, both taken as decoded code points in
 * simple lower case. */
bool query_text_contains(const char *json, size_t len, const char *needle);
