#pragma once

/*
 * A request's query as the one query grammar, and the 400 problems of parameters. For the event
 * stream and for every REST resource: what is wrong is said in the same words everywhere.
 */

#include "common/http/server.h"
#include "receiver/query/grammar.h"

/*
 * Reads the request's parameters, of which only those of `allowed` (a set of query_key) may occur.
 * 0; or -EINVAL after the request has been answered with a 400 that names the first wrong
 * parameter. The request must not have been answered before.
 */
MUST_CHECK int query_params_parse(struct http_request *request, unsigned allowed,
                                  struct query *ret_query);

/* Answers 400 unknown-parameter. `known`: the names that would be right, comma-separated. */
void query_params_unknown(struct http_request *request, const char *name, const char *known);

/* Answers 400 invalid-parameter; `fmt` makes the sentence that says what would be right. */
void query_params_invalid(struct http_request *request, const char *name, const char *fmt, ...)
    FORMAT(3, 4);
