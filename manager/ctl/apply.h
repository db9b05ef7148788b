#pragma once

/* What an apply says at its end; a rollout says the same. */

#include "manager/ctl/call.h"
#include "manager/ctl/wait.h"

/* The result on stdout; the exit status. */
int apply_report(const struct call *call, const struct console *console,
                 const struct waiting *waiting);
