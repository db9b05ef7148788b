#pragma once

/*
 * The table `nodes`: the last report and presence of each node (docs/nodes.md), so that they
 * outlive a restart: not every broker hands retained messages to a wildcard. They are texts that
 * nothing here looks into; what they mean and how many there may be is receiver/nodes' affair.
 *
 * Apart from journal.h, for this is no part of the record of events: no place, no order, no
 * retention. It shares the journal's file for its writer, its durability and its state.
 */

#include "receiver/journal/journal.h"

struct journal_node_text {
    const char *text; /* NULL: none */
    size_t len;
    int64_t at_us; /* when it came */
};

struct journal_node {
    const char *node; /* the level of its topics */
    struct journal_node_text report, presence;
};

/* The writer's thread: as journal_append, for these rows. One without report and presence is taken
 * out. */
MUST_CHECK int journal_put_nodes(struct journal *journal, const struct journal_node *nodes,
                                 size_t count, struct err *e);

/* All of them, by name. A negative return of `each` ends it, and is returned. */
MUST_CHECK int journal_read_nodes(struct journal_reader *reader,
                                  int (*each)(void *context, const struct journal_node *node),
                                  void *context, struct err *e);
