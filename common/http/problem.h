#pragma once

/* Errors as application/problem+json (RFC 9457). */

#include "common/http/server.h"

struct problem {
    unsigned status;
    const char *code;          /* "unknown-parameter": becomes urn:bellbuoy:problem:<code> */
    const char *title;         /* the same for each problem of this code */
    const char *parameter;     /* the query parameter or JSON pointer at fault; NULL: none */
    const char *retry_after_s; /* value of Retry-After; NULL: none */
    const char *allow;         /* value of Allow; NULL: none */
    const char *authenticate;  /* value of WWW-Authenticate, owed with a 401; NULL: none */
};

/* `fmt` makes the detail: what is wrong here and what would be right, in at most 511 bytes. What is
 * not UTF-8 in the texts is shown as '?'. */
void http_problem(struct http_request *request, const struct problem *problem, const char *fmt, ...)
    FORMAT(3, 4);
