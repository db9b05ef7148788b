/* Events of our own, written without a tree: a broadcaster makes 20,000 of them a second. */

#include <assert.h>
#include <math.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/cloudevent/event.h"

enum { SEQUENCE_DIGITS = 12, SEQUENCE_SIZE = 21 };

#define APPEND_LITERAL(out, text) buf_append((out), (text), sizeof(text) - 1)

/* Decimal with leading zeros to SEQUENCE_DIGITS: sequences of one boot sort as text, as the
 * extension "sequence" asks. Returns the length. */
static size_t format_sequence(uint64_t sequence, char text[static SEQUENCE_SIZE])
{
    char digits[SEQUENCE_SIZE];
    size_t len = 0;

    while (sequence > 0 || len < SEQUENCE_DIGITS) {
        digits[len++] = (char)('0' + sequence % 10);
        sequence /= 10;
    }
    for (size_t i = 0; i < len; i++)
        text[i] = digits[len - 1 - i];
    text[len] = '\0';
    return len;
}

void event_format_id(const struct event_identity *identity, char id[static EVENT_ID_SIZE])
{
    size_t bootid_len = strnlen(identity->bootid, EVENT_ID_SIZE - 1 - SEQUENCE_SIZE);

    memcpy(id, identity->bootid, bootid_len);
    id[bootid_len] = '-';
    format_sequence(identity->sequence, id + bootid_len + 1);
}

void event_encode(struct buf *out, const char *type, const struct event_identity *identity,
                  const char *data, size_t data_len)
{
    char id[EVENT_ID_SIZE], time[CLOCK_TEXT_SIZE], sequence[SEQUENCE_SIZE];
    size_t sequence_len = format_sequence(identity->sequence, sequence);

    event_format_id(identity, id);
    clock_format_us(identity->time_us, time);
    APPEND_LITERAL(out, "{\"specversion\":\"1.0\",\"type\":");
    buf_append_json(out, type);
    APPEND_LITERAL(out, ",\"source\":");
    buf_append_json(out, identity->source);
    APPEND_LITERAL(out, ",\"id\":\"");
    buf_append_str(out, id);
    APPEND_LITERAL(out, "\",\"time\":\"");
    buf_append_str(out, time);
    APPEND_LITERAL(out, "\",\"datacontenttype\":\"application/json\",\"bootid\":\"");
    buf_append_str(out, identity->bootid);
    APPEND_LITERAL(out, "\",\"sequence\":\"");
    buf_append(out, sequence, sequence_len);
    APPEND_LITERAL(out, "\",\"data\":");
    buf_append(out, data, data_len);
    APPEND_LITERAL(out, "}");
}

static void append_int(struct buf *out, int64_t value)
{
    char text[SEQUENCE_SIZE];
    size_t at = sizeof text;
    uint64_t rest = value < 0 ? 0 - (uint64_t)value : (uint64_t)value;

    do {
        text[--at] = (char)('0' + rest % 10);
        rest /= 10;
    } while (rest > 0);
    if (value < 0)
        text[--at] = '-';
    buf_append(out, text + at, sizeof text - at);
}

void event_encode_hello(struct buf *out, const char *text, const char *color, int64_t next_in_ms)
{
    APPEND_LITERAL(out, "{\"text\":");
    buf_append_json(out, text);
    if (color) {
        APPEND_LITERAL(out, ",\"color\":");
        buf_append_json(out, color);
    }
    if (next_in_ms >= 0) {
        APPEND_LITERAL(out, ",\"next_in_ms\":");
        append_int(out, next_in_ms);
    }
    APPEND_LITERAL(out, "}");
}

void event_encode_event(struct buf *out, int64_t criticality, int64_t timestamp_us,
                        const char *text)
{
    char timestamp[CLOCK_TEXT_SIZE];

    clock_format_us(timestamp_us, timestamp);
    APPEND_LITERAL(out, "{\"criticality\":");
    append_int(out, criticality);
    APPEND_LITERAL(out, ",\"timestamp\":\"");
    buf_append_str(out, timestamp);
    APPEND_LITERAL(out, "\",\"eventMessage\":");
    buf_append_json(out, text);
    APPEND_LITERAL(out, "}");
}

void event_encode_session(struct buf *out, const char *session_id, int64_t timestamp_s,
                          double energy_kwh, int64_t duration_s, int64_t cost_cents)
{
    assert(isfinite(energy_kwh)); /* JSON has no other numbers */
    APPEND_LITERAL(out, "{\"session_id\":");
    buf_append_json(out, session_id);
    APPEND_LITERAL(out, ",\"timestamp\":");
    append_int(out, timestamp_s);
    buf_appendf(out, ",\"energy_delivered_in_kwh\":%.15g", energy_kwh);
    APPEND_LITERAL(out, ",\"duration_in_seconds\":");
    append_int(out, duration_s);
    APPEND_LITERAL(out, ",\"session_cost_in_cents\":");
    append_int(out, cost_cents);
    APPEND_LITERAL(out, "}");
}
