#include "tests/unit/receiver/journal/fixture.h"

#include <ftw.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int64_t wall_us(void *context)
{
    return ((struct fixture *)context)->now_us;
}

static int64_t monotonic_ms(void *context)
{
    (void)context;
    return clock_monotonic_ms();
}

static uint64_t next_random(void *context)
{
    return ((struct fixture *)context)->next_random++;
}

void fixture_init(struct fixture *f)
{
    *f = (struct fixture){.dir = "/tmp/test_journal.XXXXXX", .now_us = FIXTURE_NOW_US};
    assert_non_null(mkdtemp(f->dir));
    f->next_random = FIXTURE_EPOCH;
    f->clock = (struct clock){wall_us, monotonic_ms, f};
    f->random = (struct random_source){next_random, f};
    batch_init(&f->batch, 64 << 20);
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
    (void)st;
    (void)kind;
    (void)ftw;
    return remove(path);
}

void fixture_deinit(struct fixture *f)
{
    fixture_close(f);
    batch_deinit(&f->batch);
    (void)nftw(f->dir, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

static void make(struct fixture *f)
{
    struct journal_settings settings = {
        .dir = f->dir,
        .retention_age_ms = f->retention_age_ms,
        .retention_bytes = f->retention_bytes,
        .clock = &f->clock,
        .random = &f->random,
    };
    assert_int_equal(journal_new(&settings, &f->journal, NULL), 0);
}

void fixture_open(struct fixture *f)
{
    struct err e = {0};
    make(f);
    if (journal_open(f->journal, &e) < 0) {
        fail_msg("%s", e.msg);
    }
}

void fixture_close(struct fixture *f)
{
    journal_free(TAKE(f->journal));
}

void fixture_reopen(struct fixture *f)
{
    fixture_close(f);
    fixture_open(f);
}

void fixture_path(const struct fixture *f, const char *name, char path[static 128])
{
    (void)snprintf(path, 128, "%s/%s", f->dir, name);
}

int fixture_setup(void **state)
{
    struct fixture *f = malloc(sizeof *f);
    assert_non_null(f);
    fixture_init(f);
    fixture_open(f);
    *state = f;
    return 0;
}

int fixture_teardown(void **state)
{
    fixture_deinit(*state);
    free(*state);
    return 0;
}

static struct batch_text copy(struct fixture *f, const char *text)
{
    return batch_copy(&f->batch, text, strlen(text));
}

static void add_json(struct fixture *f, struct batch_entry *entry, const struct event_row *row)
{
    const char *data = row->data ? row->data : "{\"text\":\"Hello\"}";
    char json[4096];
    int head = snprintf(json, sizeof json, "{\"specversion\":\"1.0\",\"id\":\"%s\",\"data\":",
                        batch_in(&f->batch, entry->id));
    int n = snprintf(json + head, sizeof json - (size_t)head, "%s,\"type\":\"%s\"}", data,
                     batch_in(&f->batch, entry->type));
    assert_true(head > 0 && n > 0 && (size_t)head + (size_t)n < sizeof json);
    entry->json = batch_copy(&f->batch, json, (size_t)head + (size_t)n);
    entry->data = (struct batch_text){entry->json.at + (size_t)head, strlen(data)};
}

struct batch_entry *fixture_add(struct fixture *f, const struct event_row *row)
{
    char id[32];
    (void)snprintf(id, sizeof id, "id-%" PRIu64, ++f->ids);
    struct batch_entry *entry = batch_add(&f->batch);
    assert_non_null(entry);
    entry->recorded_us = f->now_us;
    entry->time_us = row->time_us ? row->time_us : EVENT_NO_TIME;
    entry->criticality = row->has_criticality ? row->criticality : EVENT_NO_NUMBER;
    entry->dedupe_none = row->dedupe_none;
    entry->source = copy(f, row->source ? row->source : "/machines/a");
    entry->id = copy(f, row->id ? row->id : id);
    entry->type = copy(f, row->type ? row->type : EVENT_TYPE_HELLO);
    entry->has_bootid = row->bootid != NULL;
    entry->bootid = copy(f, row->bootid ? row->bootid : "");
    entry->has_sequence = row->sequence != 0;
    entry->sequence = row->sequence;
    entry->color = copy(f, row->color ? row->color : "");
    add_json(f, entry, row);
    assert_false(batch_failed(&f->batch));
    return entry;
}

void fixture_add_quarantine(struct fixture *f, const char *topic, const void *payload, size_t size)
{
    struct batch_entry *entry = batch_add(&f->batch);
    assert_non_null(entry);
    entry->quarantine = true;
    entry->recorded_us = f->now_us;
    entry->topic = copy(f, topic);
    entry->reason = copy(f, "not JSON");
    entry->json = batch_copy(&f->batch, payload, size);
}

void fixture_append(struct fixture *f)
{
    struct err e = {0};
    if (journal_append(f->journal, &f->batch, &e) < 0) {
        fail_msg("%s", e.msg);
    }
}

struct batch_entry *fixture_store(struct fixture *f, const struct event_row *row)
{
    batch_reset(&f->batch);
    struct batch_entry *entry = fixture_add(f, row);
    fixture_append(f);
    return entry;
}

struct journal_status fixture_status(struct fixture *f)
{
    struct journal_status status;
    journal_status(f->journal, &status);
    return status;
}

struct journal_reader *fixture_reader(struct fixture *f)
{
    struct journal_reader *reader = NULL;
    struct err e = {0};
    if (journal_reader_open(f->journal, &reader, &e) < 0) {
        fail_msg("%s", e.msg);
    }
    return reader;
}

struct incident_text {
    char *text;
    size_t size, len;
};

static void add_incident(void *context, const struct journal_incident_row *row)
{
    struct incident_text *out = context;
    int n = snprintf(out->text + out->len, out->size - out->len,
                     "%s %s %s %" PRIu64 "-%" PRIu64 " %" PRIu64 " %s\n", row->kind,
                     row->source ? row->source : "-", row->bootid ? row->bootid : "-", row->from,
                     row->to, row->missing, row->closed_us ? "closed" : "open");
    assert_true(n > 0 && (size_t)n < out->size - out->len);
    out->len += (size_t)n;
}

void fixture_incidents(struct fixture *f, char *text, size_t size)
{
    struct incident_text out = {text, size, 0};
    struct journal_list list = {.limit = 1000};
    bool more;
    text[0] = '\0';
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_read_incidents(reader, &list, add_incident, &out, &more, NULL), 0);
    journal_reader_close(reader);
}

struct source_wanted {
    const char *name;
    bool found;
    struct journal_source row;
    char bootid[EVENT_BOOTID_MAX + 1], color[EVENT_COLOR_SIZE];
};

/* The caller keeps the last one asked for, so one copy serves. */
static struct source_wanted wanted;

static void take_source(void *context, const struct journal_source *source)
{
    (void)context;
    if (strcmp(source->source, wanted.name) != 0) {
        return;
    }
    wanted.found = true;
    wanted.row = *source;
    wanted.row.source = wanted.row.last_type = "";
    if (source->bootid) {
        (void)snprintf(wanted.bootid, sizeof wanted.bootid, "%s", source->bootid);
        wanted.row.bootid = wanted.bootid;
    }
    if (source->color) {
        (void)snprintf(wanted.color, sizeof wanted.color, "%s", source->color);
        wanted.row.color = wanted.color;
    }
}

struct journal_source fixture_source(struct fixture *f, const char *source)
{
    bool more;
    wanted = (struct source_wanted){.name = source};
    struct journal_reader *reader = fixture_reader(f);
    assert_int_equal(journal_read_sources(reader, NULL, 1000, take_source, NULL, &more, NULL), 0);
    journal_reader_close(reader);
    assert_true(wanted.found);
    return wanted.row;
}
