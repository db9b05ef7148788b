#pragma once

/* A log line each 10 s in place of one for each message, where those would be too many. */

#include <uv.h>

#include "broadcaster/counters.h"
#include "broadcaster/publisher.h"

struct summary {
    uv_timer_t timer;
    const struct counters *counters;
    const struct publisher *publisher;
    double published, acknowledged; /* at the last line */
};

/* Both are borrowed until the timer is closed. */
void summary_start(uv_loop_t *loop, struct summary *summary, const struct counters *counters,
                   const struct publisher *publisher);
/* By uv_close: the loop must run once more. Of one that was zeroed and not started: nothing. */
void summary_stop(struct summary *summary);
