#include "receiver/journal/append.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "receiver/query/cursor.h"

/* docs/api.md: the attribute is an Integer of CloudEvents, 32 bits. */
#define INTERVAL_MAX_MS INT32_MAX

/* What an event is to its source, before anything is written. */
struct placing {
    uint64_t seq;
    int64_t time_us;
    bool has_sequence;
    enum arrival arrival;
    uint64_t highest;
    bool late;
    int64_t interval_ms; /* < 0: none */
};

static const char *entry_bootid(const struct batch *batch, const struct batch_entry *entry)
{
    return entry->has_bootid ? batch_in(batch, entry->bootid) : "";
}

static int64_t interval_ms(const struct track *track, const struct placing *placing)
{
    int64_t interval_us;
    bool overflow = __builtin_sub_overflow(placing->time_us, track->last_time_us, &interval_us);
    if (track->count == 0 || placing->late || overflow || interval_us < 0 ||
        interval_us / 1000 > INTERVAL_MAX_MS) {
        return -1;
    }
    return interval_us / 1000;
}

static int place(struct writer *writer, const struct batch *batch, const struct batch_entry *entry,
                 const struct track *track, struct placing *ret_placing, struct err *e)
{
    struct placing placing = {
        .seq = writer->totals.last_seq + 1,
        .time_us = entry->time_us == EVENT_NO_TIME ? entry->recorded_us : entry->time_us,
        /* The database's integers have a sign; no honest source counts that far. */
        .has_sequence = entry->has_sequence && entry->sequence <= INT64_MAX,
    };
    if (placing.has_sequence) {
        int r = tracker_classify(writer->tracker, track, entry_bootid(batch, entry),
                                 entry->sequence, &placing.arrival, &placing.highest, e);
        if (r < 0) {
            return r;
        }
        placing.late = placing.arrival == ARRIVAL_LATE;
    } else {
        placing.late = track->count > 0 && placing.time_us < track->last_time_us;
    }
    placing.interval_ms = interval_ms(track, &placing);
    *ret_placing = placing;
    return 0;
}

/* The text as relayed: our attributes go in before the object's last brace. */
static int splice(uint32_t epoch, struct batch *batch, struct batch_entry *entry,
                  const struct placing *placing, struct err *e)
{
    const char *json = batch_in(batch, entry->json);
    assert(entry->json.len > 2 && json[entry->json.len - 1] == '}');
    char recorded[CLOCK_TEXT_SIZE], cursor[CURSOR_TEXT_SIZE];
    clock_format_us(entry->recorded_us, recorded);
    cursor_format((struct cursor){epoch, placing->seq}, cursor);

    struct buf *out = &batch->out;
    entry->stored.at = out->len;
    buf_append(out, json, entry->json.len - 1);
    buf_append_str(out, ",\"cursor\":\"");
    buf_append_str(out, cursor);
    buf_append_str(out, "\",\"recordedtime\":\"");
    buf_append_str(out, recorded);
    buf_append_char(out, '"');
    if (placing->interval_ms >= 0) {
        buf_appendf(out, ",\"intervalms\":%" PRId64, placing->interval_ms);
    }
    if (placing->late) {
        buf_append_str(out, ",\"late\":true");
    }
    if (entry->dedupe_none) {
        buf_append_str(out, ",\"dedupe\":\"none\"");
    }
    buf_append_char(out, '}');
    if (buf_failed(out)) {
        return FAIL(e, ENOMEM, "no memory for the batch");
    }
    entry->stored.len = out->len - entry->stored.at;
    entry->stored_data = (struct batch_text){0, entry->data.len};
    if (entry->data.len > 0) {
        entry->stored_data.at = entry->stored.at + (entry->data.at - entry->json.at);
    }
    return 0;
}

/* > 0: stored; 0: a duplicate. */
static int insert(struct writer *writer, const struct batch *batch, const struct batch_entry *entry,
                  const struct track *track, const struct placing *placing, struct err *e)
{
    sqlite3_stmt *stmt = writer->insert;
    db_bind_int(stmt, 1, (int64_t)placing->seq);
    db_bind_int(stmt, 2, track->source_id);
    db_bind_text(stmt, 3, batch_in(batch, entry->id), entry->id.len);
    db_bind_text(stmt, 4, batch_in(batch, entry->type), entry->type.len);
    db_bind_int(stmt, 5, placing->time_us);
    db_bind_int(stmt, 6, entry->recorded_us);
    if (entry->criticality == EVENT_NO_NUMBER) {
        db_bind_null(stmt, 7);
    } else {
        db_bind_int(stmt, 7, entry->criticality);
    }
    db_bind_int(stmt, 8, (int64_t)(entry->stored_data.at - entry->stored.at));
    db_bind_int(stmt, 9, (int64_t)entry->stored_data.len);
    db_bind_text(stmt, 10, batch_out(batch, entry->stored), entry->stored.len);
    int r = db_run(stmt, e);
    return r < 0 ? r : sqlite3_changes(writer->db) > 0;
}

/* Moves the source's sequence on, opening or filling holes. */
static int take_sequence(struct writer *writer, const struct batch *batch,
                         const struct batch_entry *entry, struct track *track,
                         const struct placing *placing, struct err *e)
{
    struct hole hole = {
        .bootid = entry_bootid(batch, entry),
        .from = entry->sequence,
        .to = entry->sequence,
        .now_us = entry->recorded_us,
    };
    if (placing->arrival == ARRIVAL_LATE) {
        return incidents_hole_fill(&writer->incidents, &writer->totals, track, &hole, e);
    }
    if (placing->arrival == ARRIVAL_JUMP) {
        hole.from = placing->highest + 1;
        hole.to = entry->sequence - 1;
        int r = incidents_hole_open(&writer->incidents, &writer->totals, track, &hole, e);
        if (r < 0) {
            return r;
        }
    }
    return tracker_advance(writer->tracker, track, hole.bootid, entry->sequence, placing->seq, e);
}

static int set_last_type(struct track *track, const char *type, struct err *e)
{
    if (track->last_type && strcmp(track->last_type, type) == 0) {
        return 0;
    }
    char *copy = strdup(type);
    if (!copy) {
        return FAIL(e, ENOMEM, "no memory");
    }
    free(track->last_type);
    track->last_type = copy;
    return 0;
}

static int take_stored(struct writer *writer, const struct batch *batch, struct batch_entry *entry,
                       struct track *track, const struct placing *placing, struct err *e)
{
    struct block_event summary = {
        .seq = placing->seq,
        .source_id = track->source_id,
        .type = batch_in(batch, entry->type),
        .time_us = placing->time_us,
        .recorded_us = entry->recorded_us,
        .criticality = entry->criticality,
    };
    int r = blocks_add(&writer->blocks, &summary, e);
    if (r == 0 && placing->has_sequence) {
        r = take_sequence(writer, batch, entry, track, placing, e);
    }
    if (r == 0) {
        r = set_last_type(track, summary.type, e);
    }
    if (r < 0) {
        return r;
    }
    if (track->count == 0) {
        track->first_seen_us = entry->recorded_us;
    }
    if (track->count == 0 || !placing->late) {
        track->last_time_us = placing->time_us;
    }
    if (entry->color.len > 0 && entry->color.len < sizeof track->color) {
        memcpy(track->color, batch_in(batch, entry->color), entry->color.len + 1);
    }
    track->last_seen_us = entry->recorded_us;
    track->last_seq = placing->seq;
    track->count++;
    track->late += placing->late;
    writer->totals.last_seq = placing->seq;
    entry->seq = placing->seq;
    entry->outcome = BATCH_STORED;
    return 0;
}

static int append_event(struct writer *writer, struct batch *batch, struct batch_entry *entry,
                        struct err *e)
{
    struct track *track;
    struct placing placing = {0};
    int r =
        tracker_find(writer->tracker, batch_in(batch, entry->source), entry->source.len, &track, e);
    if (r == 0) {
        r = tracker_touch(writer->tracker, track, e);
    }
    if (r == 0) {
        r = place(writer, batch, entry, track, &placing, e);
    }
    if (r == 0) {
        r = splice(writer->epoch, batch, entry, &placing, e);
    }
    if (r == 0) {
        r = insert(writer, batch, entry, track, &placing, e);
    }
    if (r != 0) {
        return r < 0 ? r : take_stored(writer, batch, entry, track, &placing, e);
    }
    batch->out.len = entry->stored.at;
    entry->stored = entry->stored_data = (struct batch_text){0, 0};
    entry->outcome = BATCH_DUPLICATE;
    track->duplicates++;
    return 0;
}

int append_batch(struct writer *writer, struct batch *batch, struct err *e)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_entry *entry = &batch->entries[i];
        int r;
        if (entry->quarantine) {
            r = quarantine_add(&writer->quarantine, &writer->totals, batch, entry, e);
            entry->outcome = BATCH_QUARANTINED;
        } else {
            r = append_event(writer, batch, entry, e);
        }
        if (r < 0) {
            return r;
        }
    }
    return 0;
}

void append_undo(struct batch *batch)
{
    for (size_t i = 0; i < batch->count; i++) {
        struct batch_entry *entry = &batch->entries[i];
        entry->outcome = BATCH_PENDING;
        entry->seq = 0;
        entry->stored = entry->stored_data = (struct batch_text){0, 0};
    }
    if (batch->out.len > 1) {
        batch->out.len = 1;
    }
    batch->out.failed = false;
}
