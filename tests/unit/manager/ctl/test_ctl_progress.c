#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "manager/ctl/progress.h"

static const struct terminal plain = {.is_terminal = true, .columns = 80, .rows = 24};
static const struct expectation expected = {.project = "p", .id = "x", .revision = 7};

static void test_bars(void **state)
{
    static const struct {
        int64_t current, total;
        const char *text;
    } cases[] = {
        {0, 1000, "[>                       ]   0%  0 B / 1.0 kB"},
        {1500000, 3000000, "[============>           ]  50%  1.5 MB / 3.0 MB"},
        {3000000, 3000000, "[========================] 100%  3.0 MB / 3.0 MB"},
        {5, 3, "[========================] 100%  3 B / 3 B"},
        {-5, 3, "[>                       ]   0%  0 B / 3 B"},
        {1234, 0, "1.2 kB"}, /* the total is not known */
        {999, 0, "999 B"},
        {INT64_C(5000000000000000), 0, "5000.0 TB"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
        progress_append_bar(&out, cases[i].current, cases[i].total);
        assert_string_equal(out.data, cases[i].text);
    }
}

static void check(struct fleet *fleet, enum outcome outcome, const char *text, size_t lines)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);

    assert_int_equal(progress_append_node(&out, &plain, fleet->nodes[0], &expected, outcome),
                     lines);
    assert_string_equal(out.data, text);
}

static void take(struct fleet *fleet, const char *kind, const char *payload)
{
    char topic[64];

    (void)snprintf(topic, sizeof topic, "bellbuoy/nodes/a/%s", kind);
    assert_true(fleet_take(fleet, topic, payload, strlen(payload)));
}

static void test_nodes(void **state)
{
    struct fleet fleet = {0};
    (void)state;
    take(&fleet, "presence", "{\"node\": \"a\", \"online\": false, \"session\": 1}");
    check(&fleet, OUTCOME_PENDING, "a  offline\n", 1);
    check(&fleet, OUTCOME_ABSENT, "a  absent\n", 1);
    take(&fleet, "presence", "{\"node\": \"a\", \"online\": true, \"session\": 2}");
    check(&fleet, OUTCOME_PENDING, "a  waiting for the node\n", 1);
    take(&fleet, "progress",
         "{\"project\": \"p\", \"revision\": 6, \"phase\": \"DOWNLOADING\"}"); /* another's */
    check(&fleet, OUTCOME_PENDING, "a  waiting for the node\n", 1);
    take(&fleet, "progress",
         "{\"project\": \"p\", \"revision\": 7, \"phase\": \"DOWNLOADING\", \"step\": {\"done\": 1,"
         " \"total\": 9, \"text\": \"pulling x\"}, \"pulls\": [{\"image\": \"x:1\", \"state\":"
         " \"pulling\", \"current\": 1, \"total\": 4}, {\"image\": \"y\", \"state\": \"done\"}]}");
    check(&fleet, OUTCOME_PENDING,
          "a  DOWNLOADING  1/9  pulling x\n"
          "    x:1  [======>                 ]  25%  1 B / 4 B\n"
          "    y  done\n",
          3);
    take(&fleet, "reported",
         "{\"node\": \"a\", \"projects\": {\"p\": {\"desired\": {\"revision\": 7}, \"phase\":"
         " \"ROLLED_BACK\", \"reason\": {\"code\": \"oom\", \"message\": \"web ran out\"}}}}");
    check(&fleet, OUTCOME_ROLLED_BACK, "a  rolled back  (oom: web ran out)\n", 1);
    check(&fleet, OUTCOME_CONVERGED, "a  converged\n", 1);
    fleet_deinit(&fleet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bars),
        cmocka_unit_test(test_nodes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
