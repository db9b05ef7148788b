/* Against the real engine at DOCKER_HOST or /var/run/docker.sock; skipped where there is none. */
#include <stdio.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "common/base/json.h"
#include "engine_fixture.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define SIDE_BY_SIDE 24

static struct scene scene;

static int setup(void **state)
{
    const char *socket = scene_real_socket();

    (void)state;
    scene_init(&scene);
    if (socket) {
        scene_start(&scene, socket, 0);
        scene_wait_up(&scene);
    }
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    scene_deinit(&scene);
    return 0;
}

static void need_engine(void)
{
    if (!scene.engine)
        skip();
}

static void says_who_it_is(void **state)
{
    struct utsname machine;

    (void)state;
    need_engine();
    uname(&machine);
    assert_int_equal(scene.ups, 1);
    assert_int_equal(scene.downs, 0);
    assert_true(strlen(engine_version(scene.engine)) >= 4);
    assert_in_range(engine_api_minor(scene.engine), ENGINE_API_OLDEST, ENGINE_API_NEWEST);
    assert_int_equal(engine_data_root(scene.engine)[0], '/');
    if (strcmp(machine.machine, "x86_64") == 0)
        assert_string_equal(engine_architecture(scene.engine), "amd64");
}

static void lists(void **state)
{
    struct outcome o;

    (void)state;
    need_engine();
    scene_call(&scene, "GET", "/containers/json?all=1", NULL, &o);
    assert_int_equal(o.status, 200);
    assert_int_equal(o.body[0], '[');
    assert_string_equal(o.message, "");
    assert_int_equal(engine_writes(scene.engine), 0);
    outcome_deinit(&o);
}

static void hands_on_the_engines_own_message(void **state)
{
    struct outcome o;

    (void)state;
    need_engine();
    scene_call(&scene, "POST", "/containers/bellbuoy-test-none/start", NULL, &o);
    assert_int_equal(o.status, 404);
    assert_string_equal(o.message, "No such container: bellbuoy-test-none");
    assert_int_equal(engine_writes(scene.engine), 1);
    outcome_deinit(&o);
    scene_call(&scene, "DELETE", "/containers/bellbuoy-test-none?force=1", NULL, &o);
    assert_int_equal(o.status, 404);
    assert_int_equal(engine_writes(scene.engine), 2);
    outcome_deinit(&o);
}

static void takes_a_body(void **state)
{
    char name[64], path[128], body[256];
    struct outcome o;

    (void)state;
    need_engine();
    (void)snprintf(name, sizeof(name), "bellbuoy-test-%d", (int)getpid());
    (void)snprintf(body, sizeof(body), "{\"Name\":\"%s\",\"Labels\":{\"a\":\"b\"}}", name);
    scene_call(&scene, "POST", "/volumes/create", body, &o);
    assert_int_equal(o.status, 201);
    assert_non_null(strstr(o.body, name));
    outcome_deinit(&o);
    (void)snprintf(path, sizeof(path), "/volumes/%s", name);
    scene_call(&scene, "DELETE", path, NULL, &o);
    assert_int_equal(o.status, 204);
    assert_string_equal(o.body, "");
    outcome_deinit(&o);
}

static void does_several_side_by_side(void **state)
{
    struct outcome outcomes[SIDE_BY_SIDE] = {0};
    const struct engine_request request = {.method = "GET", .path = "/containers/json?all=1"};

    (void)state;
    need_engine();
    for (int i = 0; i < SIDE_BY_SIDE; i++)
        assert_int_equal(
            engine_call(scene.engine, &request, on_outcome, &outcomes[i], &outcomes[i].call), 0);
    /* Some are given up, before and while they are sent. */
    engine_cancel(outcomes[3].call);
    scene_turn(&scene);
    engine_cancel(outcomes[7].call); /* NULL where it has ended */
    for (int i = 0; i < SIDE_BY_SIDE; i++) {
        if (i != 3 && i != 7) {
            scene_wait(&scene, &outcomes[i].done);
            assert_int_equal(outcomes[i].status, 200);
        }
        outcome_deinit(&outcomes[i]);
    }
    assert_false(outcomes[3].done);
}

static void cancels_a_stream(void **state)
{
    struct outcome o = {0};
    const struct engine_request request = {.method = "GET", .path = "/events", .timeout_ms = -1};

    (void)state;
    need_engine();
    assert_int_equal(
        engine_stream(scene.engine, &request, on_outcome_data, on_outcome, &o, &o.call), 0);
    scene_wait_parts(&scene, &o, 1);
    engine_cancel(o.call);
    assert_false(o.done);
    assert_int_equal(o.data_bytes, 0);
}

static void tells_of_an_error_in_place_of_a_stream(void **state)
{
    struct outcome o = {0};
    const struct engine_request request = {
        .method = "GET", .path = "/containers/bellbuoy-test-none/logs?stdout=1", .timeout_ms = -1};

    (void)state;
    need_engine();
    assert_int_equal(
        engine_stream(scene.engine, &request, on_outcome_data, on_outcome, &o, &o.call), 0);
    scene_wait(&scene, &o.done);
    assert_int_equal(o.status, 404);
    assert_int_equal(o.data_parts, 0);
    assert_string_equal(o.message, "No such container: bellbuoy-test-none");
    outcome_deinit(&o);
}

static void ends_what_hangs(void **state)
{
    struct outcome o = {0};
    const struct engine_request request = {
        .method = "GET", .path = "/events", .timeout_ms = 20000, .idle_ms = 100};

    (void)state;
    need_engine();
    assert_int_equal(
        engine_stream(scene.engine, &request, on_outcome_data, on_outcome, &o, &o.call), 0);
    scene_wait(&scene, &o.done);
    assert_int_equal(o.status, 0);
    assert_true(o.timed_out);
    assert_string_equal(o.message, "nothing came for 100 ms: GET /events");
    outcome_deinit(&o);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(says_who_it_is, setup, teardown),
        cmocka_unit_test_setup_teardown(lists, setup, teardown),
        cmocka_unit_test_setup_teardown(hands_on_the_engines_own_message, setup, teardown),
        cmocka_unit_test_setup_teardown(takes_a_body, setup, teardown),
        cmocka_unit_test_setup_teardown(does_several_side_by_side, setup, teardown),
        cmocka_unit_test_setup_teardown(cancels_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_of_an_error_in_place_of_a_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(ends_what_hangs, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
