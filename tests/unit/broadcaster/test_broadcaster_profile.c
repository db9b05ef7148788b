/* The profiles: what they draw, and that the receiver's own decoder takes what they write. */

#include "broadcaster/profile.h"

#include <stdio.h>
#include <string.h>

#include "broadcaster/message.h"
#include "common/cloudevent/event.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

struct scene {
    struct sources *sources;
    struct buf data;
    struct buf text;
    cJSON *json;
};

static int setup(void **state)
{
    struct scene *s = calloc(1, sizeof(*s));

    assert_non_null(s);
    assert_int_equal(sources_new("press-7", 2, &random_kernel, &s->sources), 0);
    s->data = BUF_INIT(4096);
    s->text = BUF_INIT(4096);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct scene *s = *state;

    sources_free(s->sources);
    buf_deinit(&s->data);
    buf_deinit(&s->text);
    cJSON_Delete(s->json);
    free(s);
    return 0;
}

/* Writes a message, parses it back, and returns its data. */
static const cJSON *play(struct scene *s, const struct profile *profile, struct message *message)
{
    struct event event;
    struct err e = {0};

    if (profile->draw)
        profile->draw(message, &random_kernel);
    buf_reset(&s->text);
    message_encode(message, profile, s->sources, &s->data, &s->text);
    assert_false(buf_failed(&s->text));
    cJSON_Delete(s->json);
    s->json = NULL;
    if (json_parse(s->text.data, s->text.len, JSON_MAX_DEPTH, &s->json, &e) < 0 ||
        event_decode(s->json, &event, &e) < 0)
        fail_msg("%s in %s", e.msg, s->text.data);
    assert_string_equal(event.type, profile->type);
    assert_string_equal(event.source, "/machines/press-7-2");
    assert_string_equal(event.bootid, sources_boot_id(s->sources));
    assert_int_equal(event.sequence, message->sequence);
    assert_int_equal(event.time_us, message->time_us);
    return event.data;
}

static double number(const cJSON *data, const char *name)
{
    return json_member(data, name)->valuedouble;
}

static const char *string(const cJSON *data, const char *name)
{
    return json_member(data, name)->valuestring;
}

static void test_hello(void **state)
{
    struct message message = {
        .sequence = 42, .source = 1, .time_us = 1763675881123456, .next_in_ms = 4210};
    const cJSON *data = play(*state, &profile_hello, &message);
    struct profile_gaps gaps = profile_hello.gaps(&(struct profile_times){0});
    char color[EVENT_COLOR_SIZE];

    assert_string_equal(string(data, "text"), "Hello world");
    event_color("/machines/press-7-2", color);
    assert_string_equal(string(data, "color"), color);
    assert_int_equal((int)number(data, "next_in_ms"), 4210);
    assert_int_equal(gaps.min_ms, 1000);
    assert_int_equal(gaps.max_ms, 10000);
}

static void test_names(void **state)
{
    struct scene *s = *state;
    struct message_name name;
    char id[64];

    message_name(&(struct message){.sequence = 42, .source = 1}, &profile_hello, s->sources, &name);
    assert_string_equal(name.source, "/machines/press-7-2");
    assert_string_equal(name.topic, "bellbuoy/events/press-7-2/hello");
    snprintf(id, sizeof(id), "%s-000000000042", sources_boot_id(s->sources));
    assert_string_equal(name.id, id);
}

/* A repeat must be the same, byte for byte. */
static void test_repeats_are_equal(void **state)
{
    static const struct profile *const profiles[] = {&profile_hello, &profile_event,
                                                     &profile_session};
    struct scene *s = *state;
    struct buf again = BUF_INIT(4096);

    for (size_t i = 0; i < ARRAY_SIZE(profiles); i++) {
        struct message message = {.sequence = 7, .source = 1, .time_us = 1763675881123456};
        play(s, profiles[i], &message);
        buf_reset(&again);
        message_encode(&message, profiles[i], s->sources, &s->data, &again);
        assert_string_equal(again.data, s->text.data);
    }
    buf_deinit(&again);
}

static void test_events(void **state)
{
    struct profile_gaps gaps = profile_event.gaps(&(struct profile_times){.period_ms = 200});
    bool seen[11] = {0};
    char first[128] = "";
    unsigned different = 0;

    assert_int_equal(gaps.min_ms, 200);
    assert_int_equal(gaps.max_ms, 200);
    for (uint64_t n = 1; n <= 1000; n++) {
        struct message message = {.sequence = n, .source = 1, .time_us = 1763675881123456};
        const cJSON *data = play(*state, &profile_event, &message);
        const char *text = string(data, "eventMessage");
        int criticality = (int)number(data, "criticality");
        assert_in_range(criticality, 0, 10);
        seen[criticality] = true;
        assert_string_equal(string(data, "timestamp"), "2025-11-20T21:58:01.123456Z");
        assert_true(strlen(text) > 10);
        assert_null(strchr(text, '#'));
        if (n == 1)
            snprintf(first, sizeof(first), "%s", text);
        different += strcmp(first, text) != 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(seen); i++)
        assert_true(seen[i]);
    assert_true(different > 500);
}

static void test_sessions(void **state)
{
    char last_id[128] = "";

    for (uint64_t n = 1; n <= 200; n++) {
        struct message message = {.sequence = n, .source = 1, .time_us = 1763675881123456};
        const cJSON *data = play(*state, &profile_session, &message);
        double kwh = number(data, "energy_delivered_in_kwh");
        double hours = number(data, "duration_in_seconds") / 3600;
        double euros = number(data, "session_cost_in_cents") / 100;
        assert_true(kwh >= 1.5 && kwh <= 80);
        assert_true(kwh / hours > 2 && kwh / hours < 150); /* kW */
        assert_true(euros / kwh > 0.35 && euros / kwh < 1);
        assert_int_equal((int64_t)number(data, "timestamp"), 1763675881);
        assert_string_not_equal(string(data, "session_id"), last_id);
        snprintf(last_id, sizeof(last_id), "%s", string(data, "session_id"));
    }
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_hello),  TEST(test_names),    TEST(test_repeats_are_equal),
        TEST(test_events), TEST(test_sessions),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
