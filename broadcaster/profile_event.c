/* Events as the security log of a plant has them. */

#include <string.h>

#include "broadcaster/profile.h"

struct kind {
    const char *text; /* '#' becomes a drawn number */
    uint8_t min_criticality, max_criticality;
    uint16_t min_number, max_number;
};

static const struct kind kinds[] = {
    {"Heartbeat of safety controller received", 0, 0, 0, 0},
    {"Operator # logged in at panel", 0, 1, 100, 180},
    {"Operator # logged out", 0, 1, 100, 180},
    {"Shift changed, # machines handed over", 0, 1, 3, 24},
    {"Door of cabinet # opened with key card", 1, 3, 1, 40},
    {"Configuration saved by maintenance, # values changed", 1, 3, 1, 30},
    {"Clock corrected by # ms", 1, 4, 20, 900},
    {"Certificate expires in # days", 2, 5, 1, 30},
    {"USB storage device plugged in at panel #", 3, 6, 1, 12},
    {"Login failed for user operator, attempt #", 3, 6, 1, 5},
    {"Unknown device asked for an address on port #", 4, 6, 1, 48},
    {"Temperature of drive at # degrees", 4, 7, 71, 95},
    {"# failed logins within one minute", 5, 8, 6, 60},
    {"Firewall blocked # connections to the controller", 4, 7, 1, 500},
    {"Firmware of controller differs from release, block #", 6, 9, 1, 64},
    {"Account locked after # failed logins", 5, 7, 5, 10},
    {"Light curtain interrupted # times in one cycle", 6, 8, 1, 9},
    {"Guard door opened while spindle turns at # rpm", 8, 10, 200, 6000},
    {"Remote access from outside the allowed hours, session #", 7, 9, 1, 90},
    {"Audit log shortened by # records", 8, 10, 1, 2000},
    {"Controller switched to programming mode from port #", 8, 10, 1, 48},
    {"Emergency stop pressed at station #", 8, 10, 1, 16},
    {"Signature of update package is not valid, part #", 8, 10, 1, 12},
    {"Safety relay # does not answer", 9, 10, 1, 8},
};

static struct profile_gaps gaps(const struct profile_times *times)
{
    return (struct profile_gaps){.min_ms = times->period_ms, .max_ms = times->period_ms};
}

static void draw(struct message *message, const struct random_source *random)
{
    uint8_t index = (uint8_t)random_between(random, 0, (int64_t)ARRAY_SIZE(kinds) - 1);
    const struct kind *kind = &kinds[index];

    message->body.event.text = index;
    message->body.event.criticality =
        (uint8_t)random_between(random, kind->min_criticality, kind->max_criticality);
    message->body.event.number =
        (uint16_t)random_between(random, kind->min_number, kind->max_number);
}

static void encode(struct buf *out, const struct message *message,
                   const struct profile_source *source)
{
    const char *text = kinds[message->body.event.text].text;
    size_t before = strcspn(text, "#");
    struct buf full = BUF_INIT(256);

    (void)source;
    buf_append(&full, text, before);
    if (text[before] == '#') {
        buf_appendf(&full, "%u", message->body.event.number);
        buf_append_str(&full, text + before + 1);
    }
    event_encode_event(out, message->body.event.criticality, message->time_us, full.data);
    buf_deinit(&full);
}

const struct profile profile_event = {
    .type = EVENT_TYPE_EVENT,
    .gaps = gaps,
    .draw = draw,
    .encode = encode,
};
