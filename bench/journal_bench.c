/*
 * The journal alone: rows a second by batch size and number of sources, beside a bare prepared
 * INSERT of the same texts into a table without index; or opening and reads over many rows.
 *
 *     journal_bench append|read DIR ROWS
 *
 * One JSON object a line.
 */

#include <inttypes.h>
#include <limits.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "common/base/log.h"
#include "receiver/journal/journal.h"

#define READS 20

struct load {
    unsigned sources;
    unsigned batch_rows;
    int64_t retention_bytes;
};

static int64_t cpu_us(void)
{
    struct timespec ts;
    (void)clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &ts);
    return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static struct batch_text copy(struct batch *batch, const char *text)
{
    return batch_copy(batch, text, strlen(text));
}

/* The shapes of the three profiles, in turn. */
static void add_row(struct batch *batch, uint64_t n, unsigned sources)
{
    struct event_identity identity = {.sequence = n / sources + 1, .time_us = clock_wall_us()};
    uint64_t scattered = n % sources * 7919 % sources;
    char source[64], bootid[17], id[EVENT_ID_SIZE], color[EVENT_COLOR_SIZE];
    struct buf json = BUF_INIT(4096), data = BUF_INIT(1024);
    bool is_event = n % 3 == 0;

    (void)snprintf(source, sizeof source, "/machines/press-%" PRIu64, scattered);
    (void)snprintf(bootid, sizeof bootid, "%016" PRIx64, scattered * 0x9e3779b97f4a7c15u);
    identity.source = source;
    identity.bootid = bootid;
    event_format_id(&identity, id);
    event_color(source, color);
    if (is_event) {
        event_encode_event(&data, (int64_t)(n / 3 % 11), identity.time_us, "pressure is high");
    } else {
        event_encode_hello(&data, "Hello world", color, 4210);
    }
    const char *type = is_event ? EVENT_TYPE_EVENT : EVENT_TYPE_HELLO;
    event_encode(&json, type, &identity, data.data, data.len);

    struct batch_entry *entry = batch_add(batch);
    if (!entry) {
        abort();
    }
    entry->recorded_us = identity.time_us;
    entry->time_us = identity.time_us;
    entry->criticality = is_event ? (int64_t)(n / 3 % 11) : EVENT_NO_NUMBER;
    entry->has_bootid = entry->has_sequence = true;
    entry->sequence = identity.sequence;
    entry->source = copy(batch, source);
    entry->id = copy(batch, id);
    entry->type = copy(batch, type);
    entry->bootid = copy(batch, bootid);
    entry->color = copy(batch, color);
    entry->json = batch_copy(batch, json.data, json.len);
    entry->data = (struct batch_text){entry->json.at + json.len - 1 - data.len, data.len};
    buf_deinit(&json);
    buf_deinit(&data);
}

static void check(int r, const struct err *e)
{
    if (r < 0) {
        (void)fprintf(stderr, "journal_bench: %s\n", e->msg);
        exit(1);
    }
}

static struct journal *open_journal(const char *dir, int64_t retention_bytes)
{
    struct journal_settings settings = {.dir = dir,
                                        .retention_bytes = retention_bytes,
                                        .clock = &clock_system,
                                        .random = &random_kernel};
    struct journal *journal = NULL;
    struct err e = {0};
    check(journal_new(&settings, &journal, &e), &e);
    check(journal_open(journal, &e), &e);
    return journal;
}

static void print_rate(const char *what, const struct load *load, uint64_t rows, int64_t wall,
                       int64_t cpu)
{
    (void)printf("{\"what\":\"%s\",\"sources\":%u,\"batch\":%u,\"rows\":%" PRIu64
                 ",\"rows_per_s\":%.0f,\"cpu_us_per_row\":%.2f}\n",
                 what, load->sources, load->batch_rows, rows, (double)rows * 1e6 / (double)wall,
                 (double)cpu / (double)rows);
}

/* Times the appends alone, not the making of the rows. */
static void run_journal(const char *dir, const struct load *load, uint64_t rows)
{
    struct journal *journal = open_journal(dir, load->retention_bytes);
    struct batch batch;
    struct err e = {0};
    int64_t wall = 0, cpu = 0;
    batch_init(&batch, 64 << 20);
    for (uint64_t n = 0; n < rows;) {
        batch_reset(&batch);
        for (unsigned i = 0; i < load->batch_rows; i++) {
            add_row(&batch, n++, load->sources);
        }
        int64_t wall_start = clock_monotonic_us(), cpu_start = cpu_us();
        check(journal_append(journal, &batch, &e), &e);
        if (load->retention_bytes > 0) {
            (void)journal_maintain(journal);
        }
        wall += clock_monotonic_us() - wall_start;
        cpu += cpu_us() - cpu_start;
    }
    print_rate(load->retention_bytes ? "append at the size bound" : "append", load, rows, wall,
               cpu);
    struct journal_status status;
    journal_status(journal, &status);
    (void)printf("{\"what\":\"journal\",\"events\":%" PRIu64 ",\"size_bytes\":%" PRId64 "}\n",
                 status.events, status.size_bytes);
    batch_deinit(&batch);
    journal_free(journal);
}

static void sql(sqlite3 *db, const char *text)
{
    if (sqlite3_exec(db, text, NULL, NULL, NULL) != SQLITE_OK) {
        (void)fprintf(stderr, "journal_bench: %s\n", sqlite3_errmsg(db));
        exit(1);
    }
}

static void floor_batch(sqlite3 *db, sqlite3_stmt *stmt, const struct batch *batch)
{
    sql(db, "BEGIN IMMEDIATE");
    for (size_t i = 0; i < batch->count; i++) {
        const struct batch_entry *entry = &batch->entries[i];
        sqlite3_bind_int64(stmt, 1, entry->time_us);
        sqlite3_bind_text64(stmt, 2, batch_in(batch, entry->json), entry->json.len, SQLITE_STATIC,
                            SQLITE_UTF8);
        (void)sqlite3_step(stmt);
        (void)sqlite3_reset(stmt);
    }
    sql(db, "COMMIT");
}

static void join(char path[PATH_MAX], const char *dir, const char *name)
{
    int n = snprintf(path, PATH_MAX, "%s/%s", dir, name);
    if (n < 0 || n >= PATH_MAX) {
        (void)fprintf(stderr, "journal_bench: the path is too long\n");
        exit(2);
    }
}

static void run_floor(const char *dir, const struct load *load, uint64_t rows)
{
    char path[PATH_MAX];
    sqlite3 *db;
    sqlite3_stmt *stmt;
    struct batch batch;
    int64_t wall = 0, cpu = 0;
    join(path, dir, "floor.db");
    (void)remove(path);
    if (sqlite3_open(path, &db) != SQLITE_OK) {
        exit(1);
    }
    sql(db, "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA wal_autocheckpoint=8192;"
            "CREATE TABLE rows(seq INTEGER PRIMARY KEY, time_us INTEGER, json TEXT)");
    sqlite3_prepare_v2(db, "INSERT INTO rows(time_us, json) VALUES(?1, ?2)", -1, &stmt, NULL);
    batch_init(&batch, 64 << 20);
    for (uint64_t n = 0; n < rows;) {
        batch_reset(&batch);
        for (unsigned i = 0; i < load->batch_rows; i++) {
            add_row(&batch, n++, load->sources);
        }
        int64_t wall_start = clock_monotonic_us(), cpu_start = cpu_us();
        floor_batch(db, stmt, &batch);
        wall += clock_monotonic_us() - wall_start;
        cpu += cpu_us() - cpu_start;
    }
    print_rate("floor", load, rows, wall, cpu);
    batch_deinit(&batch);
    sqlite3_finalize(stmt);
    sqlite3_close(db);
    (void)remove(path);
}

static int count_row(void *context, const struct record *record)
{
    (void)record;
    ++*(uint64_t *)context;
    return 0;
}

static int compare_int64(const void *a, const void *b)
{
    int64_t left = *(const int64_t *)a, right = *(const int64_t *)b;
    return left < right ? -1 : left > right;
}

/* `pairs`: a query, as names and values. */
static void run_read(struct journal_reader *reader, const char *what, const char *const *pairs)
{
    struct query query;
    struct err e = {0};
    int64_t times[READS];
    uint64_t rows = 0;
    query_init(&query);
    for (; *pairs; pairs += 2) {
        check(query_set(&query, query_key_find(pairs[0]), pairs[1], &e), &e);
    }
    for (int i = 0; i < READS; i++) {
        struct journal_page page;
        int64_t start = clock_monotonic_us();
        rows = 0;
        check(journal_read(reader, &query, count_row, &rows, &page, &e), &e);
        times[i] = clock_monotonic_us() - start;
    }
    int64_t first = times[0];
    qsort(times, READS, sizeof times[0], compare_int64);
    (void)printf("{\"what\":\"read %s\",\"rows\":%" PRIu64 ",\"first_us\":%" PRId64
                 ",\"median_us\":%" PRId64 ",\"max_us\":%" PRId64 "}\n",
                 what, rows, first, times[READS / 2], times[READS - 1]);
}

#define READ(reader, what, ...) run_read((reader), (what), (const char *const[]){__VA_ARGS__, NULL})

static void run_reads(const char *dir)
{
    int64_t start = clock_monotonic_us();
    struct journal *journal = open_journal(dir, 0);
    (void)printf("{\"what\":\"open\",\"us\":%" PRId64 "}\n", clock_monotonic_us() - start);
    struct journal_status status;
    struct journal_reader *reader = NULL;
    struct err e = {0};
    char from_first[CURSOR_TEXT_SIZE], from_last[CURSOR_TEXT_SIZE], until[CLOCK_TEXT_SIZE];
    journal_status(journal, &status);
    cursor_format((struct cursor){status.last.epoch, 0}, from_first);
    cursor_format((struct cursor){status.last.epoch, status.last.seq - 2}, from_last);
    clock_format_us(clock_wall_us() - INT64_C(3600) * 24 * 1000000, until);
    check(journal_reader_open(journal, &reader, &e), &e);
    READ(reader, "resume from the first", "after", from_first, "order", "asc");
    READ(reader, "resume from the last but one", "after", from_last, "order", "asc");
    READ(reader, "newest", "limit", "50");
    READ(reader, "type", "type", "event");
    READ(reader, "type that is none", "type", "session");
    READ(reader, "source", "source", "press-7");
    READ(reader, "source that is none", "source", "nobody");
    READ(reader, "criticality", "criticality_gt", "9");
    READ(reader, "criticality that is none", "criticality_gt", "10");
    READ(reader, "source and criticality", "source", "press-9", "criticality_gt", "9");
    READ(reader, "until long ago", "until", until);
    READ(reader, "q of the newest", "q", "PRESSURE");
    READ(reader, "q that is none", "q", "no such text");
    journal_reader_close(reader);
    journal_free(journal);
}

static void run_appends(const char *dir, uint64_t rows)
{
    static const struct {
        const char *name;
        struct load load;
    } runs[] = {
        {"one-by-one", {100, 1, 0}},       {"100-by-100", {100, 100, 0}},
        {"100-by-1000", {100, 1000, 0}},   {"bound", {100, 100, 30000000}},
        {"10000-by-100", {10000, 100, 0}}, {"10000-by-1000", {10000, 1000, 0}},
    };
    for (size_t i = 0; i < sizeof runs / sizeof runs[0]; i++) {
        const struct load *load = &runs[i].load;
        uint64_t some = load->batch_rows == 1 ? rows / 20 : rows;
        char path[PATH_MAX];
        join(path, dir, runs[i].name);
        run_journal(path, load, some);
        run_floor(path, load, some);
    }
}

int main(int argc, char **argv)
{
    static const struct load filled = {1000, 1000, 0};
    char path[PATH_MAX];
    if (argc != 4) {
        (void)fprintf(stderr, "usage: journal_bench append|read DIR ROWS\n");
        return 2;
    }
    uint64_t rows = strtoul(argv[3], NULL, 10) / 1000 * 1000;
    (void)setvbuf(stdout, NULL, _IOLBF, 0);
    log_setup(LOG_ERROR, LOG_LOGFMT);
    if (strcmp(argv[1], "append") == 0) {
        run_appends(argv[2], rows);
        return 0;
    }
    join(path, argv[2], "filled");
    run_journal(path, &filled, rows);
    run_reads(path);
    return 0;
}
