#pragma once

/*
 * Counters, gauges and histograms in the Prometheus text format 0.0.4
 * (prometheus.io/docs/instrumenting/exposition_formats). Names begin with bellbuoy_, units are base
 * units in the name (_seconds, _bytes), counters end in _total.
 *
 * Metrics are made once at start; values change from any thread by relaxed atomics and never
 * allocate.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/buf.h"

struct metrics;
struct metric;

MUST_CHECK int metrics_new(struct metrics **ret_metrics);
void metrics_free(struct metrics *metrics);
DEFINE_CLEANUP(struct metrics *, metrics_free);

/*
 * `labels` is NULL or ready text such as `type="hello"`; one family may be registered several times
 * with different labels. Names and texts are borrowed (static). Never NULL: a failed allocation
 * makes the registry fail at metrics_write, and returns a metric that takes values and shows none.
 */
struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help);
struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help);
/* `bounds`: ascending upper bounds, without +Inf; borrowed. */
struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count);
/* A gauge or counter (by its name's ending) whose value is asked for at each exposition, on the
 * thread of metrics_write. */
void metrics_callback(struct metrics *m, const char *name, const char *labels, const char *help,
                      double (*value)(void *context), void *context);
/* process_resident_memory_bytes, process_open_fds, process_cpu_seconds_total,
 * process_start_time_seconds, bellbuoy_build_info{version,service}. */
void metrics_process(struct metrics *m, const char *service);

void metric_add(struct metric *metric, uint64_t n);       /* counters */
void metric_set(struct metric *metric, double value);     /* gauges */
void metric_observe(struct metric *metric, double value); /* histograms */
double metric_value(const struct metric *metric);         /* counters and gauges */

/* Families in order of registration, each with HELP and TYPE. */
void metrics_write(const struct metrics *m, struct buf *out);
#define METRICS_CONTENT_TYPE "text/plain; version=0.0.4; charset=utf-8"
