#pragma once

/* The broadcaster's own metrics. */

#include "common/metrics/metrics.h"

struct counters {
    struct metric *published;
    struct metric *republished;
    struct metric *acknowledged;
    struct metric *overflow;
    struct metric *connected;
    struct metric *gaps;
};

void counters_init(struct counters *counters, struct metrics *metrics);
