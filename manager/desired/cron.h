#pragma once

/* Times as crontab(5) names them: five fields of numbers, '*', ranges, steps and lists; minute,
 * hour, day of the month, month, day of the week (0 and 7 are Sunday). As there, a time fits when
 * either of the two days does where both are restricted. */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/cleanup.h"

struct cron {
    uint64_t minutes, hours, days, months, weekdays; /* a bit for each value */
    bool any_day, any_weekday;
};

/* 0 or -EINVAL. */
MUST_CHECK int cron_parse(const char *text, struct cron *ret_cron);

/*
 * The start, at or before `now_us` and after `now_us - duration_ns`, of the window that is open
 * now; 0: none is. In the node's zone, or UTC.
 */
int64_t cron_open_since(const struct cron *cron, int64_t duration_ns, bool utc, int64_t now_us);
/* The next start after `now_us`, within a year and a day; 0: there is none. */
int64_t cron_next(const struct cron *cron, bool utc, int64_t now_us);
