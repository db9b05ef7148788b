#include <stdio.h>
#include <string.h>

#include "common/cloudevent/event.h"

/* cmocka.h last: it needs the headers above. */
#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define BOOTID "5b0e9d6f41c27a83"

/* 2026-11-20T21:38:01.123456Z */
#define TIME_US INT64_C(1795210681123456)

static void test_event_is_as_documented(void **state)
{
    const struct event_identity identity = {"/machines/press-7", BOOTID, 42, TIME_US};
    struct buf data = BUF_INIT(4096), out = BUF_INIT(4096);

    (void)state;
    event_encode_hello(&data, "Hello world", "#2f81f7", 4210);
    event_encode(&out, EVENT_TYPE_HELLO, &identity, data.data, data.len);
    assert_false(buf_failed(&out));
    assert_string_equal(
        out.data, "{\"specversion\":\"1.0\",\"type\":\"bellbuoy.hello.v1\","
                  "\"source\":\"/machines/press-7\",\"id\":\"5b0e9d6f41c27a83-000000000042\","
                  "\"time\":\"2026-11-20T21:38:01.123456Z\",\"datacontenttype\":\"application/"
                  "json\",\"bootid\":\"5b0e9d6f41c27a83\",\"sequence\":\"000000000042\","
                  "\"data\":{\"text\":\"Hello world\",\"color\":\"#2f81f7\",\"next_in_ms\":4210}}");
    buf_deinit(&data);
    buf_deinit(&out);
}

static void test_id(void **state)
{
    static const struct {
        uint64_t sequence;
        const char *id;
    } cases[] = {
        {0, BOOTID "-000000000000"},
        {1, BOOTID "-000000000001"},
        {999999999999, BOOTID "-999999999999"},
        {1000000000000, BOOTID "-1000000000000"},
        {UINT64_MAX, BOOTID "-18446744073709551615"},
    };
    char id[EVENT_ID_SIZE];

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
        struct event_identity identity = {"/machines/a", BOOTID, cases[i].sequence, 0};

        event_format_id(&identity, id);
        assert_string_equal(id, cases[i].id);
    }
}

static void test_hello_without_options(void **state)
{
    struct buf out = BUF_INIT(4096);

    (void)state;
    event_encode_hello(&out, "a \"quoted\"\nline", NULL, -1);
    assert_string_equal(out.data, "{\"text\":\"a \\\"quoted\\\"\\nline\"}");
    buf_deinit(&out);
}

static void test_event_data(void **state)
{
    struct buf out = BUF_INIT(4096);

    (void)state;
    event_encode_event(&out, -7, TIME_US, "Pressure high");
    assert_string_equal(out.data,
                        "{\"criticality\":-7,\"timestamp\":\"2026-11-20T21:38:01.123456Z\","
                        "\"eventMessage\":\"Pressure high\"}");
    buf_reset(&out);
    event_encode_event(&out, INT64_MIN, TIME_US, "");
    assert_non_null(strstr(out.data, "{\"criticality\":-9223372036854775808,"));
    buf_deinit(&out);
}

static void test_session_data(void **state)
{
    struct buf out = BUF_INIT(4096);

    (void)state;
    event_encode_session(&out, "s-1", 1763748000, 12.5, 3600, 437);
    assert_string_equal(out.data, "{\"session_id\":\"s-1\",\"timestamp\":1763748000,"
                                  "\"energy_delivered_in_kwh\":12.5,\"duration_in_seconds\":3600,"
                                  "\"session_cost_in_cents\":437}");
    buf_reset(&out);
    event_encode_session(&out, "s", 1, 12.3456789012, 2, 3);
    assert_non_null(strstr(out.data, "_in_kwh\":12.3456789012,"));
    buf_deinit(&out);
}

/* What we make, we take. */
static void test_round_trip(void **state)
{
    const struct event_identity identity = {"/machines/a \"b\"\\\xc3\xa4", BOOTID, 7, TIME_US};
    struct buf data = BUF_INIT(4096), out = BUF_INIT(4096);
    static const char *const types[] = {EVENT_TYPE_HELLO, EVENT_TYPE_EVENT, EVENT_TYPE_SESSION};

    (void)state;
    for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
        struct event event;
        struct err e = {0};
        cJSON *json = NULL;

        buf_reset(&data);
        buf_reset(&out);
        if (i == 0)
            event_encode_hello(&data, "Hi", NULL, -1);
        else if (i == 1)
            event_encode_event(&data, 9, TIME_US, "m");
        else
            event_encode_session(&data, "s", 1, 0.1, 2, 3);
        event_encode(&out, types[i], &identity, data.data, data.len);
        assert_int_equal(json_parse(out.data, out.len, JSON_MAX_DEPTH, &json, &e), 0);
        assert_int_equal(event_decode(json, &event, &e), 0);
        assert_string_equal(event.type, types[i]);
        assert_string_equal(event.source, identity.source);
        assert_string_equal(event.bootid, BOOTID);
        assert_int_equal(event.sequence, 7);
        assert_int_equal(event.time_us, TIME_US);
        assert_true(event.criticality == (i == 1 ? 9 : EVENT_NO_NUMBER));
        cJSON_Delete(json);
    }
    buf_deinit(&data);
    buf_deinit(&out);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_event_is_as_documented), cmocka_unit_test(test_id),
        cmocka_unit_test(test_hello_without_options),  cmocka_unit_test(test_event_data),
        cmocka_unit_test(test_session_data),           cmocka_unit_test(test_round_trip),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
