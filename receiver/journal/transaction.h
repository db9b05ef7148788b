#pragma once

/*
 * What journal.c lends to the files that write a table of their own: a transaction of the one
 * writer, with what belongs to each (overdue incidents, the state that everyone sees). The writer's
 * thread only; `e` is not NULL.
 */

#include "receiver/journal/journal.h"
#include "receiver/journal/writer.h"

/* -EAGAIN: the journal is not open. */
MUST_CHECK int journal_begin(struct journal *journal, struct err *e);
/* Commits where all went well so far (`r` is 0), else takes everything back. Also after a
 * journal_begin() that failed. */
MUST_CHECK int journal_finish(struct journal *journal, int r, struct err *e);
/* NULL: the journal is not open. */
struct writer *journal_writer(struct journal *journal);
