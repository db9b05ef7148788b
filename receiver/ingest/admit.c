#include "receiver/ingest/admit.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/str.h"
#include "receiver/ingest/json_compact.h"

#define TOPICS         "/topics/"
#define TOPIC_MAX      (EVENT_SOURCE_MAX - (sizeof TOPICS - 1))
#define WRAPPING_BYTES 4096 /* the attributes of a wrapped message, with every byte escaped */
#define DEPTH_MAX      (JSON_MAX_DEPTH - 1) /* wrapping adds a level, and what is stored can be read */

struct admitter {
    size_t max_payload_bytes;
    char run[17]; /* 16 hex digits drawn at start: with a counter it makes ids that are new */
    uint64_t counter;
    struct buf wrapped;
    char compact[]; /* max_payload_bytes */
};

struct message {
    const char *topic;
    const char *payload;
    size_t size;
    int64_t recorded_us;
};

int admitter_new(size_t max_payload_bytes, const struct random_source *random,
                 struct admitter **ret_admitter)
{
    struct admitter *a = malloc(sizeof *a + max_payload_bytes);

    if (!a)
        return -ENOMEM;
    *a = (struct admitter){.max_payload_bytes = max_payload_bytes,
                           .wrapped = BUF_INIT(max_payload_bytes + WRAPPING_BYTES)};
    snprintf(a->run, sizeof a->run, "%016" PRIx64, random->next(random->context));
    *ret_admitter = a;
    return 0;
}

void admitter_free(struct admitter *admitter)
{
    if (!admitter)
        return;
    buf_deinit(&admitter->wrapped);
    free(admitter);
}

static struct batch_text copy_str(struct batch *batch, const char *text)
{
    return batch_copy(batch, text, strlen(text));
}

/* ---- events as they came ---- */

/* The attributes that the receiver appends: a producer's copies would stand there twice. */
static bool is_ours(const char *name)
{
    static const char *const names[] = {"cursor", "recordedtime", "intervalms", "late", "dedupe"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++)
        if (names[i][0] == name[0] && strcmp(names[i], name) == 0)
            return true;
    return false;
}

static void set_color(struct batch_entry *entry, const struct event *event, struct batch *batch)
{
    const cJSON *color;

    if (strcmp(event->type, EVENT_TYPE_HELLO) != 0)
        return;
    color = json_member(event->data, "color");
    if (cJSON_IsString(color) && event_is_color(color->valuestring))
        entry->color = copy_str(batch, color->valuestring);
}

static int take_event(struct admitter *a, const struct message *message, const cJSON *json,
                      struct batch *batch, struct batch_entry *entry, struct err *e)
{
    struct json_span data;
    struct event event;
    size_t len;
    int r = event_decode(json, &event, e);

    if (r < 0) {
        err_context(e, "not a valid CloudEvent");
        return r;
    }
    json_compact(a->compact, message->payload, message->size);
    len = json_drop_members(a->compact, json, is_ours, "data", &data);
    entry->json = batch_copy(batch, a->compact, len);
    entry->data = (struct batch_text){data.len ? entry->json.at + data.at : 0, data.len};
    entry->type = copy_str(batch, event.type);
    entry->source = copy_str(batch, event.source);
    entry->id = copy_str(batch, event.id);
    entry->has_bootid = event.bootid != NULL;
    if (event.bootid)
        entry->bootid = copy_str(batch, event.bootid);
    entry->has_sequence = event.sequence != EVENT_NO_SEQUENCE;
    if (entry->has_sequence)
        entry->sequence = event.sequence;
    entry->time_us = event.time_us;
    entry->criticality = event.criticality;
    set_color(entry, &event, batch);
    return 0;
}

/* ---- messages that know nothing of events ---- */

/* Writes the event around the payload and returns the place of the payload in it. */
static struct json_span wrap(struct admitter *a, const struct message *message, const char *type,
                             const char *source, const char *id)
{
    size_t len = json_compact(a->compact, message->payload, message->size);
    char time[CLOCK_TEXT_SIZE];
    struct json_span data;

    clock_format_us(message->recorded_us, time);
    buf_reset(&a->wrapped);
    buf_appendf(&a->wrapped, "{\"specversion\":\"1.0\",\"type\":\"%s\",\"source\":", type);
    buf_append_json(&a->wrapped, source);
    buf_appendf(&a->wrapped,
                ",\"id\":\"%s\",\"time\":\"%s\",\"datacontenttype\":\"application/json\","
                "\"data\":",
                id, time);
    data = (struct json_span){a->wrapped.len, len};
    buf_append(&a->wrapped, a->compact, len);
    buf_append_char(&a->wrapped, '}');
    return data;
}

static int take_raw(struct admitter *a, const struct message *message, const cJSON *json,
                    struct batch *batch, struct batch_entry *entry)
{
    const struct event_identity identity = {.bootid = a->run, .sequence = ++a->counter};
    const char *type = event_type_of_payload(json);
    char source[EVENT_SOURCE_MAX + 1], id[EVENT_ID_SIZE];
    struct json_span data;

    snprintf(source, sizeof source, TOPICS "%s", message->topic);
    event_format_id(&identity, id);
    data = wrap(a, message, type, source, id);
    if (buf_failed(&a->wrapped))
        return -ENOMEM;
    entry->dedupe_none = true;
    entry->json = batch_copy(batch, a->wrapped.data, a->wrapped.len);
    entry->data = (struct batch_text){entry->json.at + data.at, data.len};
    entry->type = copy_str(batch, type);
    entry->source = copy_str(batch, source);
    entry->id = copy_str(batch, id);
    entry->time_us = message->recorded_us;
    entry->criticality = event_criticality(json);
    return 0;
}

/* ---- messages that nobody can read ---- */

/* A topic that is not UTF-8 breaks MQTT 3.1.1 section 1.5.3, but the table of quarantined messages
 * is read as text. */
static struct batch_text copy_topic(struct batch *batch, const char *topic)
{
    struct batch_text text = copy_str(batch, topic);
    size_t bad;

    if (batch_failed(batch))
        return text;
    while (!str_is_utf8(batch->in.data + text.at, text.len, &bad))
        batch->in.data[text.at + bad] = '?';
    return text;
}

static void quarantine(const struct admitter *a, const struct message *message, const char *reason,
                       struct batch *batch, struct batch_entry *entry)
{
    size_t kept = message->size < a->max_payload_bytes ? message->size : a->max_payload_bytes;

    entry->quarantine = true;
    entry->topic = copy_topic(batch, message->topic);
    entry->reason = copy_str(batch, reason);
    entry->json = batch_copy(batch, message->payload, kept);
}

/* ---- */

static int check_message(const struct admitter *a, const struct message *message, struct err *e)
{
    size_t topic_len = strlen(message->topic);

    if (topic_len > TOPIC_MAX)
        return FAIL(e, EINVAL, "the topic is %zu bytes long, at most %zu are taken", topic_len,
                    TOPIC_MAX);
    if (!str_is_utf8(message->topic, topic_len, NULL))
        return FAIL(e, EINVAL, "the topic is not UTF-8");
    if (message->size == 0)
        return FAIL(e, EINVAL, "the payload is empty");
    if (message->size > a->max_payload_bytes)
        return FAIL(e, EINVAL, "the payload is %zu bytes long, at most %zu are taken",
                    message->size, a->max_payload_bytes);
    return 0;
}

/* -EINVAL with the reason for quarantine, -ENOMEM. */
static int take(struct admitter *a, const struct message *message, struct batch *batch,
                struct batch_entry *entry, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    int r = check_message(a, message, e);

    if (r < 0)
        return r;
    r = json_parse(message->payload, message->size, DEPTH_MAX, &json, e);
    if (r < 0)
        return r;
    entry->topic = copy_str(batch, message->topic);
    if (event_is_cloudevent(json))
        return take_event(a, message, json, batch, entry, e);
    return take_raw(a, message, json, batch, entry);
}

void admit(struct admitter *admitter, const char *topic, const void *payload, size_t size,
           int64_t recorded_us, struct batch *batch)
{
    const struct message message = {topic, payload, size, recorded_us};
    struct batch_entry *entry = batch_add(batch);
    struct err e;
    int r = -ENOMEM;

    if (entry) {
        entry->recorded_us = recorded_us;
        r = take(admitter, &message, batch, entry, &e);
        if (r == -EINVAL)
            quarantine(admitter, &message, e.msg, batch, entry);
    }
    if (r == -ENOMEM)
        batch->in.failed = true;
}

void admit_refused(struct admitter *admitter, const char *topic, const void *payload, size_t size,
                   int64_t recorded_us, const char *reason, struct batch *batch)
{
    const struct message message = {topic, payload, size, recorded_us};
    struct batch_entry *entry = batch_add(batch);

    if (!entry) {
        batch->in.failed = true;
        return;
    }
    entry->recorded_us = recorded_us;
    quarantine(admitter, &message, reason, batch, entry);
}
