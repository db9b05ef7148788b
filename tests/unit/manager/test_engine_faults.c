/* What goes wrong between us and an engine. */
#include <string.h>

#include "engine_fixture.h"
#include "fake_engine.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define HEAD      "HTTP/1.1 200 OK\r\n"
#define ANSWER_MS 200

struct bay {
    struct scene scene;
    struct fake_engine fake;
};

static int setup(void **state)
{
    struct bay *bay = calloc(1, sizeof(*bay));

    assert_non_null(bay);
    scene_init(&bay->scene);
    fake_init(&bay->fake, &bay->scene.loop);
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

static void start_up(struct bay *bay)
{
    fake_start(&bay->fake);
    scene_start(&bay->scene, bay->fake.socket, ANSWER_MS);
    scene_wait_up(&bay->scene);
}

static void speaks_the_lower_version(void **state)
{
    struct bay *bay = *state;

    start_up(bay);
    assert_string_equal(engine_version(bay->scene.engine), "25.0.1");
    assert_string_equal(engine_architecture(bay->scene.engine), "arm64");
    assert_string_equal(engine_data_root(bay->scene.engine), "/data");
    assert_int_equal(engine_api_minor(bay->scene.engine), 44);
}

static const struct {
    const char *name, *bytes;
    bool ends;
    size_t fill;
    int status;
    const char *message;
} replies[] = {
    {"an error in JSON",
     "HTTP/1.1 409 Conflict\r\nContent-Length: 21\r\n\r\n{\"message\":\"is taken\"}", false, 0, 409,
     "is taken"},
    {"an error in words", "HTTP/1.1 502 Bad\r\nContent-Length: 12\r\n\r\nbad gateway\n", false, 0,
     502, "bad gateway"},
    {"an error without a word", "HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n", false, 0, 500,
     "the engine answered GET /x with HTTP status 500"},
    {"nothing to be done", "HTTP/1.1 304 Not Modified\r\n\r\n", false, 0, 304, ""},
    {"chunks", HEAD "Transfer-Encoding: chunked\r\n\r\n2\r\n[]\r\n0\r\n\r\n", false, 0, 200, ""},
    {"the end before a reply", "", true, 0, 0,
     "the connection to the engine ended before its reply did: GET /x"},
    {"the end in the header", "HTTP/1.1 200 OK\r\nContent-", true, 0, 0,
     "the connection to the engine ended before its reply did: GET /x"},
    {"the end in the body", HEAD "Content-Length: 100\r\n\r\n[1,", true, 0, 0,
     "the connection to the engine ended before its reply did: GET /x"},
    {"the end in a chunk", HEAD "Transfer-Encoding: chunked\r\n\r\n20\r\n[1,", true, 0, 0,
     "the connection to the engine ended before its reply did: GET /x"},
    {"garbage", "220 mail.example ESMTP\r\n", true, 0, 0, "does not speak HTTP: GET /x"},
    {"40 MB", HEAD "Content-Length: 40000000\r\n\r\n", false, 40000000, 0,
     "the engine's reply is larger than 32 MiB: GET /x"},
    {"silence", NULL, false, 0, 0, "the engine did not answer within 300 ms: GET /x"},
};

static void tells_what_came(void **state)
{
    struct bay *bay = *state;

    start_up(bay);
    for (size_t i = 0; i < ARRAY_SIZE(replies); i++) {
        const struct fake_reply table[] = {
            {"GET /v1.44/x?y ", replies[i].bytes, replies[i].ends, replies[i].fill}, {0}};
        const struct engine_request request = {
            .method = "GET", .path = "/x?y", .timeout_ms = replies[i].bytes ? 0 : 300};
        struct outcome o = {0};
        print_message("%s\n", replies[i].name);
        bay->fake.replies = table;
        assert_int_equal(engine_call(bay->scene.engine, &request, on_outcome, &o, &o.call), 0);
        scene_wait(&bay->scene, &o.done);
        assert_int_equal(o.status, replies[i].status);
        assert_int_equal(o.timed_out, !replies[i].bytes);
        if (!strstr(o.message, replies[i].message))
            assert_string_equal(o.message, replies[i].message);
        if (replies[i].message[0] == '\0')
            assert_string_equal(o.message, "");
        bay->fake.replies = NULL;
        outcome_deinit(&o);
    }
    assert_int_equal(bay->scene.downs, 0); /* it still says who it is */
}

static void a_stream_is_cut(void **state)
{
    struct bay *bay = *state;
    static const struct fake_reply table[] = {
        {"GET /v1.44/x", HEAD "Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n5\r\nde", true, 0},
        {0}};
    const struct engine_request request = {.method = "GET", .path = "/x", .timeout_ms = -1};
    struct outcome o = {0};

    start_up(bay);
    bay->fake.replies = table;
    assert_int_equal(
        engine_stream(bay->scene.engine, &request, on_outcome_data, on_outcome, &o, &o.call), 0);
    scene_wait(&bay->scene, &o.done);
    assert_int_equal(o.data_bytes, 5);
    assert_int_equal(o.status, 0);
    assert_string_equal(o.body, "");
    outcome_deinit(&o);
}

/* libcurl sends again by itself what was on a connection that it had used before. */
static void a_write_is_sent_once(void **state)
{
    struct bay *bay = *state;
    static const struct fake_reply table[] = {{"POST /v1.44/x", "", true, 0}, {0}};
    struct outcome o;

    start_up(bay);
    bay->fake.replies = table;
    unsigned before = bay->fake.requests;
    scene_call(&bay->scene, "POST", "/x", "{}", &o);
    assert_int_equal(o.status, 0);
    assert_int_equal(bay->fake.requests, before + 1);
    assert_int_equal(engine_writes(bay->scene.engine), 1);
    outcome_deinit(&o);
}

static void reads_share_a_connection(void **state)
{
    struct bay *bay = *state;
    struct outcome o;

    start_up(bay);
    for (int i = 0; i < 5; i++) {
        scene_call(&bay->scene, "GET", "/x", NULL, &o);
        assert_int_equal(o.status, 200);
        outcome_deinit(&o);
    }
    assert_int_equal(bay->fake.connections, 1);
}

static void a_hung_engine_is_down_until_it_wakes(void **state)
{
    struct bay *bay = *state;
    static const struct fake_reply table[] = {{"GET /v1.44/x", NULL, false, 0}, {0}};
    const struct engine_request request = {.method = "GET", .path = "/x", .timeout_ms = 100};
    struct outcome o = {0}, refused;

    start_up(bay);
    bay->fake.replies = table;
    bay->fake.version = NULL;
    assert_int_equal(engine_call(bay->scene.engine, &request, on_outcome, &o, &o.call), 0);
    scene_wait(&bay->scene, &o.done);
    outcome_deinit(&o);
    scene_wait_down(&bay->scene, 1);
    assert_string_equal(bay->scene.reason, "the engine did not answer within 200 ms: GET /version");
    assert_int_equal(engine_api_minor(bay->scene.engine), 0);
    scene_call(&bay->scene, "POST", "/x", NULL, &refused);
    assert_int_equal(refused.status, 0);
    assert_string_equal(refused.message, bay->scene.reason);
    assert_int_equal(engine_writes(bay->scene.engine), 0);
    outcome_deinit(&refused);
    /* It wakes as another one. */
    bay->fake.version = FAKE_VERSION("26.1.0");
    fake_stop(&bay->fake);
    scene_turn(&bay->scene);
    fake_start(&bay->fake);
    scene_wait_up(&bay->scene);
    assert_string_equal(engine_version(bay->scene.engine), "26.1.0");
}

static void is_seen_as_soon_as_its_socket_is_there(void **state)
{
    struct bay *bay = *state;

    scene_start(&bay->scene, bay->fake.socket, ANSWER_MS);
    scene_wait_down(&bay->scene, 1);
    assert_non_null(strstr(bay->scene.reason, "no engine answers at "));
    assert_non_null(strstr(bay->scene.reason, "No such file or directory"));
    /* Backoff has gone up by now: without the watch on the folder it would take seconds. */
    for (int i = 0; i < 6; i++)
        scene_turn(&bay->scene);
    uint64_t start_ms = uv_now(&bay->scene.loop);
    fake_start(&bay->fake);
    scene_wait_up(&bay->scene);
    assert_true(uv_now(&bay->scene.loop) - start_ms < 500);
    assert_int_equal(bay->scene.downs, 1); /* the same reason is told once */
}

static void another_engine_is_told_of(void **state)
{
    struct bay *bay = *state;
    struct outcome o;

    start_up(bay);
    bay->fake.version = FAKE_VERSION("26.1.0");
    static const struct fake_reply table[] = {{"GET /v1.44/x", "", true, 0}, {0}};
    bay->fake.replies = table;
    scene_call(&bay->scene, "GET", "/x", NULL, &o);
    assert_int_equal(o.status, 0);
    outcome_deinit(&o);
    scene_wait_down(&bay->scene, 1);
    scene_wait_up(&bay->scene);
    assert_int_equal(bay->scene.ups, 2);
    assert_string_equal(engine_version(bay->scene.engine), "26.1.0");
}

static void an_engine_too_old_is_refused(void **state)
{
    struct bay *bay = *state;

    bay->fake.version = "{\"Version\":\"19.03.1\",\"ApiVersion\":\"1.40\",\"MinAPIVersion\":\"1."
                        "12\",\"Arch\":\"a\"}";
    fake_start(&bay->fake);
    scene_start(&bay->scene, bay->fake.socket, ANSWER_MS);
    scene_wait_down(&bay->scene, 1);
    assert_string_equal(bay->scene.reason, "Docker 19.03.1 speaks API 1.40, and 1.41 is needed: "
                                           "install Docker 20.10 or newer");
}

static void is_stopped_amid_calls(void **state)
{
    struct bay *bay = *state;
    static const struct fake_reply table[] = {{"GET /v1.44/x", NULL, false, 0}, {0}};
    const struct engine_request request = {
        .method = "GET", .path = "/x", .timeout_ms = -1, .idle_ms = 60000};
    struct outcome outcomes[3] = {0};

    start_up(bay);
    bay->fake.replies = table;
    for (int i = 0; i < 3; i++)
        assert_int_equal(engine_stream(bay->scene.engine, &request, on_outcome_data, on_outcome,
                                       &outcomes[i], &outcomes[i].call),
                         0);
    scene_turn(&bay->scene);
    scene_turn(&bay->scene);
    scene_stop(&bay->scene);
    for (int i = 0; i < 3; i++)
        assert_false(outcomes[i].done);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(speaks_the_lower_version, setup, teardown),
        cmocka_unit_test_setup_teardown(tells_what_came, setup, teardown),
        cmocka_unit_test_setup_teardown(a_stream_is_cut, setup, teardown),
        cmocka_unit_test_setup_teardown(a_write_is_sent_once, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_share_a_connection, setup, teardown),
        cmocka_unit_test_setup_teardown(a_hung_engine_is_down_until_it_wakes, setup, teardown),
        cmocka_unit_test_setup_teardown(is_seen_as_soon_as_its_socket_is_there, setup, teardown),
        cmocka_unit_test_setup_teardown(another_engine_is_told_of, setup, teardown),
        cmocka_unit_test_setup_teardown(an_engine_too_old_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(is_stopped_amid_calls, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
