/* A container's life on the real engine: made, started, its output read, its events seen, removed.
 * Skipped where there is no engine, or none with the image. */
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"
#include "engine_fixture.h"
#include "manager/engine/events.h"
#include "manager/engine/logs.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define IMAGE   "debian:bookworm-slim"
#define PROJECT "bellbuoy-test"

/* What has come of a container's output and of its events. */
struct seen {
    char text[4096];
    size_t len;
    unsigned lines;
    bool done;
    char error[200];
    bool ready;
    bool died;
    struct logs *logs;
    unsigned cancel_after; /* lines; 0: never */
};

static struct scene scene;
static char name[64];

static void remove_container(void)
{
    char path[128];
    struct outcome o;

    (void)snprintf(path, sizeof(path), "/containers/%s?force=1", name);
    scene_call(&scene, "DELETE", path, NULL, &o);
    outcome_deinit(&o);
}

static int setup(void **state)
{
    const char *socket = scene_real_socket();
    struct outcome o;

    (void)state;
    scene_init(&scene);
    (void)snprintf(name, sizeof(name), "bellbuoy-test-%d", (int)getpid());
    if (!socket)
        return 0;
    scene_start(&scene, socket, 0);
    scene_wait_up(&scene);
    scene_call(&scene, "GET", "/images/" IMAGE "/json", NULL, &o);
    if (o.status != 200)
        scene_stop(&scene);
    outcome_deinit(&o);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    if (scene.engine)
        remove_container();
    scene_deinit(&scene);
    return 0;
}

static void run(const char *script, bool tty)
{
    char path[128], body[1024];
    struct outcome o;

    if (!scene.engine)
        skip();
    (void)snprintf(path, sizeof(path), "/containers/create?name=%s", name);
    (void)snprintf(body, sizeof(body),
                   "{\"Image\":\"" IMAGE "\",\"Cmd\":[\"sh\",\"-c\",\"%s\"],\"Tty\":%s,"
                   "\"Labels\":{\"io.bellbuoy.project\":\"" PROJECT "\"},"
                   "\"HostConfig\":{\"NetworkMode\":\"none\"}}",
                   script, tty ? "true" : "false");
    scene_call(&scene, "POST", path, body, &o);
    assert_int_equal(o.status, 201);
    outcome_deinit(&o);
    (void)snprintf(path, sizeof(path), "/containers/%s/start", name);
    scene_call(&scene, "POST", path, NULL, &o);
    assert_int_equal(o.status, 204);
    outcome_deinit(&o);
}

static void wait_for_exit(void)
{
    char path[128];
    struct outcome o;

    (void)snprintf(path, sizeof(path), "/containers/%s/wait", name);
    scene_call(&scene, "POST", path, NULL, &o);
    assert_int_equal(o.status, 200);
    outcome_deinit(&o);
}

static void on_line(void *context, const char *line, size_t len, bool is_error)
{
    struct seen *seen = context;

    scene_break();
    seen->lines++;
    seen->len += (size_t)snprintf(seen->text + seen->len, sizeof(seen->text) - seen->len, "%c%.*s|",
                                  is_error ? '!' : '.', (int)len, line);
    if (seen->lines == seen->cancel_after) {
        logs_cancel(seen->logs);
        seen->done = true;
    }
}

static void on_logs_done(void *context, const char *error)
{
    struct seen *seen = context;

    scene_break();
    seen->done = true;
    (void)snprintf(seen->error, sizeof(seen->error), "%s", error ? error : "");
}

static void read_logs(struct logs_settings settings, struct seen *seen)
{
    struct err e = {0};

    settings.container = name;
    settings.line = on_line;
    settings.done = on_logs_done;
    settings.context = seen;
    assert_int_equal(logs_start(scene.engine, &settings, &seen->logs, &e), 0);
    scene_wait(&scene, &seen->done);
}

static void tells_stdout_from_stderr(void **state)
{
    struct seen seen = {0};

    (void)state;
    run("echo one; sleep 0.05; echo two >&2; sleep 0.05; printf three", false);
    wait_for_exit();
    read_logs((struct logs_settings){.tail = -1}, &seen);
    assert_string_equal(seen.error, "");
    assert_string_equal(seen.text, ".one|!two|.three|");
}

static void reads_a_terminals_output(void **state)
{
    struct seen seen = {0};

    (void)state;
    run("echo one; echo two >&2", true);
    wait_for_exit();
    read_logs((struct logs_settings){.tail = -1}, &seen);
    assert_string_equal(seen.text, ".one|.two|");
}

static void reads_the_last_lines(void **state)
{
    struct seen seen = {0}, bounded = {0};

    (void)state;
    run("seq 1000 1999", false);
    wait_for_exit();
    read_logs((struct logs_settings){.tail = 2}, &seen);
    assert_string_equal(seen.text, ".1998|.1999|");
    read_logs((struct logs_settings){.tail = -1, .max_bytes = 15}, &bounded);
    assert_string_equal(bounded.text, ".1997|.1998|.1999|");
}

static void follows(void **state)
{
    struct seen seen = {.cancel_after = 3};

    (void)state;
    run("while echo line; do sleep 0.05; done", false);
    read_logs((struct logs_settings){.tail = -1, .follow = true}, &seen);
    assert_int_equal(seen.lines, 3);
    assert_string_equal(seen.error, "");
}

static void says_that_there_is_no_container(void **state)
{
    struct seen seen = {0};
    char expected[128];

    (void)state;
    if (!scene.engine)
        skip();
    read_logs((struct logs_settings){.tail = -1}, &seen);
    (void)snprintf(expected, sizeof(expected), "No such container: %s", name);
    assert_string_equal(seen.error, expected);
}

static void on_event(void *context, const char *type, const char *action, const char *id,
                     const char *project)
{
    struct seen *seen = context;

    scene_break();
    assert_false(str_starts_with(action, "exec_"));
    if (!str_equal(project, PROJECT))
        return;
    assert_string_equal(type, "container");
    assert_int_equal(strlen(id), 64);
    seen->lines++;
    if (str_equal(action, "die"))
        seen->died = true;
}

static void on_ready(void *context)
{
    struct seen *seen = context;

    scene_break();
    seen->ready = true;
}

static void sees_events(void **state)
{
    struct seen seen = {0};
    struct events *events;
    struct err e = {0};

    (void)state;
    if (!scene.engine)
        skip();
    const struct events_settings settings = {
        .engine = scene.engine, .event = on_event, .ready = on_ready, .context = &seen};
    assert_int_equal(events_new(&settings, &events, &e), 0);
    scene_wait(&scene, &seen.ready);
    run("exit 3", false);
    scene_wait(&scene, &seen.died);
    assert_true(seen.lines >= 3); /* create, start, die */
    events_free(events);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tells_stdout_from_stderr, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_a_terminals_output, setup, teardown),
        cmocka_unit_test_setup_teardown(reads_the_last_lines, setup, teardown),
        cmocka_unit_test_setup_teardown(follows, setup, teardown),
        cmocka_unit_test_setup_teardown(says_that_there_is_no_container, setup, teardown),
        cmocka_unit_test_setup_teardown(sees_events, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
