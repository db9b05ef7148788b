/*
 * Bytes as a message: a topic up to the first line end, then the payload. Whatever comes, admit
 * makes one entry of it. An event's text must be one line that json_parse and event_decode take,
 * must carry none of the receiver's attributes, and must hold `data` where the entry says.
 */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/str.h"
#include "receiver/ingest/admit.h"

#define MAX_PAYLOAD 4096

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

static uint64_t draw(void *context)
{
    (void)context;
    return 0x5b0e9d6f41c27a83;
}

static void check_text(const struct batch *batch, struct batch_text text, const char *expected)
{
    require(text.len == strlen(expected));
    require(memcmp(batch_in(batch, text), expected, text.len) == 0);
}

static void check_data(const struct batch *batch, const struct batch_entry *entry,
                       const cJSON *data)
{
    AUTO(cJSON_Delete) cJSON *within = NULL;
    struct err e;

    if (entry->data.len == 0) {
        require(data == NULL);
        return;
    }
    require(json_parse(batch_in(batch, entry->data), entry->data.len, JSON_MAX_DEPTH, &within,
                       &e) == 0);
    require(cJSON_Compare(within, data, true));
}

static void check_event(const struct batch *batch, const struct batch_entry *entry)
{
    static const char *const ours[] = {"cursor", "recordedtime", "intervalms", "late", "dedupe"};
    const char *text = batch_in(batch, entry->json);
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct event event;
    struct err e;

    require(json_parse(text, entry->json.len, JSON_MAX_DEPTH, &json, &e) == 0);
    require(event_decode(json, &event, &e) == 0);
    require(!memchr(text, '\n', entry->json.len) && !memchr(text, '\r', entry->json.len));
    for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
        require(!json_member(json, ours[i]));
    check_text(batch, entry->type, event.type);
    check_text(batch, entry->source, event.source);
    check_text(batch, entry->id, event.id);
    require(entry->criticality == event.criticality);
    check_data(batch, entry, event.data);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    static const struct random_source random = {draw, NULL};
    static struct admitter *admitter;
    const uint8_t *line_end = size ? memchr(bytes, '\n', size) : NULL;
    size_t topic_len = line_end ? (size_t)(line_end - bytes) : 0;
    size_t payload_at = line_end ? topic_len + 1 : 0;
    char topic[256] = "plant/line3";
    struct batch batch;

    if (!admitter)
        require(admitter_new(MAX_PAYLOAD, &random, &admitter) == 0);
    if (topic_len > 0 && topic_len < sizeof topic) {
        memcpy(topic, bytes, topic_len);
        topic[topic_len] = '\0';
    }
    batch_init(&batch, 1 << 20);
    admit(admitter, topic, bytes + payload_at, size - payload_at, 1795210681123456, &batch);
    require(!batch_failed(&batch) && batch.count == 1);
    if (batch.entries[0].quarantine) {
        struct batch_text reason = batch.entries[0].reason;

        require(reason.len > 0 && str_is_utf8(batch_in(&batch, reason), reason.len, NULL));
    } else {
        check_event(&batch, &batch.entries[0]);
    }
    batch_deinit(&batch);
    return 0;
}
