#pragma once

/*
 * Errors that a person will read. Functions return 0, or a negative errno value; the text is built
 * where the facts are, gets context on the way up, and is logged once, at the edge that decides.
 * The caller owns the struct; nothing here allocates.
 */

#include <errno.h>
#include <stdarg.h>
#include <stddef.h>

#include "common/base/cleanup.h"

struct err {
    int code;      /* the positive errno value that was returned negated */
    char msg[384]; /* NUL-terminated, one line, cut at the end where it was too long */
};

/* Writes code and message. `e` may be NULL. Returns -code. */
int err_set(struct err *e, int code, const char *fmt, ...) FORMAT(3, 4);

/* Puts "text: " before the message that is there, to say what was being done. `e` may be NULL. */
void err_context(struct err *e, const char *fmt, ...) FORMAT(2, 3);

/* As err_set, as an expression whose value analysers can see to be negative. */
#define FAIL(e, code, ...) (err_set((e), (code), __VA_ARGS__), -(code))
