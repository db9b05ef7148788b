#include "common/base/random.h"

#include <errno.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* Bytes drawn and not yet handed out. Up to 256 bytes come from getrandom() without interruption.
 */
static _Thread_local struct {
    unsigned char bytes[256];
    size_t left;
} pool;

static void fill(void *out, size_t len)
{
    unsigned char *at = out;
    while (len > 0) {
        ssize_t got = getrandom(at, len, 0);
        if (got < 0 && errno != EINTR) {
            abort();
        }
        if (got > 0) {
            at += got;
            len -= (size_t)got;
        }
    }
}

/* A forked child must not hand out what its parent hands out. */
static void forget_pool(void)
{
    pool.left = 0;
}

__attribute__((constructor)) static void forget_pool_on_fork(void)
{
    if (pthread_atfork(NULL, NULL, forget_pool) != 0) {
        abort();
    }
}

void random_bytes(void *out, size_t len)
{
    if (len > sizeof pool.bytes) {
        fill(out, len);
        return;
    }
    if (len > pool.left) {
        fill(pool.bytes, sizeof pool.bytes);
        pool.left = sizeof pool.bytes;
    }
    pool.left -= len;
    memcpy(out, pool.bytes + pool.left, len);
    memset(pool.bytes + pool.left, 0, len); /* what was handed out may be a secret */
}

uint64_t random_u64(void)
{
    uint64_t value;
    random_bytes(&value, sizeof value);
    return value;
}

static uint64_t kernel_next(void *context)
{
    (void)context;
    return random_u64();
}

const struct random_source random_kernel = {kernel_next, NULL};

int64_t random_between(const struct random_source *source, int64_t min, int64_t max)
{
    uint64_t count = (uint64_t)max - (uint64_t)min + 1; /* 0: all 2^64 values */
    uint64_t value = source->next(source->context);
    if (count != 0) {
        /* 2^64 % count draws at the bottom are too many for an even share. */
        uint64_t surplus = (0 - count) % count;
        while (value < surplus) {
            value = source->next(source->context);
        }
        value %= count;
    }
    return (int64_t)((uint64_t)min + value);
}

int64_t random_backoff_ms(const struct random_source *source, unsigned attempt, int64_t base_ms,
                          int64_t cap_ms)
{
    bool capped = attempt >= 62 || base_ms > cap_ms >> attempt;
    int64_t ceiling = capped ? cap_ms : base_ms << attempt;
    int64_t floor = base_ms / 2 < ceiling ? base_ms / 2 : ceiling;
    int64_t drawn = random_between(source, 0, ceiling);
    return drawn < floor ? floor : drawn;
}
