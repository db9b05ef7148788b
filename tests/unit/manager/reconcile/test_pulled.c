#include "manager/reconcile/pulled.h"

#include <ftw.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct fixture {
    char folder[64];
    struct store *store;
    struct pulled pulled;
    struct err e;
};

static int set_up(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));

    (void)snprintf(f->folder, sizeof(f->folder), "/tmp/test_pulled.XXXXXX");
    pulled_init(&f->pulled);
    *state = f;
    return mkdtemp(f->folder) && store_open(f->folder, &f->store, &f->e) == 0 ? 0 : -1;
}

static int remove_one(const char *path, const struct stat *st, int type, struct FTW *where)
{
    (void)st;
    (void)type;
    (void)where;
    return remove(path);
}

static int tear_down(void **state)
{
    struct fixture *f = *state;

    pulled_deinit(&f->pulled);
    store_free(f->store);
    nftw(f->folder, remove_one, 8, FTW_DEPTH | FTW_PHYS);
    free(f);
    return 0;
}

static void nothing_is_stored_at_first(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(pulled_read(&f->pulled, f->store, &f->e), 0);
    assert_int_equal(f->pulled.count, 0);
}

static void comes_back_as_it_was(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(pulled_add(&f->pulled, "sha256:1", "app:1", 1795307253123456), 0);
    assert_int_equal(pulled_add(&f->pulled, "sha256:1", "app:2", 2), 0);
    TAILQ_FIRST(&f->pulled.images)->unused_us = 1795307253123457;
    assert_true(f->pulled.changed);
    assert_int_equal(pulled_write(&f->pulled, f->store, &f->e), 0);
    assert_false(f->pulled.changed);
    pulled_deinit(&f->pulled);
    pulled_init(&f->pulled);
    assert_int_equal(pulled_read(&f->pulled, f->store, &f->e), 0);
    assert_false(f->pulled.changed);
    assert_int_equal(f->pulled.count, 2);
    const struct pulled_image *image = TAILQ_FIRST(&f->pulled.images);
    assert_string_equal(image->id, "sha256:1");
    assert_string_equal(image->reference, "app:1");
    assert_int_equal(image->pulled_us, 1795307253123456);
    assert_int_equal(image->unused_us, 1795307253123457);
    assert_string_equal(TAILQ_NEXT(image, link)->reference, "app:2");
}

static void is_needed_when_pulled_again(void **state)
{
    struct fixture *f = *state;

    assert_int_equal(pulled_add(&f->pulled, "sha256:1", "app:1", 1), 0);
    TAILQ_FIRST(&f->pulled.images)->unused_us = 5;
    assert_int_equal(pulled_add(&f->pulled, "sha256:1", "app:1", 7), 0);
    assert_int_equal(f->pulled.count, 1);
    assert_int_equal(TAILQ_FIRST(&f->pulled.images)->unused_us, 0);
    assert_true(pulled_has(&f->pulled, "sha256:1"));
    assert_false(pulled_has(&f->pulled, "sha256:2"));
}

static void has_a_limit(void **state)
{
    struct fixture *f = *state;
    char id[32];

    for (int i = 0; i < PULLED_MAX; i++) {
        (void)snprintf(id, sizeof(id), "sha256:%d", i);
        assert_int_equal(pulled_add(&f->pulled, id, "app:1", i), 0);
    }
    assert_int_equal(pulled_add(&f->pulled, "sha256:x", "app:1", 1), -ENOSPC);
    assert_int_equal(pulled_write(&f->pulled, f->store, &f->e), 0);
    pulled_deinit(&f->pulled);
    pulled_init(&f->pulled);
    assert_int_equal(pulled_read(&f->pulled, f->store, &f->e), 0);
    assert_int_equal(f->pulled.count, PULLED_MAX);
}

static void says_what_it_cannot_read(void **state)
{
    static const char *const texts[] = {
        "{", "{\"images\":[{}]}", "{\"images\":[{\"id\":\"sha256:1\",\"reference\":\"a\"}]}",
        "{\"images\":[{\"id\":1,\"reference\":\"a\",\"pulled\":1}]}",
        "{\"images\":[{\"id\":\"sha256:1\",\"reference\":\"a\",\"pulled\":-1}]}"};
    struct fixture *f = *state;

    for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
        assert_int_equal(store_write_images(f->store, texts[i], strlen(texts[i]), &f->e), 0);
        f->e = (struct err){0};
        assert_int_equal(pulled_read(&f->pulled, f->store, &f->e), -EINVAL);
        assert_int_not_equal(f->e.msg[0], '\0');
        assert_int_equal(f->pulled.count, 0);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(nothing_is_stored_at_first, set_up, tear_down),
        cmocka_unit_test_setup_teardown(comes_back_as_it_was, set_up, tear_down),
        cmocka_unit_test_setup_teardown(is_needed_when_pulled_again, set_up, tear_down),
        cmocka_unit_test_setup_teardown(has_a_limit, set_up, tear_down),
        cmocka_unit_test_setup_teardown(says_what_it_cannot_read, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
