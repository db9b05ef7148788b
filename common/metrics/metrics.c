#include "common/metrics/metrics.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "common/metrics/process.h"

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE, METRIC_HISTOGRAM };

#define NUMBER_SIZE 32

struct metric {
    struct metric *next; /* of the same family, in order of registration */
    enum metric_kind kind;
    const char *labels; /* NULL: none */
    double (*callback)(void *context);
    void *context;
    const double *bounds;
    size_t bound_count;
    /* A counter's number; the bits of a gauge's double or of a histogram's sum. */
    _Atomic uint64_t value;
    _Atomic uint64_t buckets[]; /* of a histogram: bound_count + 1, not cumulative */
};

struct family {
    struct family *next;
    const char *name;
    const char *help;
    struct metric *first;
};

struct metrics {
    struct family *first;
    bool failed;
    /* Stands in for what could not be allocated; a histogram without bounds needs its one bucket.
     */
    struct metric *spare;
    char build_labels[128];
};

int metrics_new(struct metrics **ret_metrics)
{
    struct metrics *m = calloc(1, sizeof *m);

    if (!m)
        return -ENOMEM;
    m->spare = calloc(1, sizeof *m->spare + sizeof m->spare->buckets[0]);
    if (!m->spare) {
        free(m);
        return -ENOMEM;
    }
    *ret_metrics = m;
    return 0;
}

static void family_free(struct family *family)
{
    while (family->first) {
        struct metric *metric = family->first;

        family->first = metric->next;
        free(metric);
    }
    free(family);
}

void metrics_free(struct metrics *m)
{
    if (!m)
        return;
    while (m->first) {
        struct family *family = m->first;

        m->first = family->next;
        family_free(family);
    }
    free(m->spare);
    free(m);
}

/* ---- registration ---- */

/* The family of that name, made where it is new; NULL without memory. */
static struct family *family_of(struct metrics *m, const char *name, const char *help)
{
    struct family **link = &m->first;

    for (; *link; link = &(*link)->next)
        if (strcmp((*link)->name, name) == 0)
            return *link;
    *link = calloc(1, sizeof **link);
    if (*link)
        **link = (struct family){.name = name, .help = help};
    return *link;
}

static struct metric *metric_register(struct metrics *m, const char *name, const char *labels,
                                      const char *help, enum metric_kind kind, size_t bound_count)
{
    struct family *family = family_of(m, name, help);
    size_t bucket_count = kind == METRIC_HISTOGRAM ? bound_count + 1 : 0;
    struct metric *metric = NULL;
    struct metric **link;

    if (family)
        metric = calloc(1, sizeof *metric + bucket_count * sizeof metric->buckets[0]);
    if (!metric) {
        m->failed = true;
        m->spare->kind = kind;
        return m->spare;
    }
    metric->kind = kind;
    metric->labels = labels;
    metric->bound_count = bound_count;
    for (link = &family->first; *link; link = &(*link)->next) {
        assert((*link)->kind == kind);
        assert(!str_equal((*link)->labels, labels));
    }
    *link = metric;
    return metric;
}

struct metric *metrics_counter(struct metrics *m, const char *name, const char *labels,
                               const char *help)
{
    return metric_register(m, name, labels, help, METRIC_COUNTER, 0);
}

struct metric *metrics_gauge(struct metrics *m, const char *name, const char *labels,
                             const char *help)
{
    return metric_register(m, name, labels, help, METRIC_GAUGE, 0);
}

struct metric *metrics_histogram(struct metrics *m, const char *name, const char *labels,
                                 const char *help, const double *bounds, size_t count)
{
    struct metric *metric = metric_register(m, name, labels, help, METRIC_HISTOGRAM, count);

    if (metric != m->spare)
        metric->bounds = bounds;
    return metric;
}

static bool is_counter_name(const char *name)
{
    size_t len = strlen(name);

    return len > strlen("_total") && strcmp(name + len - strlen("_total"), "_total") == 0;
}

void metrics_callback(struct metrics *m, const char *name, const char *labels, const char *help,
                      double (*value)(void *context), void *context)
{
    enum metric_kind kind = is_counter_name(name) ? METRIC_COUNTER : METRIC_GAUGE;
    struct metric *metric = metric_register(m, name, labels, help, kind, 0);

    if (metric == m->spare)
        return;
    metric->callback = value;
    metric->context = context;
}

static double one(void *context)
{
    (void)context;
    return 1;
}

void metrics_process(struct metrics *m, const char *service)
{
    snprintf(m->build_labels, sizeof m->build_labels, "version=\"%s\",service=\"%s\"",
             BELLBUOY_VERSION, service);
    metrics_callback(m, "bellbuoy_build_info", m->build_labels, "Always 1; what runs here.", one,
                     NULL);
    metrics_callback(m, "process_cpu_seconds_total", NULL,
                     "User and system CPU time of the process.", process_cpu_seconds, NULL);
    metrics_callback(m, "process_resident_memory_bytes", NULL, "Resident memory.",
                     process_resident_bytes, NULL);
    metrics_callback(m, "process_open_fds", NULL, "Open file descriptors.", process_open_fds, NULL);
    metrics_callback(m, "process_start_time_seconds", NULL,
                     "When the process started, in seconds since 1970.", process_start_seconds,
                     NULL);
}

/* ---- values ---- */

static double double_of(uint64_t bits)
{
    double value;

    memcpy(&value, &bits, sizeof value);
    return value;
}

static uint64_t bits_of(double value)
{
    uint64_t bits;

    memcpy(&bits, &value, sizeof bits);
    return bits;
}

static uint64_t load(const _Atomic uint64_t *value)
{
    return atomic_load_explicit(value, memory_order_relaxed);
}

void metric_add(struct metric *metric, uint64_t n)
{
    atomic_fetch_add_explicit(&metric->value, n, memory_order_relaxed);
}

void metric_set(struct metric *metric, double value)
{
    atomic_store_explicit(&metric->value, bits_of(value), memory_order_relaxed);
}

void metric_observe(struct metric *metric, double value)
{
    size_t bucket = 0;
    uint64_t sum = load(&metric->value);

    while (bucket < metric->bound_count && !(value <= metric->bounds[bucket]))
        bucket++;
    atomic_fetch_add_explicit(&metric->buckets[bucket], 1, memory_order_relaxed);
    while (!atomic_compare_exchange_weak_explicit(&metric->value, &sum,
                                                  bits_of(double_of(sum) + value),
                                                  memory_order_relaxed, memory_order_relaxed))
        ;
}

double metric_value(const struct metric *metric)
{
    uint64_t value = load(&metric->value);

    return metric->kind == METRIC_COUNTER ? (double)value : double_of(value);
}

/* ---- exposition ---- */

static void append_help(struct buf *out, const char *help)
{
    for (; *help; help++) {
        if (*help == '\\')
            buf_append_str(out, "\\\\");
        else if (*help == '\n')
            buf_append_str(out, "\\n");
        else
            buf_append_char(out, *help);
    }
}

/* As Go's ParseFloat reads it, with no more digits than the value needs. */
static void format_number(char text[static NUMBER_SIZE], double value)
{
    if (isnan(value)) {
        snprintf(text, NUMBER_SIZE, "NaN");
        return;
    }
    if (isinf(value)) {
        snprintf(text, NUMBER_SIZE, value > 0 ? "+Inf" : "-Inf");
        return;
    }
    snprintf(text, NUMBER_SIZE, "%.15g", value);
    if (bits_of(strtod(text, NULL)) != bits_of(value))
        snprintf(text, NUMBER_SIZE, "%.17g", value);
}

/* One sample; `suffix` goes behind the name, `le` is the text of that label, NULL for none. */
static void append_sample(struct buf *out, const struct family *family, const struct metric *metric,
                          const char *suffix, const char *le, const char *value)
{
    const char *labels = metric->labels ? metric->labels : "";

    buf_append_str(out, family->name);
    buf_append_str(out, suffix);
    if (le)
        buf_appendf(out, "{%s%sle=\"%s\"}", labels, metric->labels ? "," : "", le);
    else if (metric->labels)
        buf_appendf(out, "{%s}", labels);
    buf_appendf(out, " %s\n", value);
}

/* The count is the sum of the buckets read here, so that it equals the bucket of +Inf even while
 * other threads observe. */
static void append_histogram(struct buf *out, const struct family *family,
                             const struct metric *metric)
{
    char value[NUMBER_SIZE], le[NUMBER_SIZE], sum[NUMBER_SIZE];
    uint64_t cumulative = 0;

    for (size_t i = 0; i <= metric->bound_count; i++) {
        cumulative += load(&metric->buckets[i]);
        format_number(le, i < metric->bound_count ? metric->bounds[i] : (double)INFINITY);
        snprintf(value, sizeof value, "%" PRIu64, cumulative);
        append_sample(out, family, metric, "_bucket", le, value);
    }
    format_number(sum, double_of(load(&metric->value)));
    append_sample(out, family, metric, "_sum", NULL, sum);
    append_sample(out, family, metric, "_count", NULL, value);
}

static void append_value(struct buf *out, const struct family *family, const struct metric *metric)
{
    char value[NUMBER_SIZE];

    if (metric->callback)
        format_number(value, metric->callback(metric->context));
    else if (metric->kind == METRIC_COUNTER)
        snprintf(value, sizeof value, "%" PRIu64, load(&metric->value));
    else
        format_number(value, double_of(load(&metric->value)));
    append_sample(out, family, metric, "", NULL, value);
}

void metrics_write(const struct metrics *m, struct buf *out)
{
    static const char *const kinds[] = {"counter", "gauge", "histogram"};

    if (m->failed) {
        out->failed = true;
        return;
    }
    for (const struct family *family = m->first; family; family = family->next) {
        buf_appendf(out, "# HELP %s ", family->name);
        append_help(out, family->help);
        buf_appendf(out, "\n# TYPE %s %s\n", family->name, kinds[family->first->kind]);
        for (const struct metric *metric = family->first; metric; metric = metric->next) {
            if (metric->kind == METRIC_HISTOGRAM)
                append_histogram(out, family, metric);
            else
                append_value(out, family, metric);
        }
    }
}
