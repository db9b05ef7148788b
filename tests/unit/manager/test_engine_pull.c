/* Several who want one image, and what comes of a pull. */
#include "manager/engine/pull.h"

#include <stdio.h>
#include <string.h>

#include "engine_fixture.h"
#include "fake_engine.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define PULL     "POST /v1.44/images/create?fromImage=docker.io%2Flibrary%2Fa&tag=1 "
#define CLOSED   "HTTP/1.1 200 OK\r\nConnection: close\r\n\r\n"
#define LAYER    "{\"status\":\"Pulling fs layer\",\"progressDetail\":{},\"id\":\"abc\"}\r\n"
#define HALF     "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n40\r\n"
#define COMPLETE LAYER "{\"status\":\"Pull complete\",\"progressDetail\":{},\"id\":\"abc\"}\r\n"

struct wish {
    struct pull *pull;
    bool done;
    enum reason_code code;
    char message[200];
    unsigned progress;
    unsigned layers_done;
    struct wish *cancels; /* at its first progress */
};

struct bay {
    struct scene scene;
    struct fake_engine fake;
    struct wish a, b;
};

static int setup(void **state)
{
    struct bay *bay = calloc(1, sizeof(*bay));

    assert_non_null(bay);
    scene_init(&bay->scene);
    fake_init(&bay->fake, &bay->scene.loop);
    fake_start(&bay->fake);
    scene_start(&bay->scene, bay->fake.socket, 0);
    scene_wait_up(&bay->scene);
    *state = bay;
    return 0;
}

static int teardown(void **state)
{
    struct bay *bay = *state;

    scene_stop(&bay->scene);
    fake_deinit(&bay->fake);
    scene_deinit(&bay->scene);
    free(bay);
    return 0;
}

static void on_progress(void *context, const struct pull_progress *progress)
{
    struct wish *wish = context;

    wish->progress++;
    wish->layers_done = progress->layers_done;
    if (wish->cancels)
        pull_cancel(TAKE(wish->cancels->pull));
}

static void on_done(void *context, const struct pull_result *result)
{
    struct wish *wish = context;

    assert_false(wish->done);
    scene_break();
    wish->done = true;
    wish->pull = NULL;
    wish->code = result->code;
    (void)snprintf(wish->message, sizeof(wish->message), "%s", result->message);
}

static void start(struct bay *bay, struct wish *wish, const char *image, int64_t idle_ms)
{
    const struct pull_settings settings = {
        .image = image,
        .idle_ms = idle_ms,
        .progress = on_progress,
        .done = on_done,
        .context = wish,
    };
    struct err e = {0};

    assert_int_equal(pull_start(bay->scene.engine, &settings, &wish->pull, &e), 0);
    assert_false(wish->done);
}

static void one_call_serves_all(void **state)
{
    static const struct fake_reply replies[] = {{PULL, CLOSED COMPLETE, true, 0}, {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    start(bay, &bay->b, "docker.io/library/a:1", 0);
    scene_wait(&bay->scene, &bay->b.done);
    assert_true(bay->a.done);
    assert_int_equal(engine_writes(bay->scene.engine), 1);
    assert_int_equal(bay->a.code, REASON_NONE);
    assert_int_equal(bay->b.layers_done, 1);
    assert_int_equal(bay->b.progress, 2); /* the first, none within 200 ms, the last */
}

static void another_image_is_another_call(void **state)
{
    struct bay *bay = *state;

    start(bay, &bay->a, "a:1", 0);
    start(bay, &bay->b, "a:2", 0);
    scene_wait(&bay->scene, &bay->a.done);
    if (!bay->b.done)
        scene_wait(&bay->scene, &bay->b.done);
    assert_int_equal(engine_writes(bay->scene.engine), 2);
}

static void who_leaves_takes_nobody_along(void **state)
{
    static const struct fake_reply replies[] = {{PULL, CLOSED COMPLETE, true, 0}, {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    start(bay, &bay->b, "a:1", 0);
    pull_cancel(TAKE(bay->a.pull));
    scene_wait(&bay->scene, &bay->b.done);
    assert_false(bay->a.done);
}

static void one_cancels_another_amid_progress(void **state)
{
    static const struct fake_reply replies[] = {{PULL, CLOSED COMPLETE, true, 0}, {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    start(bay, &bay->b, "a:1", 0);
    bay->a.cancels = &bay->b;
    scene_wait(&bay->scene, &bay->a.done);
    assert_false(bay->b.done);
    assert_int_equal(bay->b.progress, 0);
}

static void the_last_ends_the_call_amid_progress(void **state)
{
    static const struct fake_reply replies[] = {{PULL, CLOSED LAYER LAYER LAYER, false, 0}, {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    bay->a.cancels = &bay->a;
    while (bay->a.progress == 0 || bay->fake.open > 1)
        scene_turn(&bay->scene); /* until the engine sees the end of the pull's connection */
    assert_false(bay->a.done);
    assert_int_equal(bay->a.progress, 1);
}

static void an_error_may_come_amid_a_stream(void **state)
{
    static const struct fake_reply replies[] = {
        {PULL,
         CLOSED LAYER
         "{\"errorDetail\":{\"message\":\"x\"},\"error\":\"failed to register layer: no "
         "space left on device\"}\r\n",
         true, 0},
        {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    scene_wait(&bay->scene, &bay->a.done);
    assert_int_equal(bay->a.code, REASON_DISK);
    assert_string_equal(bay->a.message, "failed to register layer: no space left on device");
}

static void another_platforms_image_is_no_success(void **state)
{
    static const struct fake_reply replies[] = {
        {PULL,
         CLOSED "{\"status\":\"WARNING: image with reference a:1 was found but its platform "
                "(linux/amd64) does not match the specified platform (linux/arm64)\"}\r\n",
         true, 0},
        {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    scene_wait(&bay->scene, &bay->a.done);
    assert_int_equal(bay->a.code, REASON_ARCH);
}

static void silence_is_the_registrys(void **state)
{
    static const struct fake_reply replies[] = {{PULL, HALF, false, 0}, {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 100);
    scene_wait(&bay->scene, &bay->a.done);
    assert_int_equal(bay->a.code, REASON_PULL_NETWORK);
    assert_string_equal(bay->a.message, "nothing came for 100 ms: POST /images/create");
}

static void a_cut_is_the_engines(void **state)
{
    static const struct fake_reply replies[] = {{PULL, HALF, true, 0}, {0}};
    struct bay *bay = *state;

    bay->fake.replies = replies;
    start(bay, &bay->a, "a:1", 0);
    scene_wait(&bay->scene, &bay->a.done);
    assert_int_equal(bay->a.code, REASON_ENGINE_DOWN);
    /* Nothing is left of it: the next one begins anew. */
    bay->a.done = false;
    start(bay, &bay->a, "a:1", 0);
    scene_wait(&bay->scene, &bay->a.done);
    assert_int_equal(engine_writes(bay->scene.engine), 2);
}

static void what_is_no_image_is_refused(void **state)
{
    struct bay *bay = *state;
    const struct pull_settings settings = {.image = "No Image", .done = on_done};
    struct err e = {0};

    assert_int_equal(pull_start(bay->scene.engine, &settings, &bay->a.pull, &e), -EINVAL);
    assert_non_null(strstr(e.msg, "'No Image' is no reference of an image"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(one_call_serves_all, setup, teardown),
        cmocka_unit_test_setup_teardown(another_image_is_another_call, setup, teardown),
        cmocka_unit_test_setup_teardown(who_leaves_takes_nobody_along, setup, teardown),
        cmocka_unit_test_setup_teardown(one_cancels_another_amid_progress, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_ends_the_call_amid_progress, setup, teardown),
        cmocka_unit_test_setup_teardown(an_error_may_come_amid_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(another_platforms_image_is_no_success, setup, teardown),
        cmocka_unit_test_setup_teardown(silence_is_the_registrys, setup, teardown),
        cmocka_unit_test_setup_teardown(a_cut_is_the_engines, setup, teardown),
        cmocka_unit_test_setup_teardown(what_is_no_image_is_refused, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
