#pragma once

/* How many events were stored in each step of time, for the rate chart: a ring in memory, seeded
 * from the journal at start. Thread-safe. */

#include <pthread.h>

#include "receiver/ingest/ingest.h"

struct rates {
    pthread_mutex_t lock;
    int64_t step; /* number of the newest step since 1970: its counts are in counts[step % STEPS] */
    uint64_t counts[INGEST_RATE_STEPS];
};

void rates_init(struct rates *rates, int64_t now_us);
void rates_deinit(struct rates *rates);
void rates_add(struct rates *rates, int64_t now_us, uint64_t events);
/* Fills the steps before the newest from `counts`, oldest first, whose last step ends at
 * `until_us`. */
void rates_seed(struct rates *rates, const uint64_t *counts, size_t count, int64_t until_us);
size_t rates_copy(struct rates *rates, int64_t now_us, uint64_t counts[static INGEST_RATE_STEPS],
                  int64_t *ret_until_us);
