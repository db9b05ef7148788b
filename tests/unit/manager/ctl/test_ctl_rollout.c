#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/json.h"
#include "manager/ctl/rollout.h"
#include "manager/ctl/view.h"

static void test_shares(void **state)
{
    static const struct {
        const char *text;
        size_t total, count;
    } cases[] = {
        {"1", 10, 1},   {"25%", 10, 3},   {"25%", 1, 1}, {"100%", 7, 7}, {"all", 7, 7},
        {"50", 10, 10}, {"1%", 1000, 10}, {"1%", 50, 1}, {"all", 0, 0},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        size_t count = 99;
        assert_int_equal(rollout_share(cases[i].text, cases[i].total, &count, NULL), 0);
        assert_int_equal(count, cases[i].count);
    }
}

static void test_wrong_shares(void **state)
{
    static const char *const cases[] = {
        "", "0", "0%", "101%", "-1", "x", "1 %", "%", "1.5", "All", "99999999999999999999"};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct err e = {0};
        size_t count;
        assert_int_equal(rollout_share(cases[i], 10, &count, &e), -EINVAL);
        assert_non_null(strstr(e.msg, "is no share of nodes"));
    }
}

static cJSON *names(int count)
{
    cJSON *array = cJSON_CreateArray();
    for (int i = 0; i < count; i++)
        cJSON_AddItemToArray(array, cJSON_CreateString("n"));
    return array;
}

static cJSON *make(int nodes, const char *canary, const char *const *then, size_t count)
{
    const struct option_list list = {then, count};
    cJSON *state = NULL;
    assert_int_equal(rollout_new("g", canary, &list, names(nodes),
                                 cJSON_Parse("{\"project\": \"line3\"}"), &state, NULL),
                     0);
    return state;
}

/* A share below one before adds nobody; all is always the last. */
static void test_stages(void **state)
{
    static const char *const then[] = {"25%", "2", "50%"};
    static const size_t ends[] = {1, 3, 3, 5, 10};
    cJSON *rollout AUTO(cJSON_Delete) = make(10, "1", then, ARRAY_SIZE(then));
    (void)state;
    assert_int_equal(rollout_stage_count(rollout), ARRAY_SIZE(ends));
    for (size_t i = 0; i < ARRAY_SIZE(ends); i++)
        assert_int_equal(rollout_stage_end(rollout, i), ends[i]);
    assert_int_equal(rollout_stage(rollout), 0);
    assert_int_equal(strncmp(rollout_id(rollout), "line3-", 6), 0);
    assert_string_equal(view_string(rollout, "state"), "running");
}

static void test_all_is_not_doubled(void **state)
{
    static const char *const then[] = {"all"};
    cJSON *rollout AUTO(cJSON_Delete) = make(3, "1", then, 1);
    (void)state;
    assert_int_equal(rollout_stage_count(rollout), 2);
}

static void test_change(void **state)
{
    cJSON *rollout AUTO(cJSON_Delete) = make(3, "1", NULL, 0);
    (void)state;
    assert_int_equal(rollout_set(rollout, 1, "halted", "n: rolled back"), 0);
    assert_int_equal(rollout_stage(rollout), 1);
    assert_string_equal(view_string(rollout, "state"), "halted");
    assert_string_equal(view_string(rollout, "reason"), "n: rolled back");
    assert_int_equal(rollout_check(rollout, NULL), 0);
}

/* Who comes last has it, and the other is told. */
static void test_holder(void **state)
{
    cJSON *mine AUTO(cJSON_Delete) = make(1, "1", NULL, 0);
    struct err e = {0};
    (void)state;

    assert_int_equal(rollout_hold(mine, &e), 0);
    cJSON *standing AUTO(cJSON_Delete) = cJSON_Duplicate(mine, true);
    assert_int_equal(rollout_set(standing, 0, "halted", "x"), 0);
    assert_int_equal(rollout_check_held(standing, mine, &e), 0);

    assert_int_equal(rollout_hold(standing, &e), 0);
    assert_int_equal(rollout_check_held(standing, mine, &e), -ECANCELED);
    assert_non_null(strstr(e.msg, view_string(standing, "holder")));
    assert_int_equal(rollout_check_held(NULL, mine, &e), -ECANCELED);
    assert_non_null(strstr(e.msg, "given up"));
}

/* Anybody with the right may have written it. */
static void test_what_is_no_state(void **state)
{
    static const char *const cases[] = {
        "null",
        "{}",
        "[]",
        "{\"id\": \"x\", \"group\": \"g\", \"document\": {}, \"nodes\": [\"n\"], \"stages\": "
        "[\"1\"],"
        " \"stage\": 1}",
        "{\"id\": \"x\", \"group\": \"g\", \"document\": {}, \"nodes\": [1], \"stages\": [\"1\"],"
        " \"stage\": 0}",
        "{\"id\": \"x\", \"group\": \"g\", \"document\": {}, \"nodes\": [\"n\"], \"stages\": "
        "[\"x\"],"
        " \"stage\": 0}",
        "{\"id\": \"x\", \"group\": \"g\", \"nodes\": [\"n\"], \"stages\": [\"1\"], \"stage\": 0}",
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        cJSON *json = cJSON_Parse(cases[i]);
        assert_int_equal(rollout_check(json, NULL), -EINVAL);
        cJSON_Delete(json);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares),           cmocka_unit_test(test_wrong_shares),
        cmocka_unit_test(test_stages),           cmocka_unit_test(test_all_is_not_doubled),
        cmocka_unit_test(test_change),           cmocka_unit_test(test_holder),
        cmocka_unit_test(test_what_is_no_state),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
