/* The check of one's own rights, with a broker of the test's: what it would be told, and what it
 * answers. */

#include "common/mqtt/rights.h"

#include <string.h>

#include "common/base/str.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define TOPIC "bellbuoy/events/press-7_local/check"

struct scene {
    uv_loop_t loop;
    struct mqtt_rights *rights;
    bool is_connected;
    unsigned asked, unsubscribed;
    uint64_t timeout_ms; /* of the timer that runs, */
    uv_timer_t *timer;   /* itself, */
    uv_timer_cb timed;   /* and what it is to call */
    char payload[64];
};

/* The wrapped functions have no other way to it. */
static struct scene *scene;

/* The wrapped functions of the library; their names are the linker's. */
int __wrap_mqtt_client_subscribe(struct mqtt_client *client, const char *filter, int qos, int *mid);
int __wrap_mqtt_client_unsubscribe(struct mqtt_client *client, const char *filter);
int __wrap_mqtt_client_publish(struct mqtt_client *client, const char *topic, const void *payload,
                               size_t size, int qos, bool retain, int *mid);
void __wrap_mqtt_pump_wake(struct mqtt_pump *pump);
int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);
int __real_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat);

int __wrap_mqtt_client_subscribe(struct mqtt_client *client, const char *filter, int qos, int *mid)
{
    (void)client;
    (void)mid;
    assert_string_equal(filter, TOPIC);
    assert_int_equal(qos, 0);
    return scene->is_connected ? 0 : -ENOTCONN;
}

int __wrap_mqtt_client_unsubscribe(struct mqtt_client *client, const char *filter)
{
    (void)client;
    assert_string_equal(filter, TOPIC);
    scene->unsubscribed++;
    return 0;
}

int __wrap_mqtt_client_publish(struct mqtt_client *client, const char *topic, const void *payload,
                               size_t size, int qos, bool retain, int *mid)
{
    (void)client;
    (void)mid;
    assert_string_equal(topic, TOPIC);
    assert_int_equal(qos, 0);
    assert_false(retain);
    assert_true(str_copy_n(scene->payload, sizeof(scene->payload), payload, size));
    scene->asked++;
    return 0;
}

void __wrap_mqtt_pump_wake(struct mqtt_pump *pump)
{
    (void)pump;
}

int __wrap_uv_timer_start(uv_timer_t *timer, uv_timer_cb cb, uint64_t timeout, uint64_t repeat)
{
    scene->timeout_ms = timeout;
    scene->timer = timer;
    scene->timed = cb;
    return __real_uv_timer_start(timer, cb, timeout, repeat);
}

static int setup(void **state)
{
    struct mqtt_rights_settings settings = {.name = "press-7.local", .component = "test"};

    scene = calloc(1, sizeof(*scene));
    assert_non_null(scene);
    scene->is_connected = true;
    uv_loop_init(&scene->loop);
    settings.loop = &scene->loop;
    assert_int_equal(mqtt_rights_new(&settings, &scene->rights, NULL), 0);
    *state = scene;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    mqtt_rights_free(s->rights);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0);
    free(s);
    return 0;
}

static bool deliver(struct scene *s, const char *topic, const char *payload)
{
    return mqtt_rights_message(
        s->rights,
        &(struct mqtt_message){.topic = topic, .payload = payload, .size = strlen(payload)});
}

/* Time passes as the test says: the loop would, when it is late, call two timers in a row. */
static void time_out(struct scene *s, uint64_t expected_ms)
{
    assert_true(uv_is_active((uv_handle_t *)s->timer));
    assert_int_equal(s->timeout_ms, expected_ms);
    uv_timer_stop(s->timer);
    s->timed(s->timer);
}

static void test_granted(void **state)
{
    struct scene *s = *state;

    mqtt_rights_connected(s->rights);
    assert_int_equal(s->asked, 1);
    assert_false(deliver(s, "bellbuoy/events/press-7_local/hello", s->payload));
    assert_true(deliver(s, TOPIC, s->payload));
    assert_int_equal(s->unsubscribed, 1);
    assert_null(mqtt_rights_missing(s->rights));
    assert_int_equal(uv_run(&s->loop, UV_RUN_NOWAIT), 0); /* no timer runs */
}

static void test_another_message_is_no_answer(void **state)
{
    struct scene *s = *state;

    mqtt_rights_connected(s->rights);
    assert_true(deliver(s, TOPIC, "{\"check\":\"0\"}"));
    time_out(s, 5000);
    assert_non_null(strstr(mqtt_rights_missing(s->rights), TOPIC));
}

static void test_denied_and_granted_later(void **state)
{
    struct scene *s = *state;
    char first[sizeof(s->payload)];

    mqtt_rights_connected(s->rights);
    assert_null(mqtt_rights_missing(s->rights));
    memcpy(first, s->payload, sizeof(first));
    time_out(s, 5000);
    assert_non_null(mqtt_rights_missing(s->rights));
    time_out(s, 30000);
    assert_int_equal(s->asked, 2);
    assert_non_null(mqtt_rights_missing(s->rights));
    assert_string_not_equal(s->payload, first);
    assert_true(deliver(s, TOPIC, s->payload));
    assert_null(mqtt_rights_missing(s->rights));
}

static void test_a_lost_connection_is_no_answer(void **state)
{
    struct scene *s = *state;

    mqtt_rights_connected(s->rights);
    s->is_connected = false;
    mqtt_rights_disconnected(s->rights);
    assert_int_equal(uv_run(&s->loop, UV_RUN_NOWAIT), 0);
    assert_null(mqtt_rights_missing(s->rights));
    mqtt_rights_connected(s->rights); /* dropped again before anything could be sent */
    assert_int_equal(s->asked, 1);
    assert_int_equal(uv_run(&s->loop, UV_RUN_NOWAIT), 0);
}

static void test_a_broker_that_ends_the_connection_is_left_alone(void **state)
{
    struct scene *s = *state;

    for (int i = 0; i < 2; i++) {
        mqtt_rights_connected(s->rights);
        mqtt_rights_disconnected(s->rights);
    }
    mqtt_rights_connected(s->rights);
    assert_true(deliver(s, TOPIC, s->payload)); /* an answer: it counts from the start */
    mqtt_rights_disconnected(s->rights);
    for (int i = 0; i < 5; i++) {
        mqtt_rights_connected(s->rights);
        mqtt_rights_disconnected(s->rights);
    }
    assert_int_equal(s->asked, 3 + 3);
    assert_null(mqtt_rights_missing(s->rights));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_granted),
        TEST(test_another_message_is_no_answer),
        TEST(test_denied_and_granted_later),
        TEST(test_a_lost_connection_is_no_answer),
        TEST(test_a_broker_that_ends_the_connection_is_left_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
