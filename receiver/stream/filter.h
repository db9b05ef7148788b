#pragma once

/* What a client wants to see, in as few bytes as it takes: a struct query has room for the longest
 * texts. Counted references, which the serving thread alone takes and drops. */

#include "receiver/query/grammar.h"

struct filter;

/* The query's QUERY_FILTERS; *ret_filter is NULL where it has none. -ENOMEM. */
MUST_CHECK int filter_new(const struct query *query, struct filter **ret_filter);
struct filter *filter_ref(struct filter *filter);
void filter_unref(struct filter *filter);
DEFINE_CLEANUP(struct filter *, filter_unref);

/* The query again, with the defaults for all else; everything for NULL. Any thread. */
void filter_expand(const struct filter *filter, struct query *ret_query);
/* True where rows must be looked into one by one. */
bool filter_has_text(const struct filter *filter);
