#include "receiver/ingest/rates.h"

#include <string.h>

void rates_init(struct rates *rates, int64_t now_us)
{
    memset(rates, 0, sizeof(*rates));
    pthread_mutex_init(&rates->lock, NULL);
    rates->step = now_us / INGEST_RATE_STEP_US;
}

void rates_deinit(struct rates *rates)
{
    pthread_mutex_destroy(&rates->lock);
}

static uint64_t *count_of(struct rates *rates, int64_t step)
{
    return &rates->counts[step % INGEST_RATE_STEPS];
}

/* A clock that jumped back counts into the newest step: steps never move backwards. */
static void advance(struct rates *rates, int64_t now_us)
{
    int64_t step = now_us / INGEST_RATE_STEP_US;
    if (step - rates->step >= INGEST_RATE_STEPS) {
        memset(rates->counts, 0, sizeof(rates->counts));
        rates->step = step;
    }
    while (rates->step < step)
        *count_of(rates, ++rates->step) = 0;
}

void rates_add(struct rates *rates, int64_t now_us, uint64_t events)
{
    pthread_mutex_lock(&rates->lock);
    advance(rates, now_us);
    *count_of(rates, rates->step) += events;
    pthread_mutex_unlock(&rates->lock);
}

void rates_seed(struct rates *rates, const uint64_t *counts, size_t count, int64_t until_us)
{
    pthread_mutex_lock(&rates->lock);
    int64_t step = until_us / INGEST_RATE_STEP_US - (int64_t)count;
    for (size_t i = 0; i < count; i++, step++) {
        if (step <= rates->step && rates->step - step < INGEST_RATE_STEPS)
            *count_of(rates, step) += counts[i];
    }
    pthread_mutex_unlock(&rates->lock);
}

size_t rates_copy(struct rates *rates, int64_t now_us, uint64_t counts[static INGEST_RATE_STEPS],
                  int64_t *ret_until_us)
{
    pthread_mutex_lock(&rates->lock);
    advance(rates, now_us);
    for (int64_t i = 0; i < INGEST_RATE_STEPS; i++)
        counts[i] = *count_of(rates, rates->step + 1 + i);
    *ret_until_us = (rates->step + 1) * INGEST_RATE_STEP_US;
    pthread_mutex_unlock(&rates->lock);
    return INGEST_RATE_STEPS;
}
