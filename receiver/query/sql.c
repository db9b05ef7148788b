#include "receiver/query/sql.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#define TEXT(x)  TEXT_(x)
#define TEXT_(x) #x
#define ROWS     TEXT(SQL_BLOCK_ROWS)

static void add(struct sql_statement *statement, const char *text)
{
    size_t len = strlen(statement->text);
    size_t more = strlen(text);
    assert(len + more < sizeof statement->text);
    memcpy(statement->text + len, text, more + 1);
}

/* Adds text with one `?` in it, and its value. */
static void add_bound(struct sql_statement *statement, const char *part, struct sql_value value)
{
    assert(statement->count < SQL_VALUES_MAX);
    add(statement, part);
    statement->values[statement->count++] = value;
}

static struct sql_value integer(int64_t value)
{
    return (struct sql_value){.integer = value};
}

static struct sql_value text(const char *value)
{
    return (struct sql_value){.text = value};
}

/* The bounds as seqs: exclusive ones become inclusive, and the blocks' follow from them. */
static void add_places(const struct query *query, struct sql_statement *statement, bool filtered)
{
    int64_t first = 1, last = INT64_MAX;
    if (query->given & QUERY_AFTER) {
        first = query->after.seq < INT64_MAX ? (int64_t)query->after.seq + 1 : INT64_MAX;
    }
    if (query->given & QUERY_BEFORE) {
        last = (int64_t)query->before.seq - 1;
    }
    if (!filtered) {
        add_bound(statement, " WHERE e.seq >= ?", integer(first));
        add_bound(statement, " AND e.seq <= ?", integer(last));
    } else {
        /* The plus keeps SQLite from searching by these bounds in place of the block's: it would
         * look at the whole range once for each block. */
        add_bound(statement, " WHERE +e.seq >= ?", integer(first));
        add_bound(statement, " AND +e.seq <= ?", integer(last));
        add_bound(statement, " AND b.block >= ?", integer(first / SQL_BLOCK_ROWS));
        add_bound(statement, " AND b.block <= ?", integer(last / SQL_BLOCK_ROWS));
    }
}

#define SOURCE_ID "(SELECT s.source_id FROM sources s WHERE s.source = ?)"

/*
 * Each filter first on the block, then on the event. The `+` keeps the planner from finding the
 * events by that column: they are found by the block's bounds alone.
 */
static void add_filters(const struct query *query, struct sql_statement *statement)
{
    if (query->given & QUERY_TYPE) {
        add_bound(statement, " AND b.types & ?", integer(sql_type_bit(query->type)));
        add_bound(statement, " AND +e.type = ?", text(query->type));
    }
    if (query->given & QUERY_SOURCE) {
        add_bound(statement, " AND sources_hold(b.sources, " SOURCE_ID ")", text(query->source));
        add_bound(statement, " AND +e.source_id = " SOURCE_ID, text(query->source));
    }
    if (query->given & QUERY_CRITICALITY_GT) {
        add_bound(statement, " AND b.criticality > ?", integer(query->criticality_gt));
        add_bound(statement, " AND +e.criticality > ?", integer(query->criticality_gt));
    }
    if (query->given & QUERY_SINCE) {
        add_bound(statement, " AND b.time_max_us >= ?", integer(query->since_us));
        add_bound(statement, " AND +e.time_us >= ?", integer(query->since_us));
    }
    if (query->given & QUERY_UNTIL) {
        add_bound(statement, " AND b.time_min_us < ?", integer(query->until_us));
        add_bound(statement, " AND +e.time_us < ?", integer(query->until_us));
    }
    if (query->given & QUERY_Q) {
        add_bound(statement, " AND data_contains(e.json, e.data_at, e.data_len, ?)",
                  text(query->q));
    }
}

static void add_order(const struct query *query, struct sql_statement *statement, bool filtered)
{
    const char *direction = query->ascending ? " ASC" : " DESC";
    add(statement, " ORDER BY ");
    if (filtered) {
        add(statement, "b.block");
        add(statement, direction);
        add(statement, ", ");
    }
    add(statement, "e.seq");
    add(statement, direction);
    add_bound(statement, " LIMIT ?", integer((int64_t)query->limit + 1));
}

void sql_compile(const struct query *query, struct sql_statement *ret_statement)
{
    bool filtered = query->given & QUERY_FILTERS;
    ret_statement->text[0] = '\0';
    ret_statement->count = 0;
    add(ret_statement, "SELECT e.seq, e.json, e.data_at, e.data_len FROM ");
    if (filtered) {
        /* CROSS JOIN: the planner keeps blocks outside, events within. */
        add(ret_statement, "blocks b CROSS JOIN events e ON e.seq >= b.block * " ROWS
                           " AND e.seq < b.block * " ROWS " + " ROWS);
    } else {
        add(ret_statement, "events e");
    }
    add_places(query, ret_statement, filtered);
    add_filters(query, ret_statement);
    add_order(query, ret_statement, filtered);
}

/* FNV-1a, 64 bits; its top bits choose. */
int64_t sql_type_bit(const char *type)
{
    uint64_t hash = 0xcbf29ce484222325u;
    for (const char *c = type; *c; c++) {
        hash = (hash ^ (unsigned char)*c) * 0x100000001b3u;
    }
    return (int64_t)((uint64_t)1 << (hash >> 58));
}
