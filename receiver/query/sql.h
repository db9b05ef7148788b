#pragma once

/*
 * Compiles a query to SQL over the journal's tables (journal/schema.c): the one place where the
 * grammar becomes SQL. The text depends on nothing but which parameters were given; every value is
 * bound. Knows no database library.
 *
 * Filtered reads go through the table `blocks`, which sums up each run of SQL_BLOCK_ROWS places: a
 * block that cannot hold a match is skipped unread. So any mix of filters costs one small row for
 * each block plus the blocks that have matches, and an insert maintains no index for them.
 *
 * The reader's connection must have two functions:
 *   sources_hold(blob, source_id)          true if the block's set of sources has it
 *   data_contains(json, at, len, needle)   query_text_contains over that part of json
 */

#include <stddef.h>
#include <stdint.h>

#include "receiver/query/grammar.h"

#define SQL_BLOCK_ROWS 256
#define SQL_TEXT_MAX   1536
#define SQL_VALUES_MAX 16

struct sql_value {
    const char *text; /* borrowed from the query; NULL: the integer */
    int64_t integer;
};

struct sql_statement {
    char text[SQL_TEXT_MAX];                 /* columns: seq, json, data_at, data_len */
    struct sql_value values[SQL_VALUES_MAX]; /* of each `?`, in order */
    size_t count;
};

/* Gives one row more than the query's limit where there is one. */
void sql_compile(const struct query *query, struct sql_statement *ret_statement);

/* The bit of a type in blocks.types. */
int64_t sql_type_bit(const char *type);
