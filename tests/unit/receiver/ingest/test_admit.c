#include "receiver/ingest/admit.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/json.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define RECORDED_US INT64_C(1795210681123456) /* 2026-11-20T21:38:01.123456Z */
#define MAX_BYTES   1024

#define HELLO_DATA "{\"text\":\"Hello world\",\"color\":\"#2f81f7\",\"next_in_ms\":4210}"
#define HELLO_REST                                                                                 \
    "\"type\":\"bellbuoy.hello.v1\",\"source\":\"/machines/press-7\","                             \
    "\"id\":\"5b0e9d6f41c27a83-000000000042\",\"time\":\"2026-11-20T21:38:01.123456Z\","           \
    "\"datacontenttype\":\"application/json\",\"bootid\":\"5b0e9d6f41c27a83\","                    \
    "\"sequence\":\"000000000042\",\"data\":" HELLO_DATA "}"
#define HELLO "{\"specversion\":\"1.0\"," HELLO_REST

#define REQUIRED "\"specversion\":\"1.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\""

static uint64_t draw(void *context)
{
    (void)context;
    return 0x00c0ffee12345678;
}

static const struct random_source fixed_random = {draw, NULL};

struct bench {
    struct admitter *admitter;
    struct batch batch;
};

static int setup(void **state)
{
    struct bench *b = calloc(1, sizeof *b);

    assert_non_null(b);
    assert_int_equal(admitter_new(MAX_BYTES, &fixed_random, &b->admitter), 0);
    batch_init(&b->batch, 1 << 20);
    *state = b;
    return 0;
}

static int teardown(void **state)
{
    struct bench *b = *state;

    admitter_free(b->admitter);
    batch_deinit(&b->batch);
    free(b);
    return 0;
}

/* The last entry, after the message was admitted by `topic`. */
static const struct batch_entry *admit_n(struct bench *b, const char *topic, const void *payload,
                                         size_t size)
{
    size_t before = b->batch.count;
    /* Exactly as long as the message, so that a sanitizer sees a read behind it. */
    char *copy = malloc(size ? size : 1);

    assert_non_null(copy);
    memcpy(copy, payload, size);
    admit(b->admitter, topic, copy, size, RECORDED_US, &b->batch);
    free(copy);
    assert_false(batch_failed(&b->batch));
    assert_int_equal(b->batch.count, before + 1);
    assert_true(b->batch.entries[before].recorded_us == RECORDED_US);
    return &b->batch.entries[before];
}

static const struct batch_entry *admit_text(struct bench *b, const char *text)
{
    return admit_n(b, "plant/line3", text, strlen(text));
}

static void assert_text(const struct bench *b, struct batch_text text, const char *expected)
{
    assert_string_equal(batch_in(&b->batch, text), expected);
    assert_int_equal(text.len, strlen(expected));
}

static void assert_data(const struct bench *b, const struct batch_entry *entry,
                        const char *expected)
{
    assert_int_equal(entry->data.len, strlen(expected));
    assert_memory_equal(batch_in(&b->batch, entry->data), expected, entry->data.len);
    assert_true(entry->data.len == 0 ||
                (entry->data.at > entry->json.at &&
                 entry->data.at + entry->data.len < entry->json.at + entry->json.len));
}

/* ---- events ---- */

static void test_event_is_kept_as_it_came(void **state)
{
    struct bench *b = *state;
    const struct batch_entry *entry =
        admit_n(b, "bellbuoy/events/press-7/hello", HELLO, strlen(HELLO));

    assert_false(entry->quarantine);
    assert_false(entry->dedupe_none);
    assert_text(b, entry->json, HELLO);
    assert_data(b, entry, HELLO_DATA);
    assert_text(b, entry->topic, "bellbuoy/events/press-7/hello");
    assert_text(b, entry->type, "bellbuoy.hello.v1");
    assert_text(b, entry->source, "/machines/press-7");
    assert_text(b, entry->id, "5b0e9d6f41c27a83-000000000042");
    assert_text(b, entry->color, "#2f81f7");
    assert_true(entry->has_bootid);
    assert_text(b, entry->bootid, "5b0e9d6f41c27a83");
    assert_true(entry->has_sequence);
    assert_true(entry->sequence == 42);
    assert_true(entry->time_us == RECORDED_US);
    assert_true(entry->criticality == EVENT_NO_NUMBER);
    assert_int_equal(entry->reason.len, 0);
    assert_int_equal(entry->outcome, BATCH_PENDING);
}

static void test_event_with_required_attributes_alone(void **state)
{
    struct bench *b = *state;
    const struct batch_entry *entry = admit_text(b, "{" REQUIRED "}");

    assert_false(entry->quarantine);
    assert_text(b, entry->json, "{" REQUIRED "}");
    assert_int_equal(entry->data.len, 0);
    assert_int_equal(entry->color.len, 0);
    assert_false(entry->has_bootid);
    assert_false(entry->has_sequence);
    assert_true(entry->time_us == EVENT_NO_TIME);
}

static void test_event_text(void **state)
{
    static const struct {
        const char *text, *json, *data;
    } cases[] = {
        /* white space goes, what is in strings and numbers stays */
        {" {\r\n " REQUIRED " ,\n\t\"data\" : { \"a b\" : [ 1.50 , 1e2 ] } }\n",
         "{" REQUIRED ",\"data\":{\"a b\":[1.50,1e2]}}", "{\"a b\":[1.50,1e2]}"},
        {"{" REQUIRED ",\"data\":12345678901234567890.000}",
         "{" REQUIRED ",\"data\":12345678901234567890.000}", "12345678901234567890.000"},
        {"{" REQUIRED ",\"data\":\"\\u00e4\\/ \xc3\xa4\\n\"}",
         "{" REQUIRED ",\"data\":\"\\u00e4\\/ \xc3\xa4\\n\"}", "\"\\u00e4\\/ \xc3\xa4\\n\""},
        /* the receiver's attributes are the receiver's; others' of that name deeper down stay */
        {"{\"cursor\":\"x-1\"," REQUIRED ",\"recordedtime\":1,\"intervalms\":[{},\"}\"],"
         "\"late\":true,\"data\":{\"late\":1},\"dedupe\":\"none\"}",
         "{" REQUIRED ",\"data\":{\"late\":1}}", "{\"late\":1}"},
        {"{\"\\u006cate\":true," REQUIRED ",\"d\\u0061ta\":7}", "{" REQUIRED ",\"d\\u0061ta\":7}",
         "7"},
        {"{" REQUIRED ",\"data\":null}", "{" REQUIRED ",\"data\":null}", "null"},
        {"{" REQUIRED ",\"data_base64\":\"AA==\"}", "{" REQUIRED ",\"data_base64\":\"AA==\"}", ""},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct batch_entry *entry = admit_text(b, cases[i].text);

        assert_false(entry->quarantine);
        assert_text(b, entry->json, cases[i].json);
        assert_data(b, entry, cases[i].data);
    }
}

/* A producer's clock that runs ahead is shown as it is, never corrected silently. */
static void test_future_time_is_kept(void **state)
{
    struct bench *b = *state;
    const struct batch_entry *entry =
        admit_text(b, "{" REQUIRED ",\"time\":\"2999-01-01T00:00:00Z\"}");

    assert_false(entry->quarantine);
    assert_true(entry->time_us == INT64_C(32472144000000000));
    assert_text(b, entry->json, "{" REQUIRED ",\"time\":\"2999-01-01T00:00:00Z\"}");
}

static void test_criticality_and_color(void **state)
{
    struct bench *b = *state;

    assert_true(admit_text(b, "{" REQUIRED ",\"data\":{\"criticality\":7}}")->criticality == 7);
    assert_true(admit_text(b, "{\"criticality\":8}")->criticality == 8);
    assert_true(admit_text(b, "{\"criticality\":8.5}")->criticality == EVENT_NO_NUMBER);
    /* the colour of a hello only, and only one that is a colour */
    assert_int_equal(admit_text(b, "{" REQUIRED ",\"data\":{\"color\":\"#2f81f7\"}}")->color.len,
                     0);
    assert_int_equal(
        admit_text(b, "{\"specversion\":\"1.0\",\"type\":\"bellbuoy.hello.v1\",\"source\":\"/s\","
                      "\"id\":\"1\",\"data\":{\"text\":\"\",\"color\":\"url(x)\"}}")
            ->color.len,
        0);
}

/* ---- raw messages ---- */

static void test_raw_is_wrapped(void **state)
{
    struct bench *b = *state;
    const struct batch_entry *entry = admit_text(b, " { \"temp\" : 21.50 } ");

    assert_false(entry->quarantine);
    assert_true(entry->dedupe_none);
    assert_text(b, entry->json,
                "{\"specversion\":\"1.0\",\"type\":\"bellbuoy.raw.v1\","
                "\"source\":\"/topics/plant/line3\",\"id\":\"00c0ffee12345678-000000000001\","
                "\"time\":\"2026-11-20T21:38:01.123456Z\",\"datacontenttype\":\"application/json\","
                "\"data\":{\"temp\":21.50}}");
    assert_data(b, entry, "{\"temp\":21.50}");
    assert_text(b, entry->topic, "plant/line3");
    assert_text(b, entry->type, "bellbuoy.raw.v1");
    assert_text(b, entry->source, "/topics/plant/line3");
    assert_text(b, entry->id, "00c0ffee12345678-000000000001");
    assert_true(entry->time_us == RECORDED_US);
    assert_false(entry->has_bootid);
    assert_false(entry->has_sequence);
    assert_text(b, admit_text(b, "{\"temp\":21.50}")->id, "00c0ffee12345678-000000000002");
}

static void test_raw_type_is_told_by_shape(void **state)
{
    static const struct {
        const char *text, *type;
    } cases[] = {
        {"{\"criticality\":3,\"timestamp\":\"2026-11-20T21:38:01Z\",\"eventMessage\":\"m\"}",
         "bellbuoy.event.v1"},
        {"{\"session_id\":\"s\",\"timestamp\":1,\"energy_delivered_in_kwh\":1.5,"
         "\"duration_in_seconds\":2,\"session_cost_in_cents\":3}",
         "bellbuoy.session.v1"},
        {"17", "bellbuoy.raw.v1"},
        {"\"Hello world\"", "bellbuoy.raw.v1"},
        {"null", "bellbuoy.raw.v1"},
        {"[{\"specversion\":\"1.0\"}]", "bellbuoy.raw.v1"},
        {"{\"SpecVersion\":\"1.0\"}", "bellbuoy.raw.v1"},
    };
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct batch_entry *entry = admit_text(b, cases[i].text);

        assert_false(entry->quarantine);
        assert_text(b, entry->type, cases[i].type);
        assert_data(b, entry, cases[i].text);
    }
}

/* Whatever stands in a topic, the wrapped event is JSON and says the same source. */
static void test_raw_source_is_escaped(void **state)
{
    static const char topic[] = "a\"b\\c\x01/\xc3\xa4";
    struct bench *b = *state;
    const struct batch_entry *entry = admit_n(b, topic, "1", 1);
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct event event;
    struct err e = {0};

    assert_false(entry->quarantine);
    assert_int_equal(
        json_parse(batch_in(&b->batch, entry->json), entry->json.len, JSON_MAX_DEPTH, &json, &e),
        0);
    assert_int_equal(event_decode(json, &event, &e), 0);
    assert_string_equal(event.source, "/topics/a\"b\\c\x01/\xc3\xa4");
    assert_text(b, entry->source, event.source);
}

static void test_longest_topic(void **state)
{
    char topic[EVENT_SOURCE_MAX + 1] = "", payload[MAX_BYTES];
    struct bench *b = *state;

    memset(topic, '\x01', EVENT_SOURCE_MAX - strlen("/topics/")); /* the longest when escaped */
    memset(payload, '7', sizeof payload);
    payload[0] = payload[sizeof payload - 1] = '"';
    assert_false(admit_n(b, topic, payload, sizeof payload)->quarantine);
    topic[strlen(topic)] = 'x';
    assert_true(admit_n(b, topic, "1", 1)->quarantine);
}

/* ---- quarantine ---- */

static void test_quarantine(void **state)
{
    static const struct {
        const char *payload;
        size_t size;
        const char *reason; /* is in it */
    } cases[] = {
#define TEXT(text) text, sizeof(text) - 1
        {TEXT(""), "the payload is empty"},
        {TEXT(" "), "not JSON"},
        {TEXT("Hello world"), "not JSON at byte 0"},
        {TEXT("{\"a\":1"), "not JSON"},
        {TEXT("{\"a\":1}x"), "not JSON at byte 7"},
        {TEXT("{\"a\":1,\"a\":2}"), "/a is there twice"},
        {TEXT("[{\"a\":{\"b\":1,\"b\":2}}]"), "/0/a/b"},
        {TEXT("\"\xff\""), "UTF-8"},
        {TEXT("\"\xc0\xaf\""), "UTF-8"},
        {TEXT("\"\xed\xa0\x80\""), "UTF-8"},
        {TEXT("\xef\xbb\xbf{}"), "byte order mark"},
        {TEXT("{}\0"), "not JSON"},
        {TEXT("\"a\0b\""), "NUL"},
        {TEXT("\"a\\u0000b\""), "u0000"},
        {TEXT("\"\\ud800\""), "surrogate"},
        {TEXT("\"a\nb\""), "control character"}, /* would end a line of a stream */
        {TEXT("\"a\rb\""), "control character"},
        {TEXT("1e999"), "double"},
        {TEXT("{\"a\":-1e999}"), "double"},
        {TEXT("01"), "not JSON"},
        {TEXT("1."), "not JSON"},
        {TEXT("+1"), "not JSON"},
        {TEXT("NaN"), "not JSON"},
        {TEXT("{'a':1}"), "not JSON"},
        {TEXT("{\"specversion\":\"1.0\"}"), "not a valid CloudEvent: /type"},
        {TEXT("{\"specversion\":\"2.0\",\"type\":\"t\",\"source\":\"/s\",\"id\":\"1\"}"),
         "not a valid CloudEvent: /specversion"},
        {TEXT("{" REQUIRED ",\"time\":\"yesterday\"}"), "yesterday"},
        {TEXT("{" REQUIRED ",\"data\":1,\"data_base64\":\"AA==\"}"), "/data_base64"},
        {TEXT("{\"specversion\":\"1.0\",\"type\":\"bellbuoy.event.v1\",\"source\":\"/s\","
              "\"id\":\"1\",\"data\":{\"criticality\":\"high\"}}"),
         "/data/criticality"},
#undef TEXT
    };
    struct bench *b = *state;

    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        const struct batch_entry *entry =
            admit_n(b, "plant/line3", cases[i].payload, cases[i].size);
        const char *reason = batch_in(&b->batch, entry->reason);

        if (!entry->quarantine)
            fail_msg("%s was taken", cases[i].payload);
        if (!strstr(reason, cases[i].reason))
            fail_msg("%s: \"%s\" does not say %s", cases[i].payload, reason, cases[i].reason);
        assert_text(b, entry->topic, "plant/line3");
        assert_int_equal(entry->json.len, cases[i].size);
        assert_memory_equal(batch_in(&b->batch, entry->json), cases[i].payload, cases[i].size);
        assert_int_equal(entry->data.len, 0);
    }
}

static void test_no_payload(void **state)
{
    struct bench *b = *state;

    admit(b->admitter, "t", NULL, 0, RECORDED_US, &b->batch);
    assert_false(batch_failed(&b->batch));
    assert_true(b->batch.entries[0].quarantine);
}

static void test_large_payload(void **state)
{
    static char payload[3 * MAX_BYTES];
    struct bench *b = *state;
    const struct batch_entry *entry;

    memset(payload, 'x', sizeof payload);
    payload[0] = payload[MAX_BYTES - 1] = '"';
    assert_false(admit_n(b, "t", payload, MAX_BYTES)->quarantine);

    payload[MAX_BYTES - 1] = 'x';
    payload[MAX_BYTES] = '"';
    entry = admit_n(b, "t", payload, MAX_BYTES + 1);
    assert_true(entry->quarantine);
    assert_text(b, entry->reason, "the payload is 1025 bytes long, at most 1024 are taken");
    assert_int_equal(entry->json.len, MAX_BYTES);
    assert_memory_equal(batch_in(&b->batch, entry->json), payload, MAX_BYTES);

    assert_int_equal(admit_n(b, "t", payload, sizeof payload)->json.len, MAX_BYTES);
}

/* As deep as leaves room for the object around it. */
static void test_nesting(void **state)
{
    enum { DEPTH = JSON_MAX_DEPTH - 1 };
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct bench *b = *state;
    const struct batch_entry *entry;
    char payload[2 * (DEPTH + 1)];
    struct err e;

    memset(payload, '[', DEPTH);
    memset(payload + DEPTH, ']', DEPTH);
    entry = admit_n(b, "t", payload, 2 * (size_t)DEPTH);
    assert_false(entry->quarantine);
    assert_int_equal(
        json_parse(batch_in(&b->batch, entry->json), entry->json.len, JSON_MAX_DEPTH, &json, &e),
        0);
    memset(payload, '[', DEPTH + 1);
    memset(payload + DEPTH + 1, ']', DEPTH + 1);
    assert_true(admit_n(b, "t", payload, sizeof payload)->quarantine);
    memset(payload, '[', sizeof payload);
    assert_true(admit_n(b, "t", payload, sizeof payload)->quarantine);
}

static void test_topic_that_is_no_text(void **state)
{
    struct bench *b = *state;
    const struct batch_entry *entry = admit_n(b, "plant/\xff\xc3/x", "1", 1);

    assert_true(entry->quarantine);
    assert_text(b, entry->reason, "the topic is not UTF-8");
    assert_text(b, entry->topic, "plant/?\?/x");
}

/* ---- memory ---- */

/* The batch says that it is not whole; after a reset the same message is taken. */
static void test_full_batch(void **state)
{
    struct bench *b = *state;
    struct batch small;

    batch_init(&small, 512);
    while (!batch_failed(&small) && small.count < 10)
        admit(b->admitter, "t", HELLO, strlen(HELLO), RECORDED_US, &small);
    assert_true(batch_failed(&small));
    assert_in_range(small.count, 1, 3);
    batch_reset(&small);
    admit(b->admitter, "t", "1", 1, RECORDED_US, &small);
    assert_false(batch_failed(&small));
    batch_deinit(&small);
}

static void test_as_many_entries_as_a_batch_holds(void **state)
{
    struct bench *b = *state;
    struct batch batch;

    batch_init(&batch, 1 << 30);
    for (int i = 0; !batch_failed(&batch) && i < 1000000; i++)
        admit(b->admitter, "t", "1", 1, RECORDED_US, &batch);
    assert_true(batch_failed(&batch));
    batch_deinit(&batch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_event_is_kept_as_it_came, setup, teardown),
        cmocka_unit_test_setup_teardown(test_event_with_required_attributes_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_event_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_future_time_is_kept, setup, teardown),
        cmocka_unit_test_setup_teardown(test_criticality_and_color, setup, teardown),
        cmocka_unit_test_setup_teardown(test_raw_is_wrapped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_raw_type_is_told_by_shape, setup, teardown),
        cmocka_unit_test_setup_teardown(test_raw_source_is_escaped, setup, teardown),
        cmocka_unit_test_setup_teardown(test_longest_topic, setup, teardown),
        cmocka_unit_test_setup_teardown(test_quarantine, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_payload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_large_payload, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nesting, setup, teardown),
        cmocka_unit_test_setup_teardown(test_topic_that_is_no_text, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full_batch, setup, teardown),
        cmocka_unit_test_setup_teardown(test_as_many_entries_as_a_batch_holds, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
