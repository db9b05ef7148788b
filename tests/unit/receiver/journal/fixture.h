#pragma once

/* A journal in a folder of its own, with a clock and random numbers that the test drives. */

#include <stdint.h>

#include "receiver/journal/journal.h"

struct fixture {
    char dir[64];
    int64_t now_us;       /* wall clock; stands still unless the test moves it */
    uint64_t next_random; /* counts up */
    struct clock clock;
    struct random_source random;
    int64_t retention_age_ms, retention_bytes;
    struct journal *journal;
    struct batch batch;
    uint64_t ids; /* made by event_of() */
};

#define FIXTURE_NOW_US INT64_C(1795210681000000) /* 2026-11-20T21:38:01Z */
#define FIXTURE_EPOCH  0x5f3a9c01

/* A new folder; the journal is not open yet. */
void fixture_init(struct fixture *f);
/* Removes the folder. */
void fixture_deinit(struct fixture *f);
/* journal_new and journal_open, which must succeed. */
void fixture_open(struct fixture *f);
void fixture_close(struct fixture *f);
void fixture_reopen(struct fixture *f);
void fixture_path(const struct fixture *f, const char *name, char path[static 128]);

/* cmocka's setup and teardown: *state is a struct fixture with an open journal. */
int fixture_setup(void **state);
int fixture_teardown(void **state);

struct event_row {
    const char *source; /* NULL: "/machines/a" */
    const char *id;     /* NULL: one of its own */
    const char *type;   /* NULL: bellbuoy.hello.v1 */
    const char *bootid; /* NULL: none */
    uint64_t sequence;  /* 0: none */
    int64_t time_us;    /* 0: none */
    const char *data;   /* NULL: {"text":"Hello"} */
    const char *color;  /* NULL: none */
    bool has_criticality;
    int64_t criticality;
    bool dedupe_none;
};

/* Adds to the batch, recorded now. */
struct batch_entry *fixture_add(struct fixture *f, const struct event_row *row);
void fixture_add_quarantine(struct fixture *f, const char *topic, const void *payload, size_t size);
/* Appends the batch, which must succeed. The entries stay to be looked at. */
void fixture_append(struct fixture *f);
/* Empties the batch, adds the row, appends; the entry. */
struct batch_entry *fixture_store(struct fixture *f, const struct event_row *row);
#define STORE(f, ...) fixture_store((f), &(const struct event_row){__VA_ARGS__})
#define ADD(f, ...)   fixture_add((f), &(const struct event_row){__VA_ARGS__})

struct journal_status fixture_status(struct fixture *f);
struct journal_reader *fixture_reader(struct fixture *f);

/* The open or closed incidents, newest first: "kind source bootid from-to missing open|closed\n".
 */
void fixture_incidents(struct fixture *f, char *text, size_t size);
/* The source's row; its strings are copied, `source` and `last_type` excepted, which are "". */
struct journal_source fixture_source(struct fixture *f, const char *source);
