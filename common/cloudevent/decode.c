/* From a JSON tree to an event: what others send, checked. */

#include <math.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json_text.h"
#include "common/base/str.h"
#include "common/cloudevent/event.h"

#define INTEGER_MAX 9007199254740991 /* 2^53 - 1: the integers that every JSON reader agrees on */

bool event_is_cloudevent(const cJSON *json)
{
    return cJSON_IsObject(json) && json_member(json, "specversion");
}

/* ---- attributes ---- */

/* "When decoding attributes and a null value is encountered, it MUST be treated as the equivalent
 * of unset or omitted" (json-format.md section 2.2). */
static const cJSON *attribute_find(const cJSON *json, const char *name)
{
    const cJSON *value = json_member(json, name);

    return cJSON_IsNull(value) ? NULL : value;
}

/* A string of 1 to `max` bytes, NULL where it is unset. */
static int attribute_get(const cJSON *json, const char *name, size_t max, const char **ret_value,
                         struct err *e)
{
    const char *value = NULL;
    size_t len;

    if (attribute_find(json, name)) {
        int r = json_get_string(json, "", name, &value, e);

        if (r < 0)
            return r;
        len = strlen(value);
        if (len == 0)
            return FAIL(e, EINVAL, "/%s is empty", name);
        if (len > max)
            return FAIL(e, EINVAL, "/%s is %zu bytes long, at most %zu are taken", name, len, max);
    }
    *ret_value = value;
    return 0;
}

static int attribute_require(const cJSON *json, const char *name, size_t max,
                             const char **ret_value, struct err *e)
{
    const char *value;
    int r = attribute_get(json, name, max, &value, e);

    if (r < 0)
        return r;
    if (!value)
        return FAIL(e, EINVAL, "/%s, which every CloudEvent must have, is missing", name);
    *ret_value = value;
    return 0;
}

static int fail_shown(const cJSON *json, const char *name, const char *wanted, struct err *e)
{
    AUTO(buf_deinit) struct buf shown = BUF_INIT(sizeof e->msg);

    json_append_shown(&shown, json_member(json, name));
    return FAIL(e, EINVAL, "/%s must be %s, it is %s", name, wanted,
                buf_failed(&shown) ? "another" : shown.data);
}

static int check_specversion(const cJSON *json, struct err *e)
{
    const char *specversion;
    int r = attribute_require(json, "specversion", EVENT_TYPE_MAX, &specversion, e);

    if (r < 0)
        return r;
    if (strcmp(specversion, "1.0") != 0)
        return fail_shown(json, "specversion", "\"1.0\"", e);
    return 0;
}

static int time_get(const cJSON *json, int64_t *ret_time_us, struct err *e)
{
    const char *text;
    int r = attribute_get(json, "time", EVENT_TYPE_MAX, &text, e);

    if (r < 0)
        return r;
    *ret_time_us = EVENT_NO_TIME;
    if (text && clock_parse_us(text, strlen(text), ret_time_us) < 0)
        return fail_shown(json, "time", "a time as in RFC 3339", e);
    return 0;
}

/* Others may order by anything that sorts as text (extensions/sequence.md): only a decimal number
 * can be counted. */
static uint64_t sequence_parse(const char *text)
{
    uint64_t sequence = 0;

    for (; *text; text++) {
        if (*text < '0' || *text > '9' || sequence > (INT64_MAX - 9) / 10)
            return EVENT_NO_SEQUENCE;
        sequence = sequence * 10 + (uint64_t)(*text - '0');
    }
    return sequence;
}

static int sequence_get(const cJSON *json, uint64_t *ret_sequence, struct err *e)
{
    const char *text;
    int r = attribute_get(json, "sequence", EVENT_ID_MAX, &text, e);

    if (r < 0)
        return r;
    *ret_sequence = text ? sequence_parse(text) : EVENT_NO_SEQUENCE;
    return 0;
}

/* Attributes that we do not use, but whose type CloudEvents fixes. */
static int check_others(const cJSON *json, struct err *e)
{
    static const char *const strings[] = {"datacontenttype", "dataschema"};
    const char *unused;

    for (size_t i = 0; i < ARRAY_SIZE(strings); i++) {
        int r = attribute_get(json, strings[i], SIZE_MAX, &unused, e);

        if (r < 0)
            return r;
    }
    return 0;
}

/* json-format.md section 3.1: `data` or `data_base64`, not both. A `data` of null is JSON's null.
 */
static int data_get(const cJSON *json, const cJSON **ret_data, struct err *e)
{
    const cJSON *data = json_member(json, "data");
    const cJSON *base64 = attribute_find(json, "data_base64");

    if (base64 && data)
        return FAIL(e, EINVAL, "/data and /data_base64 exclude each other, both are there");
    if (base64 && !cJSON_IsString(base64))
        return FAIL(e, EINVAL, "/data_base64 must be a string");
    *ret_data = data;
    return 0;
}

int event_decode(const cJSON *json, struct event *ret_event, struct err *e)
{
    struct event event;
    int r;

    if (!cJSON_IsObject(json))
        return FAIL(e, EINVAL, "a CloudEvent is a JSON object, this is none");
    if ((r = check_specversion(json, e)) < 0 ||
        (r = attribute_require(json, "type", EVENT_TYPE_MAX, &event.type, e)) < 0 ||
        (r = attribute_require(json, "source", EVENT_SOURCE_MAX, &event.source, e)) < 0 ||
        (r = attribute_require(json, "id", EVENT_ID_MAX, &event.id, e)) < 0 ||
        (r = attribute_get(json, "subject", SIZE_MAX, &event.subject, e)) < 0 ||
        (r = attribute_get(json, "bootid", EVENT_BOOTID_MAX, &event.bootid, e)) < 0 ||
        (r = sequence_get(json, &event.sequence, e)) < 0 ||
        (r = time_get(json, &event.time_us, e)) < 0 || (r = check_others(json, e)) < 0 ||
        (r = data_get(json, &event.data, e)) < 0 ||
        (r = event_check_data(event.type, event.data, "/data", e)) < 0)
        return r;
    event.criticality = event_criticality(event.data);
    *ret_event = event;
    return 0;
}

/* ---- data ---- */

enum shape { SHAPE_STRING, SHAPE_NUMBER, SHAPE_INTEGER };

struct member {
    const char *name;
    enum shape shape;
    bool required;
};

static const struct member hello_members[] = {
    {"text", SHAPE_STRING, true},
    {"color", SHAPE_STRING, false},
    {"next_in_ms", SHAPE_NUMBER, false},
    {NULL, 0, false},
};
static const struct member event_members[] = {
    {"criticality", SHAPE_INTEGER, true},
    {"timestamp", SHAPE_STRING, true},
    {"eventMessage", SHAPE_STRING, true},
    {NULL, 0, false},
};
static const struct member session_members[] = {
    {"session_id", SHAPE_STRING, true},
    {"timestamp", SHAPE_NUMBER, true},
    {"energy_delivered_in_kwh", SHAPE_NUMBER, true},
    {"duration_in_seconds", SHAPE_NUMBER, true},
    {"session_cost_in_cents", SHAPE_NUMBER, true},
    {NULL, 0, false},
};

static const struct {
    const char *type;
    const struct member *members;
} shapes[] = {
    {EVENT_TYPE_HELLO, hello_members},
    {EVENT_TYPE_EVENT, event_members},
    {EVENT_TYPE_SESSION, session_members},
};

static int check_member(const cJSON *data, const char *at, const struct member *member,
                        struct err *e)
{
    const char *string;
    double number;
    int64_t integer;
    int r = -EINVAL;

    if (!member->required && cJSON_IsNull(json_member(data, member->name)))
        return 0;
    switch (member->shape) {
    case SHAPE_STRING:
        r = json_get_string(data, at, member->name, &string, e);
        break;
    case SHAPE_NUMBER:
        r = json_get_number(data, at, member->name, &number, e);
        break;
    case SHAPE_INTEGER:
        r = json_get_int(data, at, member->name, -INTEGER_MAX, INTEGER_MAX, &integer, e);
        break;
    }
    if (r == JSON_ABSENT && member->required)
        return FAIL(e, EINVAL, "%s/%s is missing", at, member->name);
    return r == JSON_ABSENT ? 0 : r;
}

int event_check_data(const char *type, const cJSON *data, const char *at, struct err *e)
{
    const struct member *member = NULL;

    for (size_t i = 0; i < ARRAY_SIZE(shapes); i++)
        if (strcmp(shapes[i].type, type) == 0)
            member = shapes[i].members;
    if (!member)
        return 0;
    if (!cJSON_IsObject(data))
        return FAIL(e, EINVAL, "%s must be a JSON object for type %s", at, type);
    for (; member->name; member++) {
        int r = check_member(data, at, member, e);

        if (r < 0)
            return r;
    }
    return 0;
}

int64_t event_criticality(const cJSON *data)
{
    const cJSON *value = cJSON_IsObject(data) ? json_member(data, "criticality") : NULL;

    if (!value || !cJSON_IsNumber(value) || fabs(value->valuedouble) > (double)INTEGER_MAX ||
        fabs(value->valuedouble - trunc(value->valuedouble)) > 0)
        return EVENT_NO_NUMBER;
    return (int64_t)value->valuedouble;
}

const char *event_type_of_payload(const cJSON *json)
{
    static const char *const candidates[] = {EVENT_TYPE_EVENT, EVENT_TYPE_SESSION};

    for (size_t i = 0; i < ARRAY_SIZE(candidates); i++)
        if (event_check_data(candidates[i], json, "", NULL) == 0)
            return candidates[i];
    return EVENT_TYPE_RAW;
}
