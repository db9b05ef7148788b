#pragma once

/* Randomness from the kernel (getrandom(2)), buffered per thread so that load tests do not pay a
 * system call for each draw. Aborts if the kernel has none, which it always has after boot. */

#include <stddef.h>
#include <stdint.h>

struct random_source {
    uint64_t (*next)(void *context); /* 64 uniform bits */
    void *context;
};

extern const struct random_source random_kernel;

uint64_t random_u64(void);
void random_bytes(void *out, size_t len);

/* Uniform in [min, max], both included, without modulo bias; min <= max. */
int64_t random_between(const struct random_source *source, int64_t min, int64_t max);

/*
 * Full-jitter backoff: uniform in [0, min(cap_ms, base_ms * 2^attempt)], but at least base_ms / 2,
 * so that many clients spread and none spins. `attempt` starts at 0.
 */
int64_t random_backoff_ms(const struct random_source *source, unsigned attempt, int64_t base_ms,
                          int64_t cap_ms);
