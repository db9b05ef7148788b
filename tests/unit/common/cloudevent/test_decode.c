#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/cloudevent/event.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define REQUIRED "\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\""
#define OURS(kind, data)                                                                           \
    "{\"specversion\":\"1.0\",\"type\":\"bellbuoy." kind ".v1\",\"source\":\"/s\",\"id\":\"1\","   \
    "\"data\":" data "}"
#define X64  "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"
#define X256 X64 X64 X64 X64

/* Parses and decodes; the tree, which the event borrows from, is the caller's. */
static int decode(const char *text, cJSON **ret_json, struct event *ret_event, struct err *e)
{
    *ret_json = NULL;
    int r = json_parse(text, strlen(text), JSON_MAX_DEPTH, ret_json, e);

    return r < 0 ? r : event_decode(*ret_json, ret_event, e);
}

static void test_all_attributes(void **state)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct event event;
    struct err e = {0};

    (void)state;
    assert_int_equal(
        decode("{\"specversion\":\"1.0\",\"type\":\"bellbuoy.event.v1\",\"source\":\"/machines/a\","
               "\"id\":\"b-000000000042\",\"subject\":\"pump\","
               "\"time\":\"2026-11-20T21:38:01.123456Z\",\"datacontenttype\":\"application/json\","
               "\"dataschema\":\"https://example.org/s\",\"bootid\":\"b\","
               "\"sequence\":\"000000000042\",\"traceparent\":\"00-x\",\"weight\":7,\"on\":true,"
               "\"data\":{\"criticality\":5,\"timestamp\":\"2026-11-20\",\"eventMessage\":\"m\"}}",
               &json, &event, &e),
        0);
    assert_string_equal(event.type, EVENT_TYPE_EVENT);
    assert_string_equal(event.source, "/machines/a");
    assert_string_equal(event.id, "b-000000000042");
    assert_string_equal(event.subject, "pump");
    assert_string_equal(event.bootid, "b");
    assert_true(event.sequence == 42);
    assert_true(event.time_us == INT64_C(1795210681123456));
    assert_true(event.criticality == 5);
    assert_true(event.data == json_member(json, "data"));
}

static void test_required_attributes_alone(void **state)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct event event;
    struct err e = {0};

    (void)state;
    assert_int_equal(decode("{" REQUIRED "}", &json, &event, &e), 0);
    assert_null(event.subject);
    assert_null(event.bootid);
    assert_null(event.data);
    assert_true(event.sequence == EVENT_NO_SEQUENCE);
    assert_true(event.time_us == EVENT_NO_TIME);
    assert_true(event.criticality == EVENT_NO_NUMBER);
}

static void test_taken(void **state)
{
    static const char *const cases[] = {
        /* null is unset */
        "{" REQUIRED ",\"time\":null,\"bootid\":null,\"sequence\":null,\"subject\":null}",
        "{" REQUIRED ",\"data_base64\":null,\"data\":1}",
        "{" REQUIRED ",\"data_base64\":\"aGVsbG8=\"}",
        "{" REQUIRED ",\"data\":null}",
        "{" REQUIRED ",\"data\":[1,2]}",
        "{" REQUIRED ",\"data\":\"text\",\"datacontenttype\":\"text/plain\"}",
        /* a clock that runs ahead is the producer's; nothing is corrected silently */
        "{" REQUIRED ",\"time\":\"2999-01-01T00:00:00Z\"}",
        "{" REQUIRED ",\"time\":\"1969-12-31T23:59:59.5+14:00\"}",
        "{" REQUIRED ",\"bootid\":\"" X64 "\"}",
        "{\"specversion\":\"1.0\",\"type\":\"" X256 "\",\"source\":\"" X256 X256 "\",\"id\":\"" X256
        "\"}",
        OURS("hello", "{\"text\":\"Hi\"}"),
        OURS("hello", "{\"text\":\"\",\"color\":null,\"next_in_ms\":4210,\"more\":[]}"),
        OURS("event", "{\"criticality\":-3,\"timestamp\":\"\",\"eventMessage\":\"\"}"),
        OURS("event",
             "{\"criticality\":9007199254740991,\"timestamp\":\"\",\"eventMessage\":\"\"}"),
        OURS("session", "{\"session_id\":\"s\",\"timestamp\":1763748000.5,"
                        "\"energy_delivered_in_kwh\":0,\"duration_in_seconds\":1e3,"
                        "\"session_cost_in_cents\":-1}"),
        OURS("raw", "17"),
        "{\"specversion\":\"1.0\",\"type\":\"bellbuoy.raw.v1\",\"source\":\"/s\",\"id\":\"1\"}",
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct event event;
        struct err e = {0};

        if (decode(cases[i], &json, &event, &e) < 0)
            fail_msg("%s: %s", cases[i], e.msg);
    }
}

struct refusal {
    const char *text;
    const char *named; /* is in the message */
};

static void check_refused(const struct refusal *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct event event = {.type = "untouched"};
        struct err e = {0};

        if (decode(cases[i].text, &json, &event, &e) != -EINVAL)
            fail_msg("%s was taken", cases[i].text);
        if (!strstr(e.msg, cases[i].named))
            fail_msg("%s: \"%s\" does not name %s", cases[i].text, e.msg, cases[i].named);
        assert_string_equal(event.type, "untouched");
    }
}

static void test_refused_attributes(void **state)
{
    static const struct refusal cases[] = {
        {"[]", "JSON object"},
        {"{}", "/specversion"},
        /* required attributes missing */
        {"{\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\"}", "/specversion"},
        {"{\"specversion\":\"1.0\",\"source\":\"/s\",\"id\":\"1\"}", "/type"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"id\":\"1\"}", "/source"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\"}", "/id"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":null}", "/id"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"ID\":\"1\"}", "/id"},
        /* wrong types */
        {"{\"specversion\":1.0,\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\"}", "/specversion"},
        {"{\"specversion\":\"1.0\",\"type\":1,\"source\":\"/s\",\"id\":\"1\"}", "/type"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":{},\"id\":\"1\"}", "/source"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":42}", "/id"},
        {"{" REQUIRED ",\"time\":1763748000}", "/time"},
        {"{" REQUIRED ",\"subject\":true}", "/subject"},
        {"{" REQUIRED ",\"bootid\":7}", "/bootid"},
        {"{" REQUIRED ",\"sequence\":42}", "/sequence"},
        {"{" REQUIRED ",\"datacontenttype\":[]}", "/datacontenttype"},
        {"{" REQUIRED ",\"dataschema\":7}", "/dataschema"},
        {"{" REQUIRED ",\"data_base64\":7}", "/data_base64"},
    };

    (void)state;
    check_refused(cases, ARRAY_SIZE(cases));
}

static void test_refused_values(void **state)
{
    static const struct refusal cases[] = {
        /* values */
        {"{\"specversion\":\"0.3\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\"}", "\"0.3\""},
        {"{\"specversion\":\"1.0\",\"type\":\"\",\"source\":\"/s\",\"id\":\"1\"}",
         "/type is empty"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"\",\"id\":\"1\"}",
         "/source is empty"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"\"}", "/id is empty"},
        {"{" REQUIRED ",\"time\":\"yesterday\"}", "\"yesterday\""},
        {"{" REQUIRED ",\"time\":\"2026-11-20 21:38\"}", "/time"},
        {"{" REQUIRED ",\"data\":1,\"data_base64\":\"AA==\"}", "/data_base64"},
        {"{" REQUIRED ",\"data\":null,\"data_base64\":\"AA==\"}", "/data_base64"},
        /* bounds */
        {"{\"specversion\":\"1.0\",\"type\":\"" X256 "x\",\"source\":\"/s\",\"id\":\"1\"}",
         "/type is 257 bytes"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"" X256 X256 "x\",\"id\":\"1\"}",
         "/source is 513 bytes"},
        {"{\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"" X256 "x\"}",
         "/id is 257 bytes"},
        {"{" REQUIRED ",\"bootid\":\"" X64 "x\"}", "/bootid is 65 bytes"},
        /* what json_parse refuses */
        {"{" REQUIRED ",\"data\":1e999}", ""},
        {"{" REQUIRED ",\"id\":\"2\"}", "id"},
        {"{" REQUIRED ",\"data\":{\"a\":1,\"b\":[{\"a\":1,\"a\":2}]}}", "a"},
    };

    (void)state;
    check_refused(cases, ARRAY_SIZE(cases));
}

/* Of our own types. */
static void test_refused_data(void **state)
{
    static const struct refusal cases[] = {
        {"{\"specversion\":\"1.0\",\"type\":\"bellbuoy.hello.v1\",\"source\":\"/s\",\"id\":\"1\"}",
         "/data"},
        {OURS("hello", "\"Hi\""), "/data"},
        {OURS("hello", "{}"), "/data/text"},
        {OURS("hello", "{\"text\":1}"), "/data/text"},
        {OURS("hello", "{\"text\":\"Hi\",\"color\":7}"), "/data/color"},
        {OURS("hello", "{\"text\":\"Hi\",\"next_in_ms\":\"soon\"}"), "/data/next_in_ms"},
        {OURS("event", "{\"timestamp\":\"\",\"eventMessage\":\"\"}"), "/data/criticality"},
        {OURS("event", "{\"criticality\":\"5\",\"timestamp\":\"\",\"eventMessage\":\"\"}"),
         "/data/criticality"},
        {OURS("event", "{\"criticality\":5.5,\"timestamp\":\"\",\"eventMessage\":\"\"}"),
         "/data/criticality"},
        {OURS("event", "{\"criticality\":1e300,\"timestamp\":\"\",\"eventMessage\":\"\"}"),
         "/data/criticality"},
        {OURS("event", "{\"criticality\":5,\"timestamp\":7,\"eventMessage\":\"\"}"),
         "/data/timestamp"},
        {OURS("event", "{\"criticality\":5,\"timestamp\":\"\"}"), "/data/eventMessage"},
        {OURS("session", "{\"session_id\":1}"), "/data/session_id"},
        {OURS("session", "{\"session_id\":\"s\",\"timestamp\":\"now\"}"), "/data/timestamp"},
        {OURS("session", "{\"session_id\":\"s\",\"timestamp\":1,\"energy_delivered_in_kwh\":1,"
                         "\"duration_in_seconds\":1}"),
         "/data/session_cost_in_cents"},
    };

    (void)state;
    check_refused(cases, ARRAY_SIZE(cases));
}

static void test_deep_nesting_is_bounded(void **state)
{
    enum { LEVELS = 100000 };
    static char text[2 * LEVELS + 256];
    size_t at = (size_t)snprintf(text, sizeof text, "{" REQUIRED ",\"data\":");
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct event event;
    struct err e = {0};

    (void)state;
    memset(text + at, '[', LEVELS);
    memset(text + at + LEVELS, ']', LEVELS);
    memcpy(text + at + 2 * LEVELS, "}", sizeof "}");
    assert_int_equal(decode(text, &json, &event, &e), -EINVAL);
}

static void test_sequence(void **state)
{
    static const struct {
        const char *text;
        uint64_t sequence;
    } cases[] = {
        {"0", 0},
        {"000000000042", 42},
        {"999999999999", 999999999999},
        {"922337203685477580", 922337203685477580},
        {"99999999999999999999999", EVENT_NO_SEQUENCE},
        {"18446744073709551615", EVENT_NO_SEQUENCE},
        {"-1", EVENT_NO_SEQUENCE},
        {"4 2", EVENT_NO_SEQUENCE},
        {"0x2a", EVENT_NO_SEQUENCE},
        {"01FZ8V", EVENT_NO_SEQUENCE},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct event event;
        struct err e = {0};
        char text[256];

        snprintf(text, sizeof text, "{" REQUIRED ",\"sequence\":\"%s\"}", cases[i].text);
        assert_int_equal(decode(text, &json, &event, &e), 0);
        if (event.sequence != cases[i].sequence)
            fail_msg("%s gave %" PRIu64, cases[i].text, event.sequence);
    }
}

static void test_criticality_of_any_type(void **state)
{
    static const struct {
        const char *data;
        int64_t criticality;
    } cases[] = {
        {"{\"criticality\":7}", 7},
        {"{\"criticality\":-7.0}", -7},
        {"{\"criticality\":7.5}", EVENT_NO_NUMBER},
        {"{\"criticality\":1e300}", EVENT_NO_NUMBER},
        {"{\"criticality\":9007199254740991}", INT64_C(9007199254740991)},
        {"{\"criticality\":9007199254740993}", EVENT_NO_NUMBER},
        {"{\"criticality\":\"7\"}", EVENT_NO_NUMBER},
        {"{\"Criticality\":7}", EVENT_NO_NUMBER},
        {"[7]", EVENT_NO_NUMBER},
        {"7", EVENT_NO_NUMBER},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct event event;
        struct err e = {0};
        char text[256];

        snprintf(text, sizeof text, "{" REQUIRED ",\"data\":%s}", cases[i].data);
        assert_int_equal(decode(text, &json, &event, &e), 0);
        if (event.criticality != cases[i].criticality)
            fail_msg("%s gave %" PRId64, cases[i].data, event.criticality);
    }
    assert_true(event_criticality(NULL) == EVENT_NO_NUMBER);
}

static void test_what_claims_to_be_a_cloudevent(void **state)
{
    static const struct {
        const char *text;
        bool claims;
    } cases[] = {
        {"{\"specversion\":null}", true},       {"{\"specversion\":\"9\"}", true},
        {"{\"SpecVersion\":\"1.0\"}", false},   {"{}", false},
        {"[{\"specversion\":\"1.0\"}]", false}, {"\"specversion\"", false},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct err e = {0};

        assert_int_equal(
            json_parse(cases[i].text, strlen(cases[i].text), JSON_MAX_DEPTH, &json, &e), 0);
        if (event_is_cloudevent(json) != cases[i].claims)
            fail_msg("%s", cases[i].text);
    }
}

static void test_type_of_payload(void **state)
{
    static const struct {
        const char *text, *type;
    } cases[] = {
        {"{\"criticality\":3,\"timestamp\":\"2026-11-20T21:38:01Z\",\"eventMessage\":\"m\"}",
         EVENT_TYPE_EVENT},
        {"{\"criticality\":\"3\",\"timestamp\":\"2026\",\"eventMessage\":\"m\"}", EVENT_TYPE_RAW},
        {"{\"session_id\":\"s\",\"timestamp\":1,\"energy_delivered_in_kwh\":1.5,"
         "\"duration_in_seconds\":2,\"session_cost_in_cents\":3,\"more\":1}",
         EVENT_TYPE_SESSION},
        {"{\"text\":\"Hello world\",\"color\":\"#2f81f7\"}", EVENT_TYPE_RAW},
        {"{}", EVENT_TYPE_RAW},
        {"[]", EVENT_TYPE_RAW},
        {"null", EVENT_TYPE_RAW},
        {"\"criticality\"", EVENT_TYPE_RAW},
    };

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        AUTO(cJSON_Delete) cJSON *json = NULL;
        struct err e = {0};

        assert_int_equal(
            json_parse(cases[i].text, strlen(cases[i].text), JSON_MAX_DEPTH, &json, &e), 0);
        assert_string_equal(event_type_of_payload(json), cases[i].type);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_attributes),
        cmocka_unit_test(test_required_attributes_alone),
        cmocka_unit_test(test_taken),
        cmocka_unit_test(test_refused_attributes),
        cmocka_unit_test(test_refused_values),
        cmocka_unit_test(test_refused_data),
        cmocka_unit_test(test_deep_nesting_is_bounded),
        cmocka_unit_test(test_sequence),
        cmocka_unit_test(test_criticality_of_any_type),
        cmocka_unit_test(test_what_claims_to_be_a_cloudevent),
        cmocka_unit_test(test_type_of_payload),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
