/* How many rows were recorded when: from the blocks, so that ten minutes at full rate are not
 * counted row by row. */

#include <string.h>

#include "receiver/journal/reader.h"
#include "receiver/query/sql.h"

struct rates {
    int64_t since_us, step_us;
    uint64_t *counts;
    size_t count;
};

/* The step of a time; `count` and above for one outside. */
static size_t rates_step(const struct rates *rates, int64_t time_us)
{
    if (time_us < rates->since_us) {
        return rates->count;
    }
    return (size_t)((time_us - rates->since_us) / rates->step_us);
}

static void rates_add(const struct rates *rates, size_t step, uint64_t rows)
{
    if (step < rates->count) {
        rates->counts[step] += rows;
    }
}

/* A block that lies across two steps: its rows one by one. */
static int count_rows(const struct rates *rates, sqlite3_stmt *rows, int64_t first, int64_t last,
                      struct err *e)
{
    db_bind_int(rows, 1, first);
    db_bind_int(rows, 2, last);
    int r;
    while ((r = db_step(rows, e)) > 0) {
        rates_add(rates, rates_step(rates, sqlite3_column_int64(rows, 0)), 1);
    }
    return r;
}

static int64_t lower(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static int count_block(const struct rates *rates, sqlite3_stmt *block, sqlite3_stmt *rows,
                       const struct cursor *first_kept, const struct cursor *last_kept,
                       struct err *e)
{
    int64_t first = sqlite3_column_int64(block, 0) * SQL_BLOCK_ROWS;
    int64_t last = lower(first + SQL_BLOCK_ROWS - 1, (int64_t)last_kept->seq);
    first = -lower(-first, -(int64_t)first_kept->seq);
    size_t from = rates_step(rates, sqlite3_column_int64(block, 1));
    size_t to = rates_step(rates, sqlite3_column_int64(block, 2));
    if (first > last) {
        return 0;
    }
    if (from != to) {
        return count_rows(rates, rows, first, last, e);
    }
    rates_add(rates, from, (uint64_t)(last - first + 1));
    return 0;
}

static int count_all(struct journal_reader *reader, const struct rates *rates, struct err *e)
{
    AUTO(sqlite3_finalize) sqlite3_stmt *blocks = NULL;
    AUTO(sqlite3_finalize) sqlite3_stmt *rows = NULL;
    struct cursor first, last;
    int r = reader_places(reader, &first, &last, e);
    if (r == 0) {
        r = db_prepare(reader->db,
                       "SELECT block, recorded_min_us, recorded_max_us FROM blocks"
                       " WHERE recorded_max_us >= ?1",
                       &blocks, e);
    }
    if (r == 0) {
        r = db_prepare(reader->db, "SELECT recorded_us FROM events WHERE seq >= ?1 AND seq <= ?2",
                       &rows, e);
    }
    if (r < 0) {
        return r;
    }
    db_bind_int(blocks, 1, rates->since_us);
    while ((r = db_step(blocks, e)) > 0) {
        r = count_block(rates, blocks, rows, &first, &last, e);
        if (r < 0) {
            return r;
        }
    }
    return r;
}

int journal_read_rates(struct journal_reader *reader, int64_t since_us, int64_t step_us,
                       uint64_t *counts, size_t count, struct err *e)
{
    struct rates rates = {since_us, step_us, counts, count};
    memset(counts, 0, count * sizeof *counts);
    int r = reader_begin(reader, e);
    if (r < 0) {
        return r;
    }
    r = count_all(reader, &rates, e);
    reader_end(reader);
    return r;
}
