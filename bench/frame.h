#pragma once

/* The event that every fan-out program sends, and the clock that its stamp is of. */

#include <stdint.h>
#include <stdio.h>
#include <time.h>

static inline int64_t bench_now_ns(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec * 1000000000LL + now.tv_nsec;
}

/* The size of a hello event as the broadcaster makes it, with the stamp in its data. */
#define BENCH_EVENT_FORMAT                                                                         \
    "{\"specversion\":\"1.0\",\"type\":\"bellbuoy.hello.v1\",\"source\":\"/machines/bench\","      \
    "\"id\":\"5b0e9d6f41c27a83-%012llu\",\"time\":\"2026-11-20T21:38:01.123456Z\","                \
    "\"datacontenttype\":\"application/json\",\"bootid\":\"5b0e9d6f41c27a83\","                    \
    "\"sequence\":\"%012llu\",\"data\":{\"text\":\"Hello world\",\"color\":\"#2f81f7\","           \
    "\"bench_ns\":\"%019lld\"}}"

static inline int bench_event(char *out, size_t size, unsigned long long number)
{
    return snprintf(out, size, BENCH_EVENT_FORMAT, number, number, (long long)bench_now_ns());
}
