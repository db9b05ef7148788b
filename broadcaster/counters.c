#include "broadcaster/counters.h"

#include "common/base/cleanup.h"

#define NAME(name) "bellbuoy_broadcaster_" name

void counters_init(struct counters *counters, struct metrics *metrics)
{
    static const double gap_bounds_s[] = {0.01, 0.1, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 60};

    *counters = (struct counters){
        .published = metrics_counter(metrics, NAME("published_total"), NULL,
                                     "Messages handed to the broker for the first time."),
        .republished = metrics_counter(metrics, NAME("republished_total"), NULL,
                                       "Messages handed to the broker again after a lost "
                                       "connection."),
        .acknowledged = metrics_counter(metrics, NAME("acknowledged_total"), NULL,
                                        "Messages that the broker has acknowledged."),
        .overflow = metrics_counter(metrics, NAME("overflow_total"), NULL,
                                    "Messages lost because the outbox was full."),
        .connected =
            metrics_gauge(metrics, NAME("connected"), NULL, "1 while connected to the broker."),
        .gaps = metrics_histogram(metrics, NAME("gap_seconds"), NULL,
                                  "Drawn time between two messages of a source.", gap_bounds_s,
                                  ARRAY_SIZE(gap_bounds_s)),
    };
}
