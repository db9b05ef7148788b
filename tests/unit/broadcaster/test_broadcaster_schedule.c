#include "broadcaster/schedule.h"

#include <stdbool.h>

#include "common/base/random.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void test_one_source(void **state)
{
    struct schedule *s = NULL;
    int64_t due_us = -1;

    (void)state;
    assert_int_equal(schedule_new(1, &s), 0);
    assert_int_equal(schedule_first(s, &due_us), 0);
    assert_int_equal(due_us, 0);
    schedule_put_off(s, 77);
    assert_int_equal(schedule_first(s, &due_us), 0);
    assert_int_equal(due_us, 77);
    schedule_free(s);
}

/* Times never go back, and each of the sources has its turn at the time that was set for it. */
static void test_order(void **state)
{
    enum { SOURCES = 1000, TURNS = 50000 };
    static int64_t set_us[SOURCES];
    struct schedule *s = NULL;
    int64_t last_us = 0;

    (void)state;
    assert_int_equal(schedule_new(SOURCES, &s), 0);
    for (int i = 0; i < TURNS; i++) {
        int64_t due_us;
        size_t source = schedule_first(s, &due_us);
        assert_true(due_us >= last_us);
        assert_int_equal(due_us, set_us[source]);
        last_us = due_us;
        set_us[source] = due_us + random_between(&random_kernel, 1000, 10000);
        schedule_put_off(s, set_us[source]);
    }
    for (int i = 0; i < SOURCES; i++)
        assert_true(set_us[i] >= last_us);
    schedule_free(s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_one_source),
        cmocka_unit_test(test_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
