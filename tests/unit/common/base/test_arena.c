#include "common/base/arena.h"

#include <stdalign.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>

#include <cmocka.h>

static void test_blocks_are_apart_and_aligned(void **state)
{
    struct arena arena = {NULL};
    (void)state;
    char *text = arena_copy(&arena, "abcdef", 3);
    assert_string_equal(text, "abc");
    unsigned char *zeroed = arena_alloc(&arena, 100);
    assert_int_equal((uintptr_t)zeroed % alignof(max_align_t), 0);
    for (size_t i = 0; i < 100; i++) {
        assert_int_equal(zeroed[i], 0);
    }
    memset(zeroed, 0xff, 100);
    assert_string_equal(text, "abc");
    arena_deinit(&arena);
    assert_null(arena.blocks);
    arena_deinit(&arena);
}

static void test_impossible_sizes(void **state)
{
    struct arena arena = {NULL};
    (void)state;
    assert_null(arena_alloc(&arena, SIZE_MAX));
    assert_null(arena_copy(&arena, "", SIZE_MAX));
    assert_null(arena.blocks);
}

static void test_a_list_grows(void **state)
{
    struct arena arena = {NULL};
    int *list = NULL;

    (void)state;
    for (size_t count = 0; count < 1000; count++) {
        int *before = list;
        list = arena_grow(&arena, list, count, sizeof(*list));
        assert_non_null(list);
        assert_int_equal(list == before, count > 0 && (count & (count - 1)) != 0);
        list[count] = (int)count;
    }
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    arena_deinit(&arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_blocks_are_apart_and_aligned),
        cmocka_unit_test(test_impossible_sizes),
        cmocka_unit_test(test_a_list_grows),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
