#pragma once

/*
 * A search of the journal in steps: each reads a bounded range of places, one after the other in
 * the query's order, so that a search of a long journal can be left in time and gone on with from
 * there. Plain arithmetic on seqs.
 */

#include "receiver/query/grammar.h"

struct walk {
    const struct query *query; /* borrowed */
    uint64_t low, high;        /* what is left lies between them, both exclusive */
    bool is_first;             /* no step was made yet */
    bool is_last;              /* the step that was made reaches the query's end */
};

/* `first` and `last`: the seqs of the oldest and the newest row, as far as known. Rows that came
 * since then are found too. */
void walk_init(struct walk *walk, const struct query *query, uint64_t first, uint64_t last);
/* Where the walk stands: the `after` (ascending) or `before` (descending) to go on from. */
uint64_t walk_place(const struct walk *walk);
/* The next `rows` places as a query, and moves behind them. Not after the last step. */
void walk_step(struct walk *walk, uint64_t rows, struct query *ret_query);
