#include "manager/desired/cron.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <time.h>

#define MINUTE_US    INT64_C(60000000)
#define HORIZON_DAYS 367

struct field {
    unsigned min, max;
};

/* ---- reading ---- */

static bool read_number(const char **text, const struct field *field, unsigned *ret_number)
{
    char *end;

    if (!isdigit((unsigned char)**text))
        return false;
    unsigned long number = strtoul(*text, &end, 10);
    if (end - *text > 2 || number < field->min || number > field->max)
        return false;
    *text = end;
    *ret_number = (unsigned)number;
    return true;
}

/* "*", "5", "1-5", each with "/STEP". */
static bool read_item(const char **text, const struct field *field, uint64_t *bits)
{
    static const struct field steps = {1, 59};
    unsigned first = field->min, last = field->max, step = 1;
    bool one = false;

    if (**text == '*') {
        (*text)++;
    } else {
        if (!read_number(text, field, &first))
            return false;
        one = **text != '-';
        last = first;
        if (!one) {
            (*text)++;
            if (!read_number(text, field, &last) || last < first)
                return false;
        }
    }
    if (**text == '/') {
        (*text)++;
        if (!read_number(text, &steps, &step))
            return false;
        last = one ? field->max : last;
    }
    for (unsigned i = first; i <= last; i += step)
        *bits |= UINT64_C(1) << i;
    return true;
}

static bool read_field(const char **text, const struct field *field, uint64_t *bits)
{
    *bits = 0;
    while (read_item(text, field, bits)) {
        if (**text != ',')
            return true;
        (*text)++;
    }
    return false;
}

int cron_parse(const char *text, struct cron *ret_cron)
{
    static const struct field fields[] = {{0, 59}, {0, 23}, {1, 31}, {1, 12}, {0, 7}};
    struct cron cron = {0};
    uint64_t *const bits[] = {&cron.minutes, &cron.hours, &cron.days, &cron.months, &cron.weekdays};

    for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
        bool last = i + 1 == ARRAY_SIZE(fields);

        if (i == 2)
            cron.any_day = *text == '*';
        if (last)
            cron.any_weekday = *text == '*';
        if (!read_field(&text, &fields[i], bits[i]) || *text != (last ? '\0' : ' '))
            return -EINVAL;
        text += !last;
    }
    if (cron.weekdays & (UINT64_C(1) << 7))
        cron.weekdays |= 1;
    *ret_cron = cron;
    return 0;
}

/* ---- times ---- */

static struct tm broken_down(int64_t time_us, bool utc)
{
    time_t seconds = (time_t)(time_us / 1000000);
    struct tm tm = {0};

    if (utc)
        gmtime_r(&seconds, &tm);
    else
        localtime_r(&seconds, &tm);
    return tm;
}

static bool has(uint64_t bits, int value)
{
    return (bits >> value & 1) != 0;
}

static bool day_fits(const struct cron *cron, const struct tm *tm)
{
    bool day = has(cron->days, tm->tm_mday), weekday = has(cron->weekdays, tm->tm_wday);

    if (!has(cron->months, tm->tm_mon + 1))
        return false;
    return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

static bool fits(const struct cron *cron, const struct tm *tm)
{
    return has(cron->minutes, tm->tm_min) && has(cron->hours, tm->tm_hour) && day_fits(cron, tm);
}

int64_t cron_open_since(const struct cron *cron, int64_t duration_ns, bool utc, int64_t now_us)
{
    int64_t oldest_us = now_us - duration_ns / 1000;

    for (int64_t at = now_us - now_us % MINUTE_US; at > oldest_us; at -= MINUTE_US) {
        struct tm tm = broken_down(at, utc);
        if (fits(cron, &tm))
            return at;
    }
    return 0;
}

int64_t cron_next(const struct cron *cron, bool utc, int64_t now_us)
{
    int64_t at = now_us - now_us % MINUTE_US + MINUTE_US;
    int64_t end = at + HORIZON_DAYS * 1440 * MINUTE_US;

    while (at < end) {
        struct tm tm = broken_down(at, utc);
        if (fits(cron, &tm))
            return at;
        /* To the next hour where nothing of this one can fit; zones differ by whole minutes. */
        at += day_fits(cron, &tm) && has(cron->hours, tm.tm_hour) ? MINUTE_US
                                                                  : (60 - tm.tm_min) * MINUTE_US;
    }
    return 0;
}
