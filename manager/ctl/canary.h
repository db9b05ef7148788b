#pragma once

/* Drives a rollout by shares of a group, over the broker alone. */

#include "manager/ctl/call.h"

/* Starts one with this document, which becomes its own; the exit status. */
int canary_start(const struct call *call, cJSON *document);
/* Goes on with --resume's, at the stage where it was. */
int canary_resume(const struct call *call);
