#include "receiver/api/message.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

#define MACHINES           "/machines/"
#define MACHINE_NAME_MAX   (TOPIC_LEVEL_SIZE - 1)
#define ATTRIBUTE_NAME_MAX 20
#define PAYLOAD_MAX_BYTES  (MESSAGE_MAX_BYTES * 2) /* an escape may be longer than what was sent */

void message_deinit(struct message *message)
{
    buf_deinit(&message->payload);
}

static int get_text(const cJSON *json, const char **ret_text, struct err *e)
{
    int rc = json_get_string(json, "", "text", ret_text, e);
    if (rc < 0)
        return rc;
    if (rc == JSON_ABSENT || **ret_text == '\0' || strlen(*ret_text) > MESSAGE_TEXT_MAX)
        return FAIL(e, EINVAL, "/text must be a string of 1 to %d bytes", MESSAGE_TEXT_MAX);
    return 0;
}

static int get_color(const cJSON *json, const char **ret_color, struct err *e)
{
    int rc = json_get_string(json, "", "color", ret_color, e);
    if (rc == 0 && !event_is_color(*ret_color))
        return FAIL(e, EINVAL, "/color must be of the form #rrggbb, not \"%.20s\"", *ret_color);
    return rc < 0 ? rc : 0;
}

/* Topic, source and id, which the reader of the answer finds the event by. */
static int address_message(struct message *m, const char *type, const char *source, const char *id,
                           struct err *e)
{
    /* A type that is not ours has no level of its own. */
    if (event_kind(type) == NULL)
        type = EVENT_TYPE_RAW;
    if (event_format_topic(source, type, m->topic, sizeof(m->topic)) < 0 ||
        !str_copy(m->source, sizeof(m->source), source) || !str_copy(m->id, sizeof(m->id), id))
        return FAIL(e, EINVAL, "no topic can be made of /source \"%.100s\"", source);
    return 0;
}

int message_from_text(const char *body, size_t size, const struct event_identity *identity,
                      struct message *ret_message, struct err *e)
{
    static const char *const known[] = {"text", "color", NULL};
    cJSON *json AUTO(cJSON_Delete) = NULL;
    char color_of_source[EVENT_COLOR_SIZE];
    char id[EVENT_ID_SIZE];
    const char *text;
    const char *color = color_of_source;
    event_color(identity->source, color_of_source);
    int rc = json_parse(body, size, JSON_MAX_DEPTH, &json, e);
    if (rc < 0)
        return rc;
    if (!cJSON_IsObject(json))
        return FAIL(e, EINVAL, "the body must be an object such as {\"text\":\"Hello crew\"}");
    if ((rc = json_check_members(json, "", known, e)) < 0 || (rc = get_text(json, &text, e)) < 0 ||
        (rc = get_color(json, &color, e)) < 0)
        return rc;

    struct message m = {.payload = BUF_INIT(PAYLOAD_MAX_BYTES)};
    struct buf data AUTO(buf_deinit) = BUF_INIT(PAYLOAD_MAX_BYTES);
    event_format_id(identity, id);
    rc = address_message(&m, EVENT_TYPE_HELLO, identity->source, id, e);
    if (rc < 0)
        return rc;
    event_encode_hello(&data, text, color, -1);
    if (!buf_failed(&data))
        event_encode(&m.payload, EVENT_TYPE_HELLO, identity, data.data, data.len);
    if (buf_failed(&data) || buf_failed(&m.payload)) {
        message_deinit(&m);
        return FAIL(e, ENOMEM, "out of memory");
    }
    *ret_message = m;
    return 0;
}

static bool is_attribute_name(const char *name)
{
    size_t len = strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789");
    return len > 0 && len <= ATTRIBUTE_NAME_MAX && name[len] == '\0';
}

static int check_attribute(const cJSON *member, struct err *e)
{
    static const char *const ours[] = {"cursor", "recordedtime", "intervalms", "late", "dedupe"};
    const char *name = member->string;
    if (str_equal(name, "data") || str_equal(name, "data_base64"))
        return 0;
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        if (str_equal(name, ours[i]))
            return FAIL(e, EINVAL, "/%s is the receiver's to give", name);
    if (!is_attribute_name(name))
        return FAIL(e, EINVAL,
                    "/%.40s: an attribute's name is 1 to %d lower-case letters and digits", name,
                    ATTRIBUTE_NAME_MAX);
    if (cJSON_IsArray(member) || cJSON_IsObject(member))
        return FAIL(e, EINVAL, "/%s must be a string, a number or a boolean", name);
    return 0;
}

static bool is_machine(const char *source)
{
    if (!str_starts_with(source, MACHINES))
        return false;
    const char *name = source + strlen(MACHINES);
    size_t len = strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_-.");
    return len > 0 && len <= MACHINE_NAME_MAX && name[len] == '\0';
}

static int check_strict(const cJSON *json, const struct event *event, struct err *e)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, json)
    {
        int rc = check_attribute(member, e);
        if (rc < 0)
            return rc;
    }
    if (!is_machine(event->source))
        return FAIL(e, EINVAL,
                    "/source must be /machines/<name> (at most %d letters, digits, '_', '-' and "
                    "'.'), not \"%.100s\"",
                    MACHINE_NAME_MAX, event->source);
    return 0;
}

int message_from_event(const char *body, size_t size, struct message *ret_message, struct err *e)
{
    cJSON *json AUTO(cJSON_Delete) = NULL;
    struct event event;
    struct message m = {.payload = BUF_INIT(PAYLOAD_MAX_BYTES)};
    int rc = json_parse(body, size, JSON_MAX_DEPTH, &json, e);
    if (rc < 0)
        return rc;
    if ((rc = event_decode(json, &event, e)) < 0 || (rc = check_strict(json, &event, e)) < 0 ||
        (rc = address_message(&m, event.type, event.source, event.id, e)) < 0)
        return rc;
    buf_append(&m.payload, body, size);
    if (buf_failed(&m.payload))
        return FAIL(e, ENOMEM, "out of memory");
    *ret_message = m;
    return 0;
}
