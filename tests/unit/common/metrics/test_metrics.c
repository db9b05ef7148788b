#include "common/metrics/metrics.h"

#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The linker sends our calloc here: test_no_memory makes it fail. */
void *__real_calloc(size_t count, size_t size);
void *__wrap_calloc(size_t count, size_t size);

static bool no_memory;

void *__wrap_calloc(size_t count, size_t size)
{
    return no_memory ? NULL : __real_calloc(count, size);
}

struct page {
    struct metrics *metrics;
    struct buf text;
};

static int setup(void **state)
{
    struct page *page = calloc(1, sizeof *page);

    assert_non_null(page);
    assert_int_equal(metrics_new(&page->metrics), 0);
    page->text = BUF_INIT(65536);
    *state = page;
    return 0;
}

static int teardown(void **state)
{
    struct page *page = *state;

    metrics_free(page->metrics);
    buf_deinit(&page->text);
    free(page);
    return 0;
}

static const char *write_page(struct page *page)
{
    buf_reset(&page->text);
    metrics_write(page->metrics, &page->text);
    assert_false(buf_failed(&page->text));
    return page->text.data;
}

static void test_counter(void **state)
{
    struct page *page = *state;
    struct metric *stored =
        metrics_counter(page->metrics, "bellbuoy_stored_total", NULL, "Events stored.");

    metric_add(stored, 41);
    metric_add(stored, 1);
    assert_true(metric_value(stored) > 41.5 && metric_value(stored) < 42.5);
    assert_string_equal(write_page(page), "# HELP bellbuoy_stored_total Events stored.\n"
                                          "# TYPE bellbuoy_stored_total counter\n"
                                          "bellbuoy_stored_total 42\n");
}

static void test_counter_keeps_every_digit(void **state)
{
    struct page *page = *state;
    struct metric *bytes = metrics_counter(page->metrics, "b_total", NULL, "B.");

    metric_add(bytes, UINT64_MAX);
    assert_non_null(strstr(write_page(page), "\nb_total 18446744073709551615\n"));
}

static void test_gauge_numbers(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        {0, "0"},
        {-3, "-3"},
        {0.1, "0.1"},
        {1.0 / 3, "0.33333333333333331"},
        {1e300, "1e+300"},
        {1763748000.123456, "1763748000.123456"},
        {NAN, "NaN"},
        {(double)INFINITY, "+Inf"},
        {-(double)INFINITY, "-Inf"},
    };
    struct page *page = *state;
    struct metric *gauge = metrics_gauge(page->metrics, "g", NULL, "G.");
    char expected[128];

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        metric_set(gauge, cases[i].value);
        snprintf(expected, sizeof expected, "# HELP g G.\n# TYPE g gauge\ng %s\n", cases[i].text);
        assert_string_equal(write_page(page), expected);
    }
}

static void test_help_is_escaped(void **state)
{
    struct page *page = *state;

    metrics_gauge(page->metrics, "g", NULL, "C:\\new\nline \"quoted\"");
    assert_string_equal(write_page(page), "# HELP g C:\\\\new\\nline \"quoted\"\n"
                                          "# TYPE g gauge\n"
                                          "g 0\n");
}

/* A family is one group under one HELP and TYPE, wherever its metrics were registered. */
static void test_family_is_one_group(void **state)
{
    struct page *page = *state;

    metric_add(metrics_counter(page->metrics, "a_total", "type=\"hello\"", "A."), 1);
    metric_set(metrics_gauge(page->metrics, "b", NULL, "B."), 2);
    metric_add(metrics_counter(page->metrics, "a_total", "type=\"event\"", "A."), 3);
    assert_string_equal(write_page(page), "# HELP a_total A.\n"
                                          "# TYPE a_total counter\n"
                                          "a_total{type=\"hello\"} 1\n"
                                          "a_total{type=\"event\"} 3\n"
                                          "# HELP b B.\n"
                                          "# TYPE b gauge\n"
                                          "b 2\n");
}

static void test_histogram(void **state)
{
    static const double bounds[] = {0.005, 0.1, 1};
    struct page *page = *state;
    struct metric *seconds =
        metrics_histogram(page->metrics, "commit_seconds", NULL, "Commits.", bounds, 3);

    metric_observe(seconds, 0.001);
    metric_observe(seconds, 0.005); /* a bound belongs to its bucket */
    metric_observe(seconds, 0.25);
    metric_observe(seconds, 7);
    assert_string_equal(write_page(page), "# HELP commit_seconds Commits.\n"
                                          "# TYPE commit_seconds histogram\n"
                                          "commit_seconds_bucket{le=\"0.005\"} 2\n"
                                          "commit_seconds_bucket{le=\"0.1\"} 2\n"
                                          "commit_seconds_bucket{le=\"1\"} 3\n"
                                          "commit_seconds_bucket{le=\"+Inf\"} 4\n"
                                          "commit_seconds_sum 7.256\n"
                                          "commit_seconds_count 4\n");
}

static void test_histogram_with_labels_and_nan(void **state)
{
    static const double bounds[] = {1};
    struct page *page = *state;
    struct metric *metric = metrics_histogram(page->metrics, "h", "lane=\"rest\"", "H.", bounds, 1);

    metric_observe(metric, NAN);
    assert_string_equal(write_page(page), "# HELP h H.\n"
                                          "# TYPE h histogram\n"
                                          "h_bucket{lane=\"rest\",le=\"1\"} 0\n"
                                          "h_bucket{lane=\"rest\",le=\"+Inf\"} 1\n"
                                          "h_sum{lane=\"rest\"} NaN\n"
                                          "h_count{lane=\"rest\"} 1\n");
}

static double ask(void *context)
{
    return *(double *)context;
}

static void test_callback(void **state)
{
    struct page *page = *state;
    double clients = 2, seconds = 0.5;

    metrics_callback(page->metrics, "clients", NULL, "Clients.", ask, &clients);
    metrics_callback(page->metrics, "cpu_seconds_total", "mode=\"user\"", "CPU.", ask, &seconds);
    clients = 3;
    assert_string_equal(write_page(page), "# HELP clients Clients.\n"
                                          "# TYPE clients gauge\n"
                                          "clients 3\n"
                                          "# HELP cpu_seconds_total CPU.\n"
                                          "# TYPE cpu_seconds_total counter\n"
                                          "cpu_seconds_total{mode=\"user\"} 0.5\n");
}

static double sample(const char *text, const char *name)
{
    const char *at = strstr(text, name);

    assert_non_null(at);
    return strtod(at + strlen(name), NULL);
}

static void test_process(void **state)
{
    struct page *page = *state;
    const char *text;
    double start_s, now_s = (double)time(NULL);

    metrics_process(page->metrics, "receiver");
    text = write_page(page);
    assert_non_null(strstr(text, "\nbellbuoy_build_info{version=\"" BELLBUOY_VERSION
                                 "\",service=\"receiver\"} 1\n"));
    assert_true(sample(text, "\nprocess_resident_memory_bytes ") > 500e3);
    assert_true(sample(text, "\nprocess_open_fds ") >= 3);
    assert_true(sample(text, "\nprocess_cpu_seconds_total ") > 0);
    start_s = sample(text, "\nprocess_start_time_seconds ");
    assert_true(start_s > now_s - 60 && start_s < now_s + 1.5);
}

/* Without memory a metric still takes values, and the page says that it is not whole. */
static void test_no_memory(void **state)
{
    static const double bounds[] = {1, 2};
    struct page *page = *state;
    struct metric *histogram, *counter;
    struct metrics *none = NULL;

    no_memory = true;
    assert_int_equal(metrics_new(&none), -ENOMEM);
    histogram = metrics_histogram(page->metrics, "h", NULL, "H.", bounds, 2);
    counter = metrics_counter(page->metrics, "c_total", NULL, "C.");
    no_memory = false;
    metric_observe(histogram, 1.5);
    metric_add(counter, 1);
    metrics_write(page->metrics, &page->text);
    assert_true(buf_failed(&page->text));
}

enum { THREADS = 4, ROUNDS = 20000 };

struct shared {
    struct metric *counter;
    struct metric *histogram;
};

static void *hammer(void *context)
{
    const struct shared *shared = context;

    for (int i = 0; i < ROUNDS; i++) {
        metric_add(shared->counter, 1);
        metric_observe(shared->histogram, i % 2 ? 0.5 : 2);
    }
    return NULL;
}

static void test_threads_lose_nothing(void **state)
{
    static const double bounds[] = {1};
    struct page *page = *state;
    struct shared shared = {
        metrics_counter(page->metrics, "c_total", NULL, "C."),
        metrics_histogram(page->metrics, "h", NULL, "H.", bounds, 1),
    };
    pthread_t threads[THREADS];

    for (size_t i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hammer, &shared), 0);
    for (size_t i = 0; i < THREADS; i++)
        pthread_join(threads[i], NULL);
    assert_non_null(strstr(write_page(page), "\nc_total 80000\n"));
    assert_non_null(strstr(page->text.data, "\nh_bucket{le=\"1\"} 40000\n"));
    assert_non_null(strstr(page->text.data, "\nh_sum 100000\nh_count 80000\n"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_counter, setup, teardown),
        cmocka_unit_test_setup_teardown(test_counter_keeps_every_digit, setup, teardown),
        cmocka_unit_test_setup_teardown(test_gauge_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_help_is_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_family_is_one_group, setup, teardown),
        cmocka_unit_test_setup_teardown(test_histogram, setup, teardown),
        cmocka_unit_test_setup_teardown(test_histogram_with_labels_and_nan, setup, teardown),
        cmocka_unit_test_setup_teardown(test_callback, setup, teardown),
        cmocka_unit_test_setup_teardown(test_process, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(test_threads_lose_nothing, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
