#include "manager/engine/pull_layers.h"

#include <stdio.h>
#include <string.h>

#include "common/base/json.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static bool take(struct pull_layers *layers, const char *text)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;

    assert_int_equal(json_parse(text, strlen(text), 8, &json, NULL), 0);
    return pull_layers_take(layers, json);
}

static bool take_status(struct pull_layers *layers, const char *id, const char *status)
{
    char text[200];

    (void)snprintf(text, sizeof(text), "{\"status\":\"%s\",\"progressDetail\":{},\"id\":\"%s\"}",
                   status, id);
    return take(layers, text);
}

static void is(const struct pull_layers *layers, int64_t current, int64_t total, unsigned count,
               unsigned done)
{
    struct pull_progress progress;

    pull_layers_sum(layers, &progress);
    assert_int_equal(progress.current_bytes, current);
    assert_int_equal(progress.total_bytes, total);
    assert_int_equal(progress.layers, count);
    assert_int_equal(progress.layers_done, done);
}

static void sums_up_a_pull(void **state)
{
    struct pull_layers layers = {0};

    (void)state;
    assert_false(take_status(&layers, "1.4", "Pulling from a/b"));
    assert_true(take_status(&layers, "aaa", "Already exists"));
    assert_true(take_status(&layers, "bbb", "Pulling fs layer"));
    assert_true(take_status(&layers, "ccc", "Pulling fs layer"));
    is(&layers, 0, 0, 3, 1);
    assert_true(take(&layers, "{\"status\":\"Downloading\",\"id\":\"bbb\","
                              "\"progressDetail\":{\"current\":10,\"total\":100}}"));
    assert_true(take(&layers, "{\"status\":\"Downloading\",\"id\":\"ccc\","
                              "\"progressDetail\":{\"current\":5,\"total\":50}}"));
    is(&layers, 15, 150, 3, 1);
    assert_true(take_status(&layers, "bbb", "Retrying in 5 seconds"));
    is(&layers, 5, 150, 3, 1);
    assert_true(take_status(&layers, "bbb", "Download complete"));
    assert_true(take(&layers, "{\"status\":\"Extracting\",\"id\":\"bbb\","
                              "\"progressDetail\":{\"current\":1,\"total\":100}}"));
    is(&layers, 105, 150, 3, 1);
    assert_true(take_status(&layers, "bbb", "Pull complete"));
    assert_true(take_status(&layers, "ccc", "Pull complete"));
    is(&layers, 150, 150, 3, 3);
    assert_false(take(&layers, "{\"status\":\"Status: Downloaded newer image for a/b:1.4\"}"));
    assert_false(take(&layers, "{\"error\":\"no\",\"id\":5}"));
}

static void knows_a_bounded_number_of_layers(void **state)
{
    struct pull_layers layers = {0};
    char id[16];

    (void)state;
    for (unsigned i = 0; i < PULL_LAYERS_MAX + 10; i++) {
        (void)snprintf(id, sizeof(id), "%u", i);
        assert_int_equal(take_status(&layers, id, "Waiting"), i < PULL_LAYERS_MAX);
    }
    is(&layers, 0, 0, PULL_LAYERS_MAX, 0);
    layers.count = 0;
    assert_false(take_status(&layers, "an-id-that-is-too-long", "Waiting"));
    is(&layers, 0, 0, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_up_a_pull),
        cmocka_unit_test(knows_a_bounded_number_of_layers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
