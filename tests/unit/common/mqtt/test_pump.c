#include "common/mqtt/pump.h"

#include <stdio.h>
#include <string.h>

#include "probe.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ANONYMOUS   "allow_anonymous true\n"
#define PATIENCE_MS 15000

struct scene {
    struct broker broker;
    uv_loop_t loop;
    uv_timer_t patience;
    struct probe probe;
    struct mqtt_pump *pump;
};

static void on_impatient(uv_timer_t *timer)
{
    (void)timer;
    fail_msg("waited in vain");
}

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    broker_init(&s->broker);
    uv_loop_init(&s->loop);
    uv_timer_init(&s->loop, &s->patience);
    uv_timer_start(&s->patience, on_impatient, PATIENCE_MS, 0);
    probe_init(&s->probe, s->broker.port, "pumped");
    s->probe.subscribe = "a/#";
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    mqtt_pump_free(s->pump);
    uv_close((uv_handle_t *)&s->patience, NULL);
    uv_run(&s->loop, UV_RUN_DEFAULT);
    assert_int_equal(uv_loop_close(&s->loop), 0); /* nothing was left open */
    probe_deinit(&s->probe);
    broker_deinit(&s->broker);
    free(s);
    return 0;
}

static void start(struct scene *s)
{
    struct err e = {0};

    probe_start(&s->probe, true);
    assert_int_equal(mqtt_pump_new(&s->loop, s->probe.client, &s->pump, &e), 0);
}

static void run_until(struct scene *s, const unsigned *counter, unsigned wanted)
{
    while (*counter < wanted)
        uv_run(&s->loop, UV_RUN_ONCE);
}

static void publish(struct scene *s, const char *text)
{
    int mid;

    assert_int_equal(
        mqtt_client_publish(s->probe.client, "a/b", text, strlen(text), 1, false, &mid), 0);
    mqtt_pump_wake(s->pump);
}

static void test_publish_and_receive(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    broker_start(&s->broker, ANONYMOUS);
    start(s);
    run_until(s, &p->subscribed, 1);
    for (unsigned i = 1; i <= 3; i++) {
        publish(s, "x");
        publish(s, "y");
        run_until(s, &p->published, 2 * i);
        run_until(s, &p->message_count, 2 * i);
    }
    assert_string_equal(p->messages[5], "y");
}

static void test_broker_comes_and_goes(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    start(s);
    run_until(s, &p->disconnected, 1);
    broker_start(&s->broker, ANONYMOUS);
    run_until(s, &p->subscribed, 1);
    broker_kill(&s->broker);
    run_until(s, &p->disconnected, 2);
    broker_start(&s->broker, ANONYMOUS);
    run_until(s, &p->subscribed, 2);
    publish(s, "again");
    run_until(s, &p->message_count, 1);
}

/* A name: the look-up's descriptor, then a refusing address, then the socket. */
static void test_name(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    broker_start(&s->broker, ANONYMOUS);
    snprintf(p->url, sizeof(p->url), "mqtt://localhost:%u", s->broker.port);
    /* The end of the look-up wakes the loop, not its time-out of 10 s. */
    uv_timer_start(&s->patience, on_impatient, 8000, 0);
    start(s);
    run_until(s, &p->subscribed, 1);
    assert_int_equal(p->disconnected, 0);
}

/* From outside the client's handlers: the pump must let go of a descriptor that is gone. */
static void test_drop_and_close_from_outside(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->probe;

    broker_start(&s->broker, ANONYMOUS);
    start(s);
    for (unsigned i = 1; i <= 2; i++) {
        run_until(s, &p->subscribed, i);
        mqtt_client_drop(p->client, "dropped by the test");
        mqtt_pump_wake(s->pump);
        assert_int_equal(p->disconnected, i);
    }
    run_until(s, &p->subscribed, 3);
    mqtt_client_close(p->client);
    mqtt_pump_wake(s->pump);
    run_until(s, &p->disconnected, 3);
    assert_true(mqtt_client_is_closed(p->client));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_publish_and_receive),
        TEST(test_broker_comes_and_goes),
        TEST(test_name),
        TEST(test_drop_and_close_from_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
