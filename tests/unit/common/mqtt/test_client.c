#include "common/mqtt/client.h"

#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "probe.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* The linker sends the look-up here: "two-addresses" is one that refuses and then the broker's. */
int __real_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list);
int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list);

int __wrap_getaddrinfo(const char *host, const char *service, const struct addrinfo *hints,
                       struct addrinfo **ret_list)
{
    if (strcmp(host, "two-addresses") != 0)
        return __real_getaddrinfo(host, service, hints, ret_list);
    int first = __real_getaddrinfo("127.0.0.2", service, hints, ret_list);
    int second = __real_getaddrinfo("127.0.0.1", service, hints, &(*ret_list)->ai_next);
    return first ? first : second;
}

#define ANONYMOUS "allow_anonymous true\n"

struct scene {
    struct broker broker;
    struct probe sender;
    struct probe receiver;
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    broker_init(&s->broker);
    probe_init(&s->sender, s->broker.port, "sender");
    probe_init(&s->receiver, s->broker.port, "receiver");
    s->receiver.subscribe = "a/#";
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    probe_deinit(&s->sender);
    probe_deinit(&s->receiver);
    broker_deinit(&s->broker);
    free(s);
    return 0;
}

static void start_both(struct scene *s)
{
    broker_start(&s->broker, ANONYMOUS);
    probe_start(&s->sender, true);
    probe_start(&s->receiver, false);
    probe_until(&s->sender, &s->sender.connected, 1);
    probe_until(&s->receiver, &s->receiver.subscribed, 1);
}

static void test_publish_and_receive(void **state)
{
    struct scene *s = *state;
    struct mqtt_status status;

    start_both(s);
    assert_false(s->receiver.session_present);
    assert_int_equal(s->receiver.granted_qos, 1);
    mqtt_client_status(s->receiver.client, &status);
    assert_int_equal(status.state, MQTT_CONNECTED);
    assert_null(status.reason);
    assert_int_equal(status.next_attempt_ms, -1);

    probe_publish(&s->sender, "a/b", "one");
    probe_until(&s->receiver, &s->receiver.message_count, 1);
    assert_string_equal(s->receiver.messages[0], "one");
    assert_int_equal(s->sender.published, 1);
}

static void test_not_connected_takes_nothing(void **state)
{
    struct scene *s = *state;
    int mid;

    probe_start(&s->sender, true);
    assert_int_equal(mqtt_client_publish(s->sender.client, "a", "b", 1, 1, false, &mid), -ENOTCONN);
    assert_int_equal(mqtt_client_subscribe(s->sender.client, "a", 1, &mid), -ENOTCONN);
    assert_int_equal(mqtt_client_fd(s->sender.client), -1);
}

static void test_bad_publishes(void **state)
{
    struct scene *s = *state;
    int mid;

    start_both(s);
    assert_int_equal(mqtt_client_publish(s->sender.client, "a/#", "b", 1, 1, false, &mid), -EINVAL);
    assert_int_equal(mqtt_client_publish(s->sender.client, "a", "b", 300000000, 1, false, &mid),
                     -EMSGSIZE);
    assert_int_equal(mqtt_client_subscribe(s->sender.client, "a/#/b", 1, &mid), -EINVAL);
}

/* What was read and not written is not acknowledged: the broker sends it again. */
static void test_drop_before_write_is_a_nack(void **state)
{
    struct scene *s = *state;
    struct probe *r = &s->receiver;

    start_both(s);
    r->hold_writes = true;
    probe_publish(&s->sender, "a/b", "one");
    probe_publish(&s->sender, "a/b", "two");
    probe_until(r, &r->message_count, 2);
    assert_true(mqtt_client_wants_write(r->client));

    mqtt_client_drop(r->client, "the commit failed");
    assert_int_equal(r->disconnected, 1);
    assert_string_equal(r->reason, "the commit failed");
    assert_in_range(r->next_attempt_ms, 500, 2000);
    assert_int_equal(mqtt_client_fd(r->client), -1);
    r->hold_writes = false;
    probe_until(r, &r->message_count, 4);
    assert_true(r->session_present);
    assert_string_equal(r->messages[2], "one");
    assert_string_equal(r->messages[3], "two");
}

/* What was written is acknowledged: after a drop the next message is a new one. */
static void test_write_acknowledges(void **state)
{
    struct scene *s = *state;
    struct probe *r = &s->receiver;

    start_both(s);
    probe_publish(&s->sender, "a/b", "one");
    probe_until(r, &r->message_count, 1);
    assert_false(mqtt_client_wants_write(r->client));
    mqtt_client_drop(r->client, "enough");
    probe_publish(&s->sender, "a/b", "two");
    probe_until(r, &r->message_count, 2);
    assert_string_equal(r->messages[1], "two");
}

/* While publishes of our own are under way libmosquitto takes many packets at once, and would go on
 * with those behind the drop. */
static void test_drop_within_a_handler(void **state)
{
    struct scene *s = *state;
    struct probe *r = &s->receiver;
    int mid;

    start_both(s);
    r->hold_writes = true;
    r->drop_at_message = true;
    for (const char *text = "12345678"; *text; text++) {
        probe_publish(&s->sender, "a/b", (char[]){*text, '\0'});
        assert_int_equal(mqtt_client_publish(r->client, "b", text, 1, 1, false, &mid), 0);
    }
    probe_until(r, &r->disconnected, 1);
    assert_int_equal(r->message_count, 1);
    assert_string_equal(r->reason, "the test wants it again");
    r->hold_writes = false;
    r->drop_at_message = false;
    probe_until(r, &r->message_count, 9);
    assert_string_equal(r->messages[1], "1");
    assert_string_equal(r->messages[8], "8");
}

static void test_read_is_bounded(void **state)
{
    struct scene *s = *state;
    struct probe *r = &s->receiver;

    start_both(s);
    mqtt_client_drop(r->client, "away");
    for (int i = 0; i < 12; i++)
        probe_publish(&s->sender, "a/b", "x");
    r->max_messages = 5;
    while (r->message_count == 0)
        probe_turn(r, 20, 0);
    assert_in_range(r->message_count, 1, 5);
    probe_until(r, &r->message_count, 12);
}

static void test_broker_comes_and_goes(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;
    struct mqtt_status status;
    char expected[64];

    probe_start(p, true);
    probe_until(p, &p->disconnected, 1);
    snprintf(expected, sizeof(expected), "connection refused by 127.0.0.1:%u", s->broker.port);
    assert_string_equal(p->reason, expected);
    assert_false(p->security);
    mqtt_client_status(p->client, &status);
    assert_int_equal(status.state, MQTT_WAITING);
    assert_string_equal(status.reason, expected);
    assert_in_range(status.next_attempt_ms, 1, 1000);
    assert_int_equal(status.attempts, 1);

    broker_start(&s->broker, ANONYMOUS);
    probe_until(p, &p->connected, 1);
    broker_kill(&s->broker);
    probe_until(p, &p->disconnected, 2);
    assert_string_equal(p->reason, "the broker closed the connection");
    broker_start(&s->broker, ANONYMOUS);
    probe_until(p, &p->connected, 2);
}

static void test_logins(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;

    broker_make_password(&s->broker, "anna", "right");
    broker_write_file(&s->broker, "password", "wrong\n");
    broker_start(&s->broker, "allow_anonymous false\npassword_file @/passwords\n");
    p->options.username = "anna";
    p->options.password_file = broker_path(&s->broker, "password");
    probe_start(p, true);
    probe_until(p, &p->disconnected, 1);
    assert_string_equal(p->reason, "the broker refused the user name or password");
    assert_true(p->security);

    /* The file is read again. */
    broker_write_file(&s->broker, "password", "right\n");
    probe_until(p, &p->connected, 1);

    s->receiver.options.username = NULL;
    probe_start(&s->receiver, true);
    probe_until(&s->receiver, &s->receiver.disconnected, 1);
    assert_non_null(strstr(s->receiver.reason, "--username and --password-file"));
    assert_true(s->receiver.security);
}

static void test_missing_password_file(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;

    broker_start(&s->broker, ANONYMOUS);
    p->options.username = "anna";
    p->options.password_file = "/nonexistent/password";
    probe_start(p, true);
    probe_until(p, &p->disconnected, 1);
    assert_non_null(strstr(p->reason, "--password-file"));
    assert_non_null(strstr(p->reason, "/nonexistent/password"));
}

/* A peer that takes the connection and says nothing: no call blocks, and the attempt ends. */
static void test_silent_peer(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;
    uint16_t port;
    int fd = silent_listener(&port);

    for (int tls = 0; tls <= 1; tls++) {
        probe_init(p, port, "sender");
        snprintf(p->url, sizeof(p->url), "mqtt%s://127.0.0.1:%u", tls ? "s" : "", port);
        probe_start(p, true);
        for (int i = 0; i < 5; i++)
            probe_turn(p, 20, 0);
        assert_int_equal(p->disconnected, 0);
        probe_turn(p, 0, 10001);
        assert_int_equal(p->disconnected, 1);
        assert_non_null(strstr(p->reason, "within 10 s"));
        assert_non_null(strstr(p->reason, tls ? "TLS handshake" : "CONNACK"));
        assert_true(p->longest_call_ms < 5000);
        probe_deinit(p);
    }
    close(fd);
}

static void test_names(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;

    broker_start(&s->broker, ANONYMOUS);
    snprintf(p->url, sizeof(p->url), "mqtt://localhost:%u", s->broker.port);
    probe_start(p, true);
    probe_until(p, &p->connected, 1);

    broker_kill(&s->broker);
    probe_until(p, &p->disconnected, 2);
    assert_non_null(strstr(p->reason, "connection refused by localhost ("));

    p = &s->receiver;
    snprintf(p->url, sizeof(p->url), "mqtt://no..name:1883");
    probe_start(p, true);
    probe_until(p, &p->disconnected, 1);
    assert_true(strncmp(p->reason, "name 'no..name' could not be resolved: ", 39) == 0);
}

static void test_next_address(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;

    broker_start(&s->broker, ANONYMOUS);
    snprintf(p->url, sizeof(p->url), "mqtt://two-addresses:%u", s->broker.port);
    probe_start(p, true);
    probe_until(p, &p->connected, 1);
    assert_int_equal(p->disconnected, 0); /* the one that refused is no failure of its own */

    broker_kill(&s->broker);
    probe_until(p, &p->disconnected, 2);
    assert_non_null(strstr(p->reason, "refused by two-addresses (127.0.0.1:"));
}

/* LeakSanitizer and ThreadSanitizer have an eye on this one. */
static void test_free_during_look_up(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;

    snprintf(p->url, sizeof(p->url), "mqtt://localhost:%u", s->broker.port);
    for (int i = 0; i < 20; i++) {
        probe_start(p, true);
        mqtt_client_tick(p->client, clock_monotonic_ms());
        assert_true(mqtt_client_fd(p->client) >= 0);
        probe_deinit(p);
    }
}

static void test_close_sends_disconnect(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;
    struct probe *r = &s->receiver;
    int mid;

    broker_start(&s->broker, ANONYMOUS);
    probe_start(r, true);
    probe_until(r, &r->subscribed, 1);

    probe_start_with_will(p, "a/will", "gone");
    probe_until(p, &p->connected, 1);
    assert_int_equal(mqtt_client_publish(p->client, "a/b", "last", 4, 1, false, &mid), 0);
    mqtt_client_close(p->client);
    probe_until(p, &p->disconnected, 1);
    assert_true(mqtt_client_is_closed(p->client));
    assert_int_equal(p->next_attempt_ms, -1);
    probe_deinit(p);
    probe_until(r, &r->message_count, 1);
    assert_string_equal(r->messages[0], "last");

    /* Without close the broker sends the will; with it it sent none before. */
    probe_init(p, s->broker.port, "sender");
    probe_start_with_will(p, "a/will", "gone");
    probe_until(p, &p->connected, 1);
    probe_deinit(p);
    probe_until(r, &r->message_count, 2);
    assert_string_equal(r->messages[1], "gone");
}

static void test_close_while_away(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;

    probe_start(p, true);
    probe_until(p, &p->disconnected, 1);
    mqtt_client_close(p->client);
    assert_true(mqtt_client_is_closed(p->client));
    probe_turn(p, 0, 60000);
    assert_int_equal(mqtt_client_fd(p->client), -1);
}

/* A connection that is taken away at once is no success: the pauses grow. */
static void test_backoff_grows_while_taken_over(void **state)
{
    struct scene *s = *state;
    struct probe *p = &s->sender;
    struct mqtt_status status;

    broker_start(&s->broker, ANONYMOUS);
    probe_start(p, true);
    probe_until(p, &p->connected, 1);
    for (unsigned i = 1; i <= 2; i++) {
        struct probe other;
        probe_init(&other, s->broker.port, "sender");
        probe_start(&other, true);
        probe_until(&other, &other.connected, 1);
        probe_until(p, &p->disconnected, i);
        probe_deinit(&other);
        probe_until(p, &p->connected, i + 1);
        mqtt_client_status(p->client, &status);
        assert_int_equal(status.attempts, 0);
    }
}

static void test_session_needs_a_client_id(void **state)
{
    const struct mqtt_client_settings settings = {.options = &(struct mqtt_options){0}};
    struct mqtt_client *client = NULL;
    struct err e = {0};

    (void)state;
    assert_int_equal(mqtt_client_new(&settings, &(struct mqtt_handlers){0}, NULL, &client, &e),
                     -EINVAL);
    assert_non_null(strstr(e.msg, "--client-id"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_publish_and_receive),
        TEST(test_not_connected_takes_nothing),
        TEST(test_bad_publishes),
        TEST(test_drop_before_write_is_a_nack),
        TEST(test_write_acknowledges),
        TEST(test_drop_within_a_handler),
        TEST(test_read_is_bounded),
        TEST(test_broker_comes_and_goes),
        TEST(test_logins),
        TEST(test_missing_password_file),
        TEST(test_silent_peer),
        TEST(test_names),
        TEST(test_next_address),
        TEST(test_free_during_look_up),
        TEST(test_close_sends_disconnect),
        TEST(test_close_while_away),
        TEST(test_backoff_grows_while_taken_over),
        cmocka_unit_test(test_session_needs_a_client_id),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
