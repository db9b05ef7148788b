#pragma once

/* When each source speaks next: a heap with exactly one entry for each of them. */

#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct schedule;

/* All sources are due at 0. -ENOMEM. */
MUST_CHECK int schedule_new(size_t sources, struct schedule **ret_schedule);
void schedule_free(struct schedule *schedule);
DEFINE_CLEANUP(struct schedule *, schedule_free);

/* The source that is due first, and when (microseconds, on whatever clock the caller uses). */
size_t schedule_first(const struct schedule *schedule, int64_t *ret_due_us);
/* Sets that source's next time. */
void schedule_put_off(struct schedule *schedule, int64_t due_us);
