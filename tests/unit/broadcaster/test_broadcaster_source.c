#include "broadcaster/source.h"

#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static uint64_t fixed(void *context)
{
    (void)context;
    return 0xabc;
}

static const struct random_source fixed_random = {.next = fixed};

static void test_names(void **state)
{
    struct sources *one = NULL, *many = NULL;
    char path[SOURCE_PATH_SIZE];

    (void)state;
    assert_int_equal(sources_new("press", 1, &fixed_random, &one), 0);
    assert_string_equal(sources_boot_id(one), "0000000000000abc");
    source_path(one, 0, path);
    assert_string_equal(path, "/machines/press");
    assert_int_equal(sources_new("press", 12, &fixed_random, &many), 0);
    source_path(many, 0, path);
    assert_string_equal(path, "/machines/press-1");
    source_path(many, 11, path);
    assert_string_equal(path, "/machines/press-12");
    sources_free(one);
    sources_free(many);
}

static void test_sequences_are_each_sources_own(void **state)
{
    struct sources *s = NULL;

    (void)state;
    assert_int_equal(sources_new("press", 3, &random_kernel, &s), 0);
    for (uint64_t n = 1; n <= 5; n++) {
        assert_int_equal(source_next_sequence(s, 0), n);
        assert_int_equal(source_next_sequence(s, 2), n);
    }
    assert_int_equal(source_next_sequence(s, 1), 1);
    sources_free(s);
}

static void test_boot_ids_differ(void **state)
{
    struct sources *a = NULL, *b = NULL;

    (void)state;
    assert_int_equal(sources_new("a", 1, &random_kernel, &a), 0);
    assert_int_equal(sources_new("a", 1, &random_kernel, &b), 0);
    assert_int_equal(strlen(sources_boot_id(a)), 16);
    assert_string_not_equal(sources_boot_id(a), sources_boot_id(b));
    sources_free(a);
    sources_free(b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_sequences_are_each_sources_own),
        cmocka_unit_test(test_boot_ids_differ),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
