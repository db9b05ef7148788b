#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"
#include "receiver/nodes/registry.h"
#include "tests/unit/receiver/journal/fixture.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define AT "\"time\":\"2026-11-20T21:38:01Z\""

struct site {
    struct fixture journal;
    struct metrics *metrics;
    struct registry_settings settings;
    struct registry *registry;
    unsigned changes; /* told of */
};

static void on_change(void *context)
{
    ((struct site *)context)->changes++;
}

static void open_registry(struct site *s)
{
    struct journal_reader *reader = fixture_reader(&s->journal);
    struct err e = {0};
    metrics_free(s->metrics);
    assert_int_equal(metrics_new(&s->metrics), 0);
    s->settings.metrics = s->metrics;
    assert_int_equal(registry_new(&s->settings, &s->registry), 0);
    registry_on_change(s->registry, on_change, s);
    if (registry_open(s->registry, reader, &e) < 0)
        fail_msg("%s", e.msg);
    journal_reader_close(reader);
}

static int setup(void **state)
{
    struct site *s = calloc(1, sizeof(*s));
    assert_non_null(s);
    fixture_init(&s->journal);
    fixture_open(&s->journal);
    s->settings = (struct registry_settings){.max_nodes = 4,
                                             .max_bytes = 1 << 20,
                                             .max_payload_bytes = 1000,
                                             .random = &s->journal.random};
    open_registry(s);
    *state = s;
    return 0;
}

static int teardown(void **state)
{
    struct site *s = *state;
    registry_free(s->registry);
    metrics_free(s->metrics);
    fixture_deinit(&s->journal);
    free(s);
    return 0;
}

static int take_raw(struct site *s, enum node_kind kind, const char *level, const char *payload,
                    struct err *e)
{
    struct registry_message m = {.topic = {.kind = kind},
                                 .payload = payload,
                                 .size = strlen(payload),
                                 .now_us = s->journal.now_us};
    (void)snprintf(m.topic.level, sizeof(m.topic.level), "%s", level);
    return registry_take(s->registry, &m, e);
}

static void take(struct site *s, enum node_kind kind, const char *level, const char *payload)
{
    struct err e = {0};
    if (take_raw(s, kind, level, payload, &e) < 0)
        fail_msg("%s", e.msg);
}

static void report(struct site *s, const char *level, int session, const char *note)
{
    char payload[512];
    (void)snprintf(payload, sizeof(payload),
                   "{\"node\":\"%s\",\"session\":%d," AT ",\"note\":\"%s\",\"projects\":"
                   "{\"line3\":{\"phase\":\"UPDATING\"}}}",
                   level, session, note);
    take(s, NODE_REPORT, level, payload);
}

static void presence(struct site *s, const char *level, int session, bool is_online)
{
    char payload[256];
    (void)snprintf(payload, sizeof(payload), "{\"node\":\"%s\",\"session\":%d,\"online\":%s}",
                   level, session, is_online ? "true" : "false");
    take(s, NODE_PRESENCE, level, payload);
}

static void progress(struct site *s, const char *level, int session, const char *project)
{
    char payload[256];
    (void)snprintf(payload, sizeof(payload), "{\"node\":\"%s\",\"session\":%d,\"project\":\"%s\"}",
                   level, session, project);
    take(s, NODE_PROGRESS, level, payload);
}

static void commit(struct site *s)
{
    struct err e = {0};
    if (registry_commit(s->registry, s->journal.journal, false, &e) < 0)
        fail_msg("%s", e.msg);
}

/* What is shown of each: "level session state note projects of progress", by level. */
static int describe(void *context, const struct registry_item *item)
{
    char *text = context;
    size_t len = strlen(text);
    AUTO(cJSON_Delete) cJSON *json = cJSON_ParseWithLength(item->json, item->len);
    assert_non_null(json);
    const cJSON *note = cJSON_GetObjectItem(cJSON_GetObjectItem(json, "report"), "note");
    len += (size_t)snprintf(text + len, 1024 - len, "%s %d %s %s", item->level,
                            (int)cJSON_GetObjectItem(json, "session")->valuedouble,
                            cJSON_GetObjectItem(json, "state")->valuestring,
                            note ? note->valuestring : "-");
    const cJSON *one;
    cJSON_ArrayForEach(one, cJSON_GetObjectItem(json, "progress"))
    {
        len += (size_t)snprintf(text + len, 1024 - len, " %s",
                                cJSON_GetObjectItem(one, "project")->valuestring);
    }
    (void)snprintf(text + len, 1024 - len, "\n");
    return 0;
}

static void expect(struct site *s, const char *wanted)
{
    char text[1024] = "";
    assert_int_equal(registry_each(s->registry, "", describe, text), 0);
    assert_string_equal(text, wanted);
}

static void expect_changes(struct site *s, uint64_t after, const char *wanted)
{
    char text[1024] = "";
    assert_int_equal(registry_each_change(s->registry, after, describe, text), 0);
    assert_string_equal(text, wanted);
}

static void test_nothing_is_shown_before_it_is_durable(void **state)
{
    struct site *s = *state;
    report(s, "b", 1, "one");
    presence(s, "a", 2, true);
    expect(s, "");
    assert_true(registry_taken_bytes(s->registry) > 0);
    commit(s);
    assert_int_equal(registry_taken_bytes(s->registry), 0);
    expect(s, "a 2 online -\nb 1 unknown one\n");
    assert_true(s->changes > 0);
}

static void test_a_batch_that_is_dropped_leaves_nothing(void **state)
{
    struct site *s = *state;
    report(s, "a", 1, "one");
    commit(s);
    report(s, "a", 5, "two");
    presence(s, "a", 5, true);
    report(s, "new", 1, "one");
    registry_drop(s->registry);
    expect(s, "a 1 unknown one\n");
    /* The session that was dropped with it is not known either. */
    presence(s, "a", 2, false);
    commit(s);
    expect(s, "a 2 offline one\n");
}

static void test_a_batch_that_cannot_be_stored_leaves_nothing(void **state)
{
    struct site *s = *state;
    struct err e = {0};
    report(s, "a", 1, "one");
    fixture_close(&s->journal);
    const struct journal_settings settings = {
        .dir = s->journal.dir, .clock = &s->journal.clock, .random = &s->journal.random};
    assert_int_equal(journal_new(&settings, &s->journal.journal, NULL), 0);
    assert_int_equal(registry_commit(s->registry, s->journal.journal, false, &e), -EAGAIN);
    expect(s, "");
    fixture_reopen(&s->journal);
    report(s, "a", 1, "one");
    commit(s);
    expect(s, "a 1 unknown one\n");
}

static void test_the_last_of_a_batch_counts(void **state)
{
    struct site *s = *state;
    report(s, "a", 1, "one");
    report(s, "a", 1, "two");
    presence(s, "a", 1, false);
    presence(s, "a", 1, true);
    commit(s);
    expect(s, "a 1 online two\n");
}

static void test_what_comes_late_changes_nothing(void **state)
{
    struct site *s = *state;
    presence(s, "a", 7, true);
    presence(s, "a", 6, false);
    report(s, "a", 6, "late");
    commit(s);
    expect(s, "a 7 online -\n");
    uint64_t version = registry_last(s->registry).seq;
    presence(s, "a", 6, false);
    progress(s, "a", 6, "line3");
    commit(s);
    assert_true(registry_last(s->registry).seq == version);
}

static void test_a_higher_session_ends_presence_and_progress(void **state)
{
    struct site *s = *state;
    presence(s, "a", 1, true);
    report(s, "a", 1, "one");
    commit(s);
    progress(s, "a", 1, "line3");
    expect(s, "a 1 online one line3\n");
    report(s, "a", 2, "two");
    commit(s);
    expect(s, "a 2 unknown two\n");
}

static void test_progress_is_one_of_each_project(void **state)
{
    struct site *s = *state;
    char project[16];
    unsigned spaces = 0;
    char text[1024] = "";
    presence(s, "a", 1, true);
    commit(s);
    for (int i = 0; i < 40; i++) {
        (void)snprintf(project, sizeof(project), "p%d", i / 2);
        progress(s, "a", 1, project);
    }
    assert_int_equal(registry_each(s->registry, "", describe, text), 0);
    for (const char *at = text; *at; at++)
        spaces += *at == ' ';
    assert_int_equal(spaces, 3 + 16);
    progress(s, "unheard-of", 1, "line3");
    report(s, "a", 1, "one");
    commit(s);
    expect(s, "a 1 online one\n");
}

static void test_there_is_room_for_so_many(void **state)
{
    struct site *s = *state;
    struct err e = {0};
    for (char level[] = "a"; level[0] < 'e'; level[0]++)
        report(s, level, 1, "x");
    assert_int_equal(
        take_raw(s, NODE_PRESENCE, "e", "{\"node\":\"e\",\"session\":1,\"online\":true}", &e),
        -EINVAL);
    assert_non_null(strstr(e.msg, "no room for another node: 4 are known"));
    commit(s);
    take(s, NODE_REPORT, "b", "");
    commit(s);
    report(s, "e", 1, "x");
    commit(s);
    expect(s, "a 1 unknown x\nc 1 unknown x\nd 1 unknown x\ne 1 unknown x\n");
}

static void test_changes_come_once_and_in_their_order(void **state)
{
    struct site *s = *state;
    for (char level[] = "a"; level[0] < 'd'; level[0]++) {
        report(s, level, 1, "x");
        commit(s);
    }
    struct cursor place = registry_last(s->registry);
    expect_changes(s, 0, "a 1 unknown x\nb 1 unknown x\nc 1 unknown x\n");
    expect_changes(s, place.seq, "");
    report(s, "b", 1, "y");
    commit(s);
    report(s, "b", 1, "z");
    commit(s);
    progress(s, "a", 1, "line3");
    expect_changes(s, place.seq, "b 1 unknown z\na 1 unknown x line3\n");
    expect_changes(s, 1, "c 1 unknown x\nb 1 unknown z\na 1 unknown x line3\n");
    /* Whoever follows begins anew when one is gone. */
    take(s, NODE_REPORT, "c", "");
    commit(s);
    assert_true(registry_last(s->registry).epoch != place.epoch);
    expect_changes(s, 0, "b 1 unknown z\na 1 unknown x line3\n");
}

static void test_a_new_run_knows_what_was_stored(void **state)
{
    struct site *s = *state;
    const struct journal_node bad = {"bad", {"{}", 2, 1}, {0}};
    report(s, "b", 3, "one");
    presence(s, "b", 3, false);
    presence(s, "a", 1, true);
    commit(s);
    progress(s, "b", 3, "line3");
    assert_int_equal(journal_put_nodes(s->journal.journal, &bad, 1, NULL), 0);
    registry_free(TAKE(s->registry));
    open_registry(s);
    expect(s, "a 1 online -\nb 3 offline one\n");
    expect_changes(s, 0, "a 1 online -\nb 3 offline one\n");
    presence(s, "b", 2, true);
    commit(s);
    expect(s, "a 1 online -\nb 3 offline one\n");
}

static void test_rows_that_do_not_change_are_not_written(void **state)
{
    struct site *s = *state;
    struct err e = {0};
    report(s, "a", 1, "one");
    commit(s);
    /* Without a journal that can be written a commit succeeds only where nothing is to be. */
    fixture_close(&s->journal);
    const struct journal_settings settings = {
        .dir = s->journal.dir, .clock = &s->journal.clock, .random = &s->journal.random};
    assert_int_equal(journal_new(&settings, &s->journal.journal, NULL), 0);
    s->journal.now_us += INT64_C(599) * 1000000;
    report(s, "a", 1, "one");
    commit(s);
    s->journal.now_us += INT64_C(2) * 1000000;
    report(s, "a", 1, "one");
    assert_int_equal(registry_commit(s->registry, s->journal.journal, false, &e), -EAGAIN);
    assert_int_equal(registry_commit(s->registry, s->journal.journal, true, &e), -EAGAIN);
}

static int stop_at_once(void *context, const struct registry_item *item)
{
    (void)item;
    return ++*(int *)context;
}

static void test_who_asks_may_stop(void **state)
{
    struct site *s = *state;
    int asked = 0;
    report(s, "a", 1, "x");
    report(s, "b", 1, "x");
    commit(s);
    assert_int_equal(registry_each(s->registry, "a", stop_at_once, &asked), 1);
    assert_int_equal(registry_each_change(s->registry, 0, stop_at_once, &asked), 1);
    assert_int_equal(asked, 2);
    assert_int_equal(registry_each(s->registry, "b", stop_at_once, &asked), 0);
    assert_int_equal(registry_find(s->registry, "c", stop_at_once, &asked), -ENOENT);
    assert_int_equal(asked, 2);
    assert_int_equal(registry_find(s->registry, "b", stop_at_once, &asked), 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(test_nothing_is_shown_before_it_is_durable),
        TEST(test_a_batch_that_is_dropped_leaves_nothing),
        TEST(test_a_batch_that_cannot_be_stored_leaves_nothing),
        TEST(test_the_last_of_a_batch_counts),
        TEST(test_what_comes_late_changes_nothing),
        TEST(test_a_higher_session_ends_presence_and_progress),
        TEST(test_progress_is_one_of_each_project),
        TEST(test_there_is_room_for_so_many),
        TEST(test_changes_come_once_and_in_their_order),
        TEST(test_a_new_run_knows_what_was_stored),
        TEST(test_rows_that_do_not_change_are_not_written),
        TEST(test_who_asks_may_stop),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
