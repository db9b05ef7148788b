#pragma once

/*
 * Server-sent events as bytes (html.spec.whatwg.org, 9.2.6). An event's frame depends on nothing
 * but the event: a client that has got part of it from one place may get the rest from another.
 */

#include "common/base/buf.h"
#include "receiver/query/cursor.h"

/*
 * How far a client has got in the frames of its events: all up to seq `after` are dealt with, and
 * where `offset` is not 0, that many bytes of the frame of event `after` + 1 too.
 */
struct frame_place {
    uint64_t after;
    uint64_t offset;
};

/* `id: <cursor>`, `data: <json>`, an empty line. A line end within the JSON begins another `data:`
 * line, as the format wants it. */
void frame_append_event(struct buf *out, struct cursor cursor, const char *json, size_t len);
/* False where the JSON has a line end in it. */
bool frame_is_one_line(const char *json, size_t len);

/* A frame without data: moves the cursor that the client comes back with. */
void frame_append_position(struct buf *out, struct cursor cursor);
/* `event: gap`: what lies between the cursors cannot be had. Its id is `to`. */
void frame_append_gap(struct buf *out, struct cursor from, struct cursor to, const char *reason);
/* How long a client waits before it comes back. */
void frame_append_retry(struct buf *out, int64_t retry_ms);
void frame_append_heartbeat(struct buf *out);
