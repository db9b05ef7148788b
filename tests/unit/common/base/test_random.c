#include "common/base/random.h"

#include <stdbool.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

#include "common/base/cleanup.h"

/* Draws the numbers of a list in turn. */
struct script {
    const uint64_t *draws;
    size_t next;
};

static uint64_t script_next(void *context)
{
    struct script *script = context;
    return script->draws[script->next++];
}

static void test_between(void **state)
{
    static const struct {
        int64_t min, max;
        uint64_t draws[2];
        int64_t value;
        size_t drawn;
    } cases[] = {
        {5, 5, {77}, 5, 1},
        {1, 10, {10}, 1, 1},
        {1, 10, {19}, 10, 1},
        {-3, 3, {7}, -3, 1},
        {-3, 3, {13}, 3, 1},
        {INT64_MIN, INT64_MAX, {0}, INT64_MIN, 1},
        {INT64_MIN, INT64_MAX, {UINT64_MAX}, INT64_MAX, 1},
        /* 2^64 % 10 = 6 draws would favour some values: they are drawn again. */
        {0, 9, {5, 16}, 6, 2},
        {0, 9, {6}, 6, 1},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct script script = {cases[i].draws, 0};
        struct random_source source = {script_next, &script};
        assert_true(random_between(&source, cases[i].min, cases[i].max) == cases[i].value);
        assert_int_equal(script.next, cases[i].drawn);
    }
}

static void test_between_reaches_all_evenly(void **state)
{
    int seen[7] = {0};
    (void)state;
    for (int i = 0; i < 70000; i++) {
        seen[random_between(&random_kernel, -3, 3) + 3]++;
    }
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++) {
        /* 10,000 expected, deviation 93: ten deviations are never seen by chance. */
        assert_in_range(seen[i], 9070, 10930);
    }
}

static void test_backoff(void **state)
{
    static const struct {
        unsigned attempt;
        int64_t base_ms, cap_ms;
        uint64_t draw;
        int64_t value;
    } cases[] = {
        {0, 1000, 60000, 1001 * 2, 500},         /* drew 0: at least half of the base */
        {0, 1000, 60000, 1001 * 2 + 1000, 1000}, /* the ceiling itself */
        {3, 1000, 60000, 8001 * 2 + 8000, 8000},
        {3, 1000, 60000, 8001 * 2 + 1234, 1234},
        {6, 1000, 60000, 60001 * 2 + 60000, 60000}, /* 64 s are above the cap */
        {63, 1000, 60000, 60001 * 2 + 60000, 60000},
        {4000000000, 1000, 60000, 60001 * 2 + 60000, 60000},
        {0, 1000, 300, 301 * 2, 300}, /* the cap counts more than the base */
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        /* One that is drawn again at the worst, then the one meant. */
        const uint64_t draws[] = {cases[i].draw, cases[i].draw};
        struct script script = {draws, 0};
        struct random_source source = {script_next, &script};
        int64_t value =
            random_backoff_ms(&source, cases[i].attempt, cases[i].base_ms, cases[i].cap_ms);
        if (value != cases[i].value) {
            fail_msg("case %zu: %lld", i, (long long)value);
        }
    }
}

static void test_bytes_of_any_length_differ(void **state)
{
    static const size_t lengths[] = {8, 16, 255, 256, 257, 5000};
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
        unsigned char a[5001] = {0};
        unsigned char b[5001] = {0};
        random_bytes(a, lengths[i]);
        random_bytes(b, lengths[i]);
        assert_memory_not_equal(a, b, lengths[i]);
        assert_memory_not_equal(a + lengths[i] - 8, "\0\0\0\0\0\0\0", 8);
        assert_int_equal(a[lengths[i]], 0);
    }
}

static void test_child_draws_its_own(void **state)
{
    int fds[2];
    uint64_t theirs = 0;
    int status = -1;
    (void)state;
    assert_int_equal(pipe(fds), 0);
    (void)random_u64(); /* the pool is full now, and fork() copies it */
    pid_t child = fork();
    if (child == 0) {
        uint64_t value = random_u64();
        _exit(write(fds[1], &value, sizeof value) == (ssize_t)sizeof value ? 0 : 1);
    }
    uint64_t ours = random_u64();
    assert_int_equal(read(fds[0], &theirs, sizeof theirs), (ssize_t)sizeof theirs);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_true(ours != theirs);
    close(fds[0]);
    close(fds[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_between),
        cmocka_unit_test(test_between_reaches_all_evenly),
        cmocka_unit_test(test_backoff),
        cmocka_unit_test(test_bytes_of_any_length_differ),
        cmocka_unit_test(test_child_draws_its_own),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
