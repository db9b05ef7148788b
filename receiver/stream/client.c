#include "receiver/stream/client.h"

#include <string.h>

#include "receiver/stream/hub.h"
#include "receiver/stream/streams_internal.h"

/* A client that matches little is told its position this often, so that it does not have to go
 * through all of that again when it comes back. */
#define PASSED_MAX 1000

#define NOTE_MAX 512

/* What a step of client_read() came to, when it is not bytes. */
enum { STEP_AGAIN = -1, STEP_WAIT = 0 };

/* ---- notes ---- */

/* Without memory there is no note: all of them can be missed but the gap, which ends the stream. */
static bool set_note(struct client *c, struct buf *note)
{
    if (buf_failed(note)) {
        buf_deinit(note);
        return false;
    }
    c->note = buf_take(note, &c->note_len);
    c->note_sent = 0;
    return true;
}

static struct cursor position(const struct client *c)
{
    return (struct cursor){c->epoch, c->place.after};
}

static void note_start(struct client *c, const struct client_start *start)
{
    struct buf note = BUF_INIT(NOTE_MAX);

    frame_append_retry(&note, start->retry_ms);
    /* So that one who comes back before the first event has a place to come back to. */
    if (!start->is_given)
        frame_append_position(&note, start->after);
    (void)set_note(c, &note);
}

static void note_position(struct client *c)
{
    struct buf note = BUF_INIT(NOTE_MAX);

    frame_append_position(&note, position(c));
    (void)set_note(c, &note);
    c->told = c->place.after;
    c->passed = 0;
}

static void note_heartbeat(struct client *c)
{
    struct buf note = BUF_INIT(NOTE_MAX);

    if (c->told != c->place.after)
        frame_append_position(&note, position(c));
    frame_append_heartbeat(&note);
    (void)set_note(c, &note);
    c->told = c->place.after;
    c->passed = 0;
    c->heartbeat_due = false;
}

static size_t copy_note(struct client *c, char *out, size_t max)
{
    size_t left = c->note_len - c->note_sent, len = left < max ? left : max;

    memcpy(out, c->note + c->note_sent, len);
    c->note_sent += len;
    if (len == left)
        free(TAKE(c->note));
    return len;
}

/* ---- replaying ---- */

static void set_replaying(struct client *c, bool is_replaying)
{
    if (c->is_replaying == is_replaying)
        return;
    c->is_replaying = is_replaying;
    streams_count_replaying(c->streams, is_replaying ? 1 : -1);
}

void replay_job_free(struct replay_job *job)
{
    if (job)
        replay_deinit(&job->replay);
    free(job);
}

static void drop_page(struct client *c)
{
    if (c->page)
        streams_count_pages(c->streams, -1);
    replay_job_free(TAKE(c->page));
}

void client_take_job(struct client *client, struct replay_job *job)
{
    client->job = NULL;
    client->page = job;
    streams_count_pages(client->streams, 1);
}

static void enter_gap(struct client *c, const struct replay *r)
{
    struct buf note = BUF_INIT(NOTE_MAX);
    struct cursor from = position(c);

    c->place = r->end;
    c->epoch = r->end_epoch;
    frame_append_gap(&note, from, position(c), replay_gap_name(r->gap));
    c->is_cut = !set_note(c, &note);
    c->told = c->place.after;
    streams_count_gap(c->streams, r->gap);
}

/* All of the page is sent, or there was nothing in it. */
static void leave_page(struct client *c)
{
    const struct replay *r = &c->page->replay;

    c->place = r->end;
    c->passed += r->passed;
    if (r->events > 0) {
        c->told = r->last;
        c->passed = 0;
    }
    streams_count_sent(c->streams, r->len, r->events);
    drop_page(c);
    if (hub_covers(streams_hub(c->streams), c->place.after))
        set_replaying(c, false);
}

static ssize_t step_page(struct client *c, char *out, size_t max)
{
    struct replay *r = &c->page->replay;
    size_t len = r->len - r->taken;

    if (r->error < 0) {
        c->is_stalled = true;
        drop_page(c);
        return STEP_WAIT;
    }
    if (r->is_cut) {
        c->is_cut = true;
        return STEP_AGAIN;
    }
    if (r->gap != REPLAY_NO_GAP)
        enter_gap(c, r);
    if (len > max)
        len = max;
    if (len > 0)
        memcpy(out, r->bytes + r->taken, len);
    r->taken += len;
    if (r->taken == r->len)
        leave_page(c);
    return len > 0 ? (ssize_t)len : STEP_AGAIN;
}

static ssize_t step_replay(struct client *c, char *out, size_t max)
{
    if (c->page)
        return step_page(c, out, max);
    if (c->job || c->is_stalled || c->is_queued)
        return STEP_WAIT;
    /* At the end no more is read: the client comes back and gets the frame from its beginning. */
    if (streams_is_quiescing(c->streams)) {
        c->is_cut = true;
        return STEP_AGAIN;
    }
    streams_queue(c->streams, c);
    return STEP_WAIT;
}

/* ---- live ---- */

static ssize_t step_live(struct client *c, char *out, size_t max)
{
    struct hub_copied copied;
    struct query query;

    if (c->filter)
        filter_expand(c->filter, &query);
    if (hub_copy(streams_hub(c->streams), c->filter ? &query : NULL, &c->place, out, max, &copied) <
        0) {
        set_replaying(c, true);
        return STEP_AGAIN;
    }
    c->passed += copied.passed;
    if (copied.events > 0) {
        c->told = copied.last;
        c->passed = 0;
    }
    streams_count_sent(c->streams, copied.bytes, copied.events);
    if (copied.bytes > 0)
        return (ssize_t)copied.bytes;
    return copied.more || c->passed >= PASSED_MAX ? STEP_AGAIN : STEP_WAIT;
}

/* ---- reading ---- */

/* What may go in only where no frame has been begun. */
static ssize_t step_between(struct client *c)
{
    if (streams_is_quiescing(c->streams))
        return HTTP_STREAM_END;
    if (c->heartbeat_due)
        note_heartbeat(c);
    else if (c->passed >= PASSED_MAX)
        note_position(c);
    return 0;
}

static bool is_between(const struct client *c)
{
    return c->place.offset == 0 && !c->page;
}

ssize_t client_read(struct client *client, char *out, size_t max)
{
    size_t n = 0;

    while (n < max) {
        ssize_t step;

        if (client->is_cut)
            return n > 0 ? (ssize_t)n : HTTP_STREAM_CUT;
        if (!client->note && is_between(client) && step_between(client) == HTTP_STREAM_END)
            return n > 0 ? (ssize_t)n : HTTP_STREAM_END;
        if (client->note) {
            n += copy_note(client, out + n, max - n);
            continue;
        }
        step = client->is_replaying ? step_replay(client, out + n, max - n)
                                    : step_live(client, out + n, max - n);
        if (step == STEP_WAIT)
            break;
        if (step > 0)
            n += (size_t)step;
    }
    return (ssize_t)n;
}

/* ---- life ---- */

struct client *client_new(struct streams *streams, struct http_request *request,
                          struct filter *filter, const struct client_start *start)
{
    struct hub *hub = streams_hub(streams);
    struct cursor last = hub_last(hub);
    struct client *client = calloc(1, sizeof(*client));

    if (!client) {
        filter_unref(filter);
        return NULL;
    }
    client->streams = streams;
    client->request = request;
    client->filter = filter;
    client->epoch = start->after.epoch;
    client->place.after = start->after.seq;
    client->told = start->after.seq;
    /* A cursor that may be ahead of the journal, or of another, is the journal's to judge: what was
     * committed a moment ago may not have reached the hub. */
    set_replaying(client, client->epoch != last.epoch || client->place.after > last.seq ||
                              !hub_covers(hub, client->place.after));
    note_start(client, start);
    return client;
}

void client_free(struct client *client)
{
    set_replaying(client, false);
    if (client->job)
        client->job->client = NULL;
    drop_page(client);
    filter_unref(client->filter);
    free(client->note);
    free(client);
}
