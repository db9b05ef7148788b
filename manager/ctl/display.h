#pragma once

/* How several nodes get on, on stderr: redrawn in place on a terminal, else a line whenever a
 * node's phase or step changes. */

#include "manager/ctl/call.h"
#include "manager/ctl/progress.h"

struct display {
    const struct call *call;
    size_t drawn;  /* lines on the terminal */
    char **spoken; /* of each node the last line, where it is no terminal */
    size_t count;
};

MUST_CHECK int display_init(struct display *display, const struct call *call, size_t count,
                            struct err *e);
/* Takes what was drawn away again. */
void display_deinit(struct display *display);
#define DISPLAY __attribute__((cleanup(display_deinit))) struct display

/* `nodes` and `outcomes` have the display's count. */
void display_update(struct display *display, struct node *const *nodes,
                    const enum outcome *outcomes, const struct expectation *expected);
