#pragma once

/*
 * Time. Wall-clock times are int64 microseconds since 1970-01-01T00:00:00Z; durations and deadlines
 * are int64 milliseconds of the monotonic clock. Code that tests must drive takes a struct clock.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct clock {
    int64_t (*wall_us)(void *context);
    int64_t (*monotonic_ms)(void *context);
    void *context;
};

extern const struct clock clock_system;

int64_t clock_wall_us(void);
int64_t clock_monotonic_ms(void);
int64_t clock_monotonic_us(void);

#define CLOCK_TEXT_SIZE                                                                            \
    32 /* "2026-11-20T21:38:01.123456Z" and NUL, with room for years to 9999                       \
        */

/* RFC 3339 in UTC with six decimals. Times outside years 0 to 9999 are clamped. */
void clock_format_us(int64_t time_us, char text[static CLOCK_TEXT_SIZE]);

/* RFC 3339 section 5.6 with any offset and up to nine decimals (cut to six); a leap second is the
 * next second's start. 0 or -EINVAL. */
MUST_CHECK int clock_parse_us(const char *text, size_t len, int64_t *ret_time_us);
