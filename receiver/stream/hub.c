#include "receiver/stream/hub.h"

#include <pthread.h>
#include <string.h>

#include "receiver/query/match.h"
#include "receiver/stream/ring.h"

/* Of the frames of one batch while they are made; the batch itself is bounded lower. */
#define SCRATCH_MAX  ((size_t)1 << 30)
#define SCRATCH_KEEP ((size_t)1 << 20)

/* Events that one call looks at while it holds the lock. */
#define SCAN_MAX 1024

/* A frame is hardly ever shorter than this, nor its type and source longer than a quarter of it. */
#define FRAME_TYPICAL_MIN 256
#define NAMES_SHARE       4
#define NAMES_MIN         ((size_t)4 * (EVENT_TYPE_MAX + EVENT_SOURCE_MAX + 2))

struct entry {
    uint64_t seq;
    uint64_t at; /* in `frames` */
    uint32_t len;
    uint32_t data_at, data_len; /* the event's data within the frame; length 0: none */
    uint32_t source_at;         /* the source behind the type, in `names` */
    uint64_t names_at;
    int64_t time_us;
    int64_t criticality;
};

struct hub {
    uv_async_t async;
    void (*published)(void *context);
    void *context;
    struct buf scratch; /* the ingest thread's */

    pthread_mutex_t lock; /* of all below */
    struct cursor last;
    uint64_t missing; /* the newest seq that is not in the ring; all after it are */
    struct ring frames, names;
    struct entry *entries; /* number n is at n % capacity */
    size_t capacity;
    uint64_t first, end; /* numbers of the oldest entry and behind the newest */
};

static struct entry *entry_of(const struct hub *hub, uint64_t number)
{
    return &hub->entries[number % hub->capacity];
}

/* ---- life ---- */

static void on_async(uv_async_t *async)
{
    struct hub *hub = async->data;

    hub->published(hub->context);
}

static int init_rings(struct hub *hub, size_t ring_bytes)
{
    size_t names = ring_bytes / NAMES_SHARE;
    int r = ring_init(&hub->frames, ring_bytes);

    if (r == 0)
        r = ring_init(&hub->names, names > NAMES_MIN ? names : NAMES_MIN);
    hub->capacity = ring_bytes / FRAME_TYPICAL_MIN + 1;
    hub->entries = r == 0 ? malloc(hub->capacity * sizeof(*hub->entries)) : NULL;
    return hub->entries ? 0 : -ENOMEM;
}

static void destroy(struct hub *hub)
{
    free(hub->entries);
    ring_deinit(&hub->frames);
    ring_deinit(&hub->names);
    buf_deinit(&hub->scratch);
    pthread_mutex_destroy(&hub->lock);
    free(hub);
}

static void on_closed(uv_handle_t *handle)
{
    destroy(handle->data);
}

int hub_new(uv_loop_t *loop, size_t ring_bytes, void (*published)(void *context), void *context,
            struct hub **ret_hub)
{
    struct hub *hub = calloc(1, sizeof(*hub));
    int r;

    if (!hub)
        return -ENOMEM;
    pthread_mutex_init(&hub->lock, NULL);
    hub->scratch = BUF_INIT(SCRATCH_MAX);
    hub->published = published;
    hub->context = context;
    hub->async.data = hub;
    r = init_rings(hub, ring_bytes);
    if (r == 0)
        r = uv_async_init(loop, &hub->async, on_async);
    if (r < 0) {
        destroy(hub);
        return r;
    }
    *ret_hub = hub;
    return 0;
}

void hub_free(struct hub *hub)
{
    if (hub)
        uv_close((uv_handle_t *)&hub->async, on_closed);
}

void hub_open(struct hub *hub, struct cursor last)
{
    pthread_mutex_lock(&hub->lock);
    hub->last = last;
    hub->missing = last.seq;
    pthread_mutex_unlock(&hub->lock);
}

struct cursor hub_last(struct hub *hub)
{
    struct cursor last;

    pthread_mutex_lock(&hub->lock);
    last = hub->last;
    pthread_mutex_unlock(&hub->lock);
    return last;
}

bool hub_covers(struct hub *hub, uint64_t after)
{
    bool covers;

    pthread_mutex_lock(&hub->lock);
    covers = after >= hub->missing;
    pthread_mutex_unlock(&hub->lock);
    return covers;
}

/* ---- publishing ---- */

static void drop_oldest(struct hub *hub)
{
    hub->missing = entry_of(hub, hub->first++)->seq;
    if (hub->first == hub->end) {
        ring_drop(&hub->frames, hub->frames.head);
        ring_drop(&hub->names, hub->names.head);
    } else {
        ring_drop(&hub->frames, entry_of(hub, hub->first)->at);
        ring_drop(&hub->names, entry_of(hub, hub->first)->names_at);
    }
}

/* The event cannot be in the ring: who wants it reads the journal. */
static void pass_by(struct hub *hub, uint64_t seq)
{
    while (hub->first < hub->end)
        drop_oldest(hub);
    hub->missing = seq;
}

static void put_names(struct hub *hub, struct entry *entry, const struct batch *batch,
                      const struct batch_entry *from)
{
    char names[EVENT_TYPE_MAX + EVENT_SOURCE_MAX + 2];
    size_t type = from->type.len, source = from->source.len;

    memcpy(names, batch_in(batch, from->type), type);
    names[type] = '\0';
    memcpy(names + type + 1, batch_in(batch, from->source), source);
    names[type + 1 + source] = '\0';
    entry->source_at = (uint32_t)type + 1;
    while (!ring_fits(&hub->names, type + source + 2, &entry->names_at))
        drop_oldest(hub);
    ring_put(&hub->names, entry->names_at, names, type + source + 2);
}

static void put_frame(struct hub *hub, const struct batch *batch, const struct batch_entry *from,
                      const char *frame, size_t len)
{
    /* The frame's lines around the JSON: nothing but one line end is behind it. */
    size_t json_at = len - 2 - from->stored.len;
    struct entry entry = {
        .seq = from->seq,
        .len = (uint32_t)len,
        .data_at = (uint32_t)(json_at + from->stored_data.at - from->stored.at),
        .data_len = (uint32_t)from->stored_data.len,
        .time_us = from->time_us != EVENT_NO_TIME ? from->time_us : from->recorded_us,
        .criticality = from->criticality,
    };

    if (hub->end - hub->first == hub->capacity)
        drop_oldest(hub);
    while (!ring_fits(&hub->frames, len, &entry.at))
        drop_oldest(hub);
    put_names(hub, &entry, batch, from);
    ring_put(&hub->frames, entry.at, frame, len);
    *entry_of(hub, hub->end++) = entry;
}

static bool is_for_ring(const struct hub *hub, const struct batch *batch,
                        const struct batch_entry *entry, size_t frame_len)
{
    return frame_len <= hub->frames.size / 2 && entry->type.len <= EVENT_TYPE_MAX &&
           entry->source.len <= EVENT_SOURCE_MAX &&
           frame_is_one_line(batch_out(batch, entry->stored), entry->stored.len);
}

static void put_batch(struct hub *hub, const struct batch *batch)
{
    size_t at = 0;

    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_entry *entry = &batch->entries[i];
        const char *frame = hub->scratch.data + at;
        size_t len;

        if (entry->outcome != BATCH_STORED)
            continue;
        /* Its length stands before each frame. */
        memcpy(&len, frame, sizeof(len));
        frame += sizeof(len);
        at += sizeof(len) + len;
        if (is_for_ring(hub, batch, entry, len))
            put_frame(hub, batch, entry, frame, len);
        else
            pass_by(hub, entry->seq);
        hub->last.seq = entry->seq;
    }
}

/* Without memory for the frames all of the batch is left to the journal. */
static void pass_batch(struct hub *hub, const struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        if (batch->entries[i].outcome == BATCH_STORED) {
            pass_by(hub, batch->entries[i].seq);
            hub->last.seq = batch->entries[i].seq;
        }
    }
}

static void make_frames(struct hub *hub, const struct batch *batch, uint32_t epoch)
{
    struct buf *out = &hub->scratch;

    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_entry *entry = &batch->entries[i];
        size_t at = out->len, len = 0;

        if (entry->outcome != BATCH_STORED)
            continue;
        buf_append(out, &len, sizeof(len));
        frame_append_event(out, (struct cursor){epoch, entry->seq}, batch_out(batch, entry->stored),
                           entry->stored.len);
        if (buf_failed(out))
            return;
        len = out->len - at - sizeof(len);
        memcpy(out->data + at, &len, sizeof(len));
    }
}

void hub_publish(struct hub *hub, const struct batch *batch)
{
    /* The frames are made before the lock is taken: clients copy under it. */
    make_frames(hub, batch, hub_last(hub).epoch);
    pthread_mutex_lock(&hub->lock);
    if (buf_failed(&hub->scratch))
        pass_batch(hub, batch);
    else
        put_batch(hub, batch);
    pthread_mutex_unlock(&hub->lock);
    if (hub->scratch.capacity > SCRATCH_KEEP)
        buf_deinit(&hub->scratch);
    buf_reset(&hub->scratch);
    uv_async_send(&hub->async);
}

/* ---- copying ---- */

/* The number of the first entry for which `key` of it is at least `value`; `end` if none is. */
static uint64_t find(const struct hub *hub, uint64_t value, uint64_t (*key)(const struct entry *))
{
    uint64_t low = hub->first, high = hub->end;

    while (low < high) {
        uint64_t middle = low + (high - low) / 2;

        if (key(entry_of(hub, middle)) < value)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static uint64_t seq_of(const struct entry *entry)
{
    return entry->seq;
}

static uint64_t end_of(const struct entry *entry)
{
    return entry->at + entry->len;
}

/* Bytes up to `at` were copied: within entry `number` or up to its end. */
static void move_place(const struct hub *hub, uint64_t number, uint64_t at,
                       struct frame_place *place)
{
    const struct entry *entry = entry_of(hub, number);

    if (at == end_of(entry))
        *place = (struct frame_place){entry->seq, 0};
    else
        *place = (struct frame_place){entry->seq - 1, at - entry->at};
}

/* Everything from entry `number` on, a run at a time. */
static void copy_all(const struct hub *hub, uint64_t number, struct frame_place *place, char *out,
                     size_t max, struct hub_copied *copied)
{
    while (number < hub->end && copied->bytes < max) {
        uint64_t from = entry_of(hub, number)->at + place->offset;
        uint64_t to = ring_run_end(&hub->frames, from);
        uint64_t reached;

        if (to - from > max - copied->bytes)
            to = from + (max - copied->bytes);
        memcpy(out + copied->bytes, ring_bytes(&hub->frames, from), (size_t)(to - from));
        copied->bytes += (size_t)(to - from);
        reached = find(hub, to, end_of);
        move_place(hub, reached, to, place);
        reached += place->offset == 0;
        copied->events += (unsigned)(reached - number);
        copied->last = place->after;
        number = reached;
    }
    copied->more = number < hub->end;
}

static bool entry_matches(const struct hub *hub, const struct query *filter,
                          const struct entry *entry)
{
    const char *names = ring_bytes(&hub->names, entry->names_at);
    const struct match_subject subject = {
        .type = names,
        .source = names + entry->source_at,
        .time_us = entry->time_us,
        .criticality = entry->criticality,
        .data = entry->data_len > 0 ? ring_bytes(&hub->frames, entry->at) + entry->data_at : NULL,
        .data_len = entry->data_len,
    };

    return query_matches(filter, &subject);
}

/* The frame of `number` from the place on, as far as there is room. */
static void copy_one(const struct hub *hub, uint64_t number, struct frame_place *place, char *out,
                     size_t max, struct hub_copied *copied)
{
    const struct entry *entry = entry_of(hub, number);
    uint64_t from = entry->at + place->offset, to = end_of(entry);

    if (to - from > max - copied->bytes)
        to = from + (max - copied->bytes);
    memcpy(out + copied->bytes, ring_bytes(&hub->frames, from), (size_t)(to - from));
    copied->bytes += (size_t)(to - from);
    move_place(hub, number, to, place);
    if (place->offset == 0) {
        copied->events++;
        copied->last = place->after;
    }
}

static void copy_matching(const struct hub *hub, const struct query *filter, uint64_t number,
                          struct frame_place *place, char *out, size_t max,
                          struct hub_copied *copied)
{
    uint64_t stop = hub->end - number > SCAN_MAX ? number + SCAN_MAX : hub->end;

    for (; number < stop && copied->bytes < max; number++) {
        const struct entry *entry = entry_of(hub, number);

        /* A frame that was begun is one that matches. */
        if (place->offset > 0 || entry_matches(hub, filter, entry)) {
            copy_one(hub, number, place, out, max, copied);
        } else {
            place->after = entry->seq;
            copied->passed++;
        }
    }
    copied->more = number < hub->end || place->offset > 0;
}

int hub_copy(struct hub *hub, const struct query *filter, struct frame_place *place, char *out,
             size_t max, struct hub_copied *ret_copied)
{
    struct hub_copied copied = {0};
    uint64_t number;
    int r = 0;

    pthread_mutex_lock(&hub->lock);
    if (place->after < hub->missing) {
        r = -ESTALE;
    } else if (place->after < hub->last.seq) {
        number = find(hub, place->after + 1, seq_of);
        if (filter)
            copy_matching(hub, filter, number, place, out, max, &copied);
        else
            copy_all(hub, number, place, out, max, &copied);
    }
    pthread_mutex_unlock(&hub->lock);
    *ret_copied = copied;
    return r;
}
