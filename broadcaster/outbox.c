#include "broadcaster/outbox.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MIN_SLOTS 64

enum state { WAITING, IN_FLIGHT, ACKNOWLEDGED };

struct slot {
    struct message message;
    int64_t acknowledged_ms; /* last time */
    uint8_t state;
    bool delivered; /* it was acknowledged at least once */
    bool sent;      /* it was published at least once */
};

struct flight {
    int mid; /* 0: landed */
    uint64_t position;
};

/* Positions count messages since the start; slot of position p: slots[p & (size - 1)]. */
struct outbox {
    size_t max;
    int64_t window_ms;
    struct slot *slots;
    size_t size;     /* a power of two */
    uint64_t head;   /* the oldest that is kept */
    uint64_t cursor; /* the next to publish */
    uint64_t tail;   /* behind the newest */
    size_t undelivered;
    struct flight flights[OUTBOX_MAX_IN_FLIGHT]; /* in the order of publishing */
    uint64_t first_flight, last_flight;          /* behind the last; counted like positions */
};

static struct slot *slot_at(const struct outbox *o, uint64_t position)
{
    return &o->slots[position & (o->size - 1)];
}

static struct flight *flight_at(struct outbox *o, uint64_t index)
{
    return &o->flights[index % OUTBOX_MAX_IN_FLIGHT];
}

static bool resize(struct outbox *o, size_t size)
{
    struct slot *slots = calloc(size, sizeof(*slots));

    if (!slots)
        return false;
    for (uint64_t p = o->head; p < o->tail; p++)
        slots[p & (size - 1)] = *slot_at(o, p);
    free(o->slots);
    o->slots = slots;
    o->size = size;
    return true;
}

int outbox_new(size_t max_messages, int64_t window_ms, struct outbox **ret_outbox)
{
    struct outbox *o = calloc(1, sizeof(*o));

    if (!o)
        return -ENOMEM;
    o->max = max_messages;
    o->window_ms = window_ms;
    if (!resize(o, MIN_SLOTS)) {
        free(o);
        return -ENOMEM;
    }
    *ret_outbox = o;
    return 0;
}

void outbox_free(struct outbox *outbox)
{
    if (!outbox)
        return;
    free(outbox->slots);
    free(outbox);
}

/* The slot's flight, if it has one, stays: its acknowledgement then finds nothing. */
static void let_go_of_head(struct outbox *o)
{
    o->head++;
    if (o->cursor < o->head)
        o->cursor = o->head;
    if (o->size > MIN_SLOTS && o->tail - o->head < o->size / 8)
        (void)resize(o, o->size / 2); /* without memory for less it stays as it is */
}

static bool make_room(struct outbox *o)
{
    size_t count = o->tail - o->head;

    if (count >= o->max) {
        if (!slot_at(o, o->head)->delivered)
            return false;
        let_go_of_head(o);
    }
    return o->tail - o->head < o->size || resize(o, o->size * 2);
}

bool outbox_put(struct outbox *outbox, const struct message *message)
{
    struct outbox *o = outbox;

    if (!make_room(o))
        return false;
    *slot_at(o, o->tail++) = (struct slot){.message = *message, .state = WAITING};
    o->undelivered++;
    return true;
}

const struct message *outbox_next(const struct outbox *outbox)
{
    if (outbox->cursor == outbox->tail ||
        outbox->last_flight - outbox->first_flight == OUTBOX_MAX_IN_FLIGHT)
        return NULL;
    return &slot_at(outbox, outbox->cursor)->message;
}

bool outbox_sent(struct outbox *outbox, int mid)
{
    struct outbox *o = outbox;
    struct slot *slot = slot_at(o, o->cursor);
    bool repeat = slot->sent;

    *flight_at(o, o->last_flight++) = (struct flight){.mid = mid, .position = o->cursor++};
    slot->state = IN_FLIGHT;
    slot->sent = true;
    return repeat;
}

/* Brokers acknowledge in order, so it is nearly always the first. */
static struct flight *find_flight(struct outbox *o, int mid)
{
    for (uint64_t i = o->first_flight; i < o->last_flight; i++) {
        if (flight_at(o, i)->mid == mid)
            return flight_at(o, i);
    }
    return NULL;
}

static void expire(struct outbox *o, int64_t now_ms)
{
    while (o->head < o->cursor) {
        const struct slot *slot = slot_at(o, o->head);
        if (slot->state != ACKNOWLEDGED || slot->acknowledged_ms + o->window_ms > now_ms)
            return;
        let_go_of_head(o);
    }
}

enum outbox_ack outbox_acknowledge(struct outbox *outbox, int mid, int64_t now_ms,
                                   struct message *ret_message)
{
    struct outbox *o = outbox;
    enum outbox_ack outcome = OUTBOX_REPEAT;
    struct flight *flight = find_flight(o, mid);

    if (!flight)
        return OUTBOX_UNKNOWN;
    uint64_t position = flight->position;
    flight->mid = 0;
    while (o->first_flight < o->last_flight && flight_at(o, o->first_flight)->mid == 0)
        o->first_flight++;

    if (position >= o->head) {
        struct slot *slot = slot_at(o, position);
        slot->state = ACKNOWLEDGED;
        slot->acknowledged_ms = now_ms;
        if (!slot->delivered) {
            slot->delivered = true;
            o->undelivered--;
            *ret_message = slot->message;
            outcome = OUTBOX_FIRST;
        }
    }
    expire(o, now_ms);
    return outcome;
}

void outbox_rewind(struct outbox *outbox)
{
    outbox->cursor = outbox->head;
    outbox->first_flight = outbox->last_flight;
    for (uint64_t p = outbox->head; p < outbox->tail; p++)
        slot_at(outbox, p)->state = WAITING;
}

size_t outbox_count(const struct outbox *outbox)
{
    return outbox->tail - outbox->head;
}

size_t outbox_undelivered(const struct outbox *outbox)
{
    return outbox->undelivered;
}

bool outbox_is_settled(const struct outbox *outbox)
{
    return outbox->cursor == outbox->tail && outbox->first_flight == outbox->last_flight;
}
