#pragma once

/* One call of a command: its flags, and where its words go. stdout is for what was asked, stderr
 * for what happens and what is wrong. */

#include "common/base/buf.h"
#include "common/base/error.h"
#include "common/base/json.h"
#include "manager/ctl/exit.h"
#include "manager/ctl/flags.h"
#include "manager/ctl/terminal.h"

#define CALL_OUTPUT_MAX (64 << 20)

struct call {
    const char *command;
    const struct flags *flags;
    struct terminal out, err;
};

/* "buoyctl: TEXT" on stderr; returns `status`. */
int call_fail(const struct call *call, enum ctl_exit status, const char *format, ...) FORMAT(3, 4);
/* The same for an error: a wrong value is the caller's, the rest is not. */
int call_fail_error(const struct call *call, const struct err *e);
/* A line on stderr about what goes on. */
void call_note(const struct call *call, const char *format, ...) FORMAT(2, 3);

/* stdout gets the buffer, or the tree as --output wants it. CTL_CONVERGED, or CTL_FAILED. */
int call_print(const struct call *call, const struct buf *text);
int call_print_tree(const struct call *call, const cJSON *tree);
