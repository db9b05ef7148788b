#include "receiver/stream/replay.h"

#include <string.h>

/* Rows that one read looks at: rows are found by an index but for `q`, which reads each. */
#define WINDOW_ROWS      20000
#define WINDOW_TEXT_ROWS 2000
#define FRAME_MAX        ((size_t)1 << 30)

struct page {
    struct replay *replay;
    struct buf out;
    struct buf frame; /* the one that is being cut into */
    struct frame_place end;
    bool is_full;
};

const char *replay_gap_name(enum replay_gap gap)
{
    static const char *const names[] = {"", "retention", "epoch", "ahead"};

    return names[gap];
}

void replay_init(struct replay *replay, struct filter *filter, uint32_t epoch,
                 struct frame_place place, size_t max_bytes)
{
    *replay = (struct replay){
        .filter = filter_ref(filter),
        .epoch = epoch,
        .place = place,
        .max_bytes = max_bytes,
        .error = -ECANCELED, /* at the end jobs are dropped without their work */
    };
}

void replay_deinit(struct replay *replay)
{
    filter_unref(TAKE(replay->filter));
    free(TAKE(replay->bytes));
}

/* Appends the frame from byte `from` on, as far as the page goes. */
static void cut_frame(struct page *page, uint64_t seq, uint64_t from)
{
    size_t left = page->frame.len - (size_t)from;
    size_t room = page->replay->max_bytes - page->out.len;
    size_t len = left < room ? left : room;

    buf_append(&page->out, page->frame.data + from, len);
    if (len < left) {
        page->end = (struct frame_place){seq - 1, from + len};
    } else {
        page->end = (struct frame_place){seq, 0};
        page->replay->events++;
        page->replay->last = seq;
    }
    page->is_full = page->out.len == page->replay->max_bytes;
}

static int take_row(void *context, const struct record *record)
{
    struct page *page = context;
    const struct replay *replay = page->replay;
    bool is_first = page->out.len == 0;

    if (page->is_full)
        return 1;
    if (is_first && replay->place.offset > 0 && record->seq != replay->place.after + 1) {
        page->is_full = true;
        return 1;
    }
    buf_reset(&page->frame);
    frame_append_event(&page->frame, (struct cursor){replay->epoch, record->seq}, record->json,
                       record->len);
    if (buf_failed(&page->frame)) {
        page->is_full = true;
        return 1;
    }
    cut_frame(page, record->seq, is_first ? replay->place.offset : 0);
    return 0;
}

static void make_query(const struct replay *replay, struct query *query)
{
    uint64_t rows = filter_has_text(replay->filter) ? WINDOW_TEXT_ROWS : WINDOW_ROWS;

    filter_expand(replay->filter, query);
    query->given |= QUERY_AFTER | QUERY_BEFORE | QUERY_LIMIT | QUERY_ORDER;
    query->after = (struct cursor){replay->epoch, replay->place.after};
    query->before = (struct cursor){replay->epoch, replay->place.after + rows + 1};
    if (query->before.seq > INT64_MAX)
        query->before.seq = INT64_MAX;
    query->limit = QUERY_LIMIT_MAX;
    query->ascending = true;
}

static enum replay_gap find_gap(const struct replay *replay, const struct journal_page *found)
{
    if (replay->epoch != found->last.epoch)
        return REPLAY_EPOCH;
    if (replay->place.after > found->last.seq)
        return REPLAY_AHEAD;
    if (replay->place.after + 1 < found->first.seq)
        return REPLAY_RETENTION;
    return REPLAY_NO_GAP;
}

/* The rows looked at, without those that are in the page. */
static unsigned count_passed(const struct replay *replay, const struct journal_page *found)
{
    uint64_t seen = replay->end.after - replay->place.after;

    return replay->filter && seen > found->rows ? (unsigned)(seen - found->rows) : 0;
}

static void keep(struct replay *replay, struct page *page, const struct journal_page *found)
{
    replay->end_epoch = found->last.epoch;
    replay->gap = find_gap(replay, found);
    if (replay->gap != REPLAY_NO_GAP) {
        replay->end = (struct frame_place){found->first.seq - 1, 0};
        replay->events = 0;
        replay->is_cut = replay->place.offset > 0;
        return;
    }
    /* The row is gone without retention: the journal is damaged. */
    if (page->out.len == 0 && replay->place.offset > 0) {
        replay->is_cut = true;
        return;
    }
    replay->end = page->end;
    if (!page->is_full && !found->more && found->position > page->end.after)
        replay->end.after = found->position;
    replay->passed = count_passed(replay, found);
    replay->bytes = buf_take(&page->out, &replay->len);
}

void replay_work(struct replay *replay, struct journal_reader *reader)
{
    struct page page = {
        .replay = replay,
        .out = BUF_INIT(replay->max_bytes),
        .frame = BUF_INIT(FRAME_MAX),
        .end = replay->place,
    };
    struct journal_page found;
    struct query query;
    struct err e;

    if (!reader) {
        replay->error = -EAGAIN;
        return;
    }
    make_query(replay, &query);
    replay->error = journal_read(reader, &query, take_row, &page, &found, &e);
    if (replay->error == 0 && (buf_failed(&page.out) || buf_failed(&page.frame)))
        replay->error = -ENOMEM;
    if (replay->error == 0)
        keep(replay, &page, &found);
    buf_deinit(&page.out);
    buf_deinit(&page.frame);
}
