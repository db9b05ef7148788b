#include <stdio.h>
#include <string.h>

#include "receiver/nodes/report.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define AT "\"time\":\"2026-11-20T21:38:01.123456Z\""

#define OF(project) "{\"node\":\"press.7\",\"session\":1," AT ",\"projects\":{\"x\":" project "}}"

#define LONG                                                                                       \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef0"

static struct node_text *parse(const char *payload)
{
    struct node_text *report = NULL;
    struct err e = {0};
    if (report_parse("press_7", payload, strlen(payload), &report, &e) < 0)
        fail_msg("%s", e.msg);
    return report;
}

static void test_what_is_known_of_it(void **state)
{
    (void)state;
    struct node_text *report = parse("{ \"node\" : \"press.7\", \"session\": 12, " AT
                                     ", \"engine\": null, \"projects\": {} }");
    assert_string_equal(report->name, "press.7");
    assert_int_equal(report->session, 12);
    assert_true(report->said_us == INT64_C(1795210681123456));
    assert_string_equal(report->json, "{\"node\":\"press.7\",\"session\":12," AT
                                      ",\"engine\":null,\"projects\":{}}");
    assert_int_equal(report->len, strlen(report->json));
    node_text_free(report);
}

static void test_what_is_refused(void **state)
{
    static const struct {
        const char *payload, *words;
    } cases[] = {
        {"", "JSON"},
        {"{", "JSON"},
        {"[]", "must be a JSON object"},
        {"{}", "/node is missing"},
        {"{\"node\":\"press.7\"}", "/session is missing"},
        {"{\"node\":7,\"session\":1}", "/node"},
        {"{\"node\":\"\",\"session\":1}", "/node must be a name"},
        {"{\"node\":\"press.8\",\"session\":1}", "the level 'press_8', not 'press_7'"},
        {"{\"node\":\"press.7\",\"session\":-1}", "/session"},
        {"{\"node\":\"press.7\",\"session\":1.5}", "/session"},
        {"{\"node\":\"press.7\",\"session\":1}", "/time must be a time"},
        {"{\"node\":\"press.7\",\"session\":1,\"time\":\"now\"}", "/time must be a time"},
        {"{\"node\":\"press.7\",\"session\":1," AT "}", "/projects is missing"},
        {"{\"node\":\"press.7\",\"session\":1," AT ",\"projects\":{\"x\":null}}",
         "/projects/x must be an object"},
        {"{\"node\":\"press.7\",\"session\":1," AT ",\"projects\":{\"x\":{}}}",
         "/projects/x/phase is missing"},
        {"{\"node\":\"press.7\",\"session\":1," AT
         ",\"projects\":{\"x\":{\"phase\":\"IDLE\",\"services\":{\"web\":[]}}}}",
         "/projects/x/services/web must be an object"},
        {OF("{\"phase\":\"IDLE\",\"services\":{\"web\":{\"replicas\":1}}}"),
         "/projects/x/services/web/replicas must be an object"},
        {OF("{\"phase\":\"IDLE\",\"services\":{\"web\":{\"containers\":[1]}}}"),
         "/projects/x/services/web/containers/0 must be an object"},
        {OF("{\"phase\":\"IDLE\",\"services\":{\"web\":{\"containers\":[{\"lastExit\":1}]}}}"),
         "/projects/x/services/web/lastExit must be an object"},
        {OF("{\"phase\":\"IDLE\",\"services\":{\"" LONG "\":{}}}"),
         "/projects/x/services has a name of 129 bytes"},
        {OF("{\"phase\":\"IDLE\",\"reason\":\"x\"}"), "/projects/x/reason must be an object"},
        {OF("{\"phase\":\"IDLE\",\"drift\":{}}"), "/projects/x/drift must be an array"},
        {OF("{\"phase\":\"IDLE\",\"ghosts\":{}}"), "/projects/x/ghosts must be an array"},
        {"{\"node\":\"press.7\",\"session\":1," AT ",\"groups\":7}", "/groups must be an array"},
        {"{\"node\":\"press.7\",\"session\":1," AT ",\"engine\":\"up\"}",
         "/engine must be an object"},
    };
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct node_text *report = NULL;
        struct err e = {0};
        assert_int_equal(
            report_parse("press_7", cases[i].payload, strlen(cases[i].payload), &report, &e),
            -EINVAL);
        assert_null(report);
        if (!strstr(e.msg, cases[i].words))
            fail_msg("%s: %s", cases[i].payload, e.msg);
    }
}

static uint64_t digest_of(const char *payload)
{
    struct node_text *report = parse(payload);
    uint64_t digest = report->digest;
    node_text_free(report);
    return digest;
}

static void test_times_and_disk_are_no_change(void **state)
{
    (void)state;
    uint64_t digest = digest_of("{\"node\":\"press.7\",\"session\":1," AT
                                ",\"disk\":{\"free\":1},\"projects\":{}}");
    assert_true(digest == digest_of("{\"node\":\"press.7\",\"session\":1,\"time\":"
                                    "\"2026-11-20T21:39:01Z\",\"disk\":{\"free\":2},"
                                    "\"projects\":{}}"));
    assert_true(digest != digest_of("{\"node\":\"press.7\",\"session\":2," AT
                                    ",\"disk\":{\"free\":1},\"projects\":{}}"));
}

static void test_what_is_settled(void **state)
{
    static const struct {
        const char *phase;
        bool is_settled;
    } cases[] = {
        {"IDENTIFYING", false}, {"REJECTED", true},   {"WAITING", false},
        {"DOWNLOADING", false}, {"UPDATING", false},  {"ACTIVATING", false},
        {"VERIFYING", false},   {"COMPLETED", true},  {"ROLLING_BACK", false},
        {"ROLLED_BACK", true},  {"INCOMPLETE", true}, {"STALLED", true},
        {"SUPERSEDED", true},
    };
    char payload[256];
    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        (void)snprintf(payload, sizeof(payload),
                       "{\"node\":\"press.7\",\"session\":1," AT
                       ",\"projects\":{\"line3\":{\"phase\":\"%s\"}}}",
                       cases[i].phase);
        struct node_text *report = parse(payload);
        if (report_is_settled(report, "line3") != cases[i].is_settled)
            fail_msg("%s", cases[i].phase);
        assert_true(report_is_settled(report, "another"));
        node_text_free(report);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_what_is_known_of_it),
        cmocka_unit_test(test_what_is_refused),
        cmocka_unit_test(test_times_and_disk_are_no_change),
        cmocka_unit_test(test_what_is_settled),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
