#include "receiver/api/message.h"

#include <stdio.h>
#include <string.h>

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const struct event_identity identity = {MESSAGE_SOURCE, "5b0e9d6f41c27a83", 42,
                                               1700000000123456};

static void test_text(void **state)
{
    static const char body[] = "{\"text\":\"Hello \\\"crew\\\"\",\"color\":\"#2f81F7\"}";
    struct message message = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(message_from_text(body, strlen(body), &identity, &message, &e), 0);
    assert_string_equal(message.topic, "bellbuoy/events/dashboard/hello");
    assert_string_equal(message.source, "/machines/dashboard");
    assert_string_equal(message.id, "5b0e9d6f41c27a83-000000000042");

    cJSON *json AUTO(cJSON_Delete) = NULL;
    struct event event;
    assert_int_equal(json_parse(message.payload.data, message.payload.len, 8, &json, &e), 0);
    assert_int_equal(event_decode(json, &event, &e), 0);
    assert_string_equal(event.type, EVENT_TYPE_HELLO);
    assert_string_equal(event.id, message.id);
    assert_int_equal(event.sequence, 42);
    assert_int_equal(event.time_us, identity.time_us);
    assert_string_equal(json_member(event.data, "text")->valuestring, "Hello \"crew\"");
    assert_string_equal(json_member(event.data, "color")->valuestring, "#2f81F7");
    assert_null(json_member(event.data, "next_in_ms"));
    message_deinit(&message);
}

static void test_text_has_its_sources_color(void **state)
{
    static const char body[] = "{\"text\":\"x\"}";
    struct message message = {0};
    struct err e = {0};
    char color[EVENT_COLOR_SIZE];

    (void)state;
    event_color(MESSAGE_SOURCE, color);
    assert_int_equal(message_from_text(body, strlen(body), &identity, &message, &e), 0);
    assert_non_null(strstr(message.payload.data, color));
    message_deinit(&message);
}

static void test_wrong_text(void **state)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"", ""},
        {"{", ""},
        {"[]", "the body must be an object"},
        {"\"text\"", "the body must be an object"},
        {"{}", "/text must be a string of 1 to 4096 bytes"},
        {"{\"text\":\"\"}", "/text must be a string of 1 to 4096 bytes"},
        {"{\"text\":7}", "/text"},
        {"{\"text\":null}", "/text"},
        {"{\"text\":\"x\",\"color\":\"red\"}", "/color must be of the form #rrggbb"},
        {"{\"text\":\"x\",\"color\":\"#12345\"}", "/color must be of the form #rrggbb"},
        {"{\"text\":\"x\",\"color\":\"#12345g\"}", "/color must be of the form #rrggbb"},
        {"{\"text\":\"x\",\"color\":\"#1234567\"}", "/color must be of the form #rrggbb"},
        {"{\"text\":\"x\",\"color\":3}", "/color"},
        {"{\"text\":\"x\",\"colour\":\"#123456\"}", "colour"},
        {"{\"text\":\"x\",\"text\":\"y\"}", "text"},
        {"{\"text\":\"\xff\"}", "UTF-8"},
        {"{\"text\":\"a\\u0000b\"}", ""},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message message;
        struct err e = {0};
        int rc = message_from_text(cases[i].body, strlen(cases[i].body), &identity, &message, &e);
        if (rc != -EINVAL || strstr(e.msg, cases[i].message) == NULL)
            fail_msg("%s: %d, %s", cases[i].body, rc, e.msg);
    }
}

static void test_length_of_a_text(void **state)
{
    static char text[MESSAGE_TEXT_MAX + 2];
    char body[MESSAGE_TEXT_MAX + 32];
    struct message message = {0};
    struct err e = {0};

    (void)state;
    memset(text, 'x', sizeof(text) - 1);
    for (int extra = 0; extra <= 1; extra++) {
        int len =
            snprintf(body, sizeof(body), "{\"text\":\"%.*s\"}", MESSAGE_TEXT_MAX + extra, text);
        int rc = message_from_text(body, (size_t)len, &identity, &message, &e);
        assert_int_equal(rc, extra == 0 ? 0 : -EINVAL);
    }
    message_deinit(&message);
}

static void test_event(void **state)
{
    static const char body[] =
        " {\"specversion\":\"1.0\",\"type\":\"bellbuoy.event.v1\",\"source\":\"/machines/press.7\","
        "\"id\":\"a-1\",\"sequence\":\"7\",\"data\":{\"criticality\":3,\"timestamp\":\"t\","
        "\"eventMessage\":\"m\",\"exact\":12345678901234567890}}";
    struct message message = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(message_from_event(body, strlen(body), &message, &e), 0);
    assert_string_equal(message.topic, "bellbuoy/events/press_7/event");
    assert_string_equal(message.source, "/machines/press.7");
    assert_string_equal(message.id, "a-1");
    assert_int_equal(message.payload.len, strlen(body));
    assert_memory_equal(message.payload.data, body, strlen(body));
    message_deinit(&message);
}

#define EVENT(type, source, more)                                                                  \
    "{\"specversion\":\"1.0\",\"type\":\"" type "\",\"source\":\"" source "\",\"id\":\"1\"" more "}"

static void test_type_of_others(void **state)
{
    static const char body[] = EVENT("com.example.x", "/machines/a", "");
    struct message message = {0};
    struct err e = {0};

    (void)state;
    assert_int_equal(message_from_event(body, strlen(body), &message, &e), 0);
    assert_string_equal(message.topic, "bellbuoy/events/a/raw");
    message_deinit(&message);
}

static void test_wrong_events(void **state)
{
    static const struct {
        const char *body, *message;
    } cases[] = {
        {"[]", "object"},
        {"{}", "specversion"},
        {"{\"specversion\":\"1.0\",\"type\":\"x\",\"source\":\"/machines/a\"}", "/id"},
        {EVENT("x", "/topics/a", ""), "/source must be /machines/<name>"},
        {EVENT("x", "a", ""), "/source must be /machines/<name>"},
        {EVENT("x", "/machines/", ""), "/source must be /machines/<name>"},
        {EVENT("x", "/machines/a/b", ""), "/source must be /machines/<name>"},
        {EVENT("x", "/machines/#", ""), "/source must be /machines/<name>"},
        {EVENT("x", "/machines/a b", ""), "/source must be /machines/<name>"},
        {EVENT("x", "/machines/a", ",\"cursor\":\"1-1\""), "/cursor is the receiver's"},
        {EVENT("x", "/machines/a", ",\"late\":true"), "/late is the receiver's"},
        {EVENT("x", "/machines/a", ",\"Trace\":\"1\""), "lower-case letters"},
        {EVENT("x", "/machines/a", ",\"a_b\":\"1\""), "lower-case letters"},
        {EVENT("x", "/machines/a", ",\"abcdefghijklmnopqrstu\":\"1\""), "lower-case letters"},
        {EVENT("x", "/machines/a", ",\"list\":[]"), "/list must be a string"},
        {EVENT("bellbuoy.hello.v1", "/machines/a", ",\"data\":{}"), "/data/text"},
        {EVENT("x", "/machines/a", ",\"time\":\"noon\""), "/time"},
    };

    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct message message;
        struct err e = {0};
        int rc = message_from_event(cases[i].body, strlen(cases[i].body), &message, &e);
        if (rc != -EINVAL || strstr(e.msg, cases[i].message) == NULL)
            fail_msg("%s: %d, %s", cases[i].body, rc, e.msg);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_text),         cmocka_unit_test(test_text_has_its_sources_color),
        cmocka_unit_test(test_wrong_text),   cmocka_unit_test(test_length_of_a_text),
        cmocka_unit_test(test_event),        cmocka_unit_test(test_type_of_others),
        cmocka_unit_test(test_wrong_events),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
