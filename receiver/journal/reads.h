#pragma once

/*
 * Runs journal reads on libuv's pool and continues on the loop, so that no read ever holds up a
 * stream. Two lanes: catching-up streams and REST each have workers that the other cannot take.
 * Beyond `queue` waiting jobs of a lane, submit says -EBUSY.
 */

#include <uv.h>

#include "receiver/journal/journal.h"

struct reads;
enum reads_lane { READS_STREAM, READS_REST };

MUST_CHECK int reads_new(uv_loop_t *loop, struct journal *journal, struct reads **ret_reads);
/* Ends the running reads early and waits for their jobs; waiting ones get `done` without `work`.
 * Call while the loop can run. */
void reads_free(struct reads *reads);

/*
 * `work` runs on the pool with a reader, or with NULL while the journal is not open; then `done`
 * runs on the loop. -EBUSY: the lane's queue is full, neither runs.
 */
MUST_CHECK int reads_submit(struct reads *reads, enum reads_lane lane,
                            void (*work)(void *job, struct journal_reader *reader),
                            void (*done)(void *job), void *job);
