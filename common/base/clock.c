#include "common/base/clock.h"

#include <errno.h>
#include <stdio.h>
#include <time.h>

#define US_PER_SECOND   INT64_C(1000000)
#define SECONDS_PER_DAY INT64_C(86400)
/* 0000-01-01T00:00:00.000000Z and 9999-12-31T23:59:59.999999Z */
#define FORMAT_MIN_US (INT64_C(-62167219200) * US_PER_SECOND)
#define FORMAT_MAX_US (INT64_C(253402300800) * US_PER_SECOND - 1)

static int64_t read_clock(clockid_t id, int64_t per_second)
{
    struct timespec now;
    clock_gettime(id, &now); /* cannot fail for these clocks */
    return (int64_t)now.tv_sec * per_second + (int64_t)now.tv_nsec / (1000000000 / per_second);
}

int64_t clock_wall_us(void)
{
    return read_clock(CLOCK_REALTIME, US_PER_SECOND);
}

int64_t clock_monotonic_ms(void)
{
    return read_clock(CLOCK_MONOTONIC, 1000);
}

int64_t clock_monotonic_us(void)
{
    return read_clock(CLOCK_MONOTONIC, US_PER_SECOND);
}

static int64_t system_wall_us(void *context)
{
    (void)context;
    return clock_wall_us();
}

static int64_t system_monotonic_ms(void *context)
{
    (void)context;
    return clock_monotonic_ms();
}

const struct clock clock_system = {system_wall_us, system_monotonic_ms, NULL};

struct date {
    int64_t year;
    int64_t month; /* 1-12 */
    int64_t day;   /* 1-31 */
};

/* Days since 1970-01-01 in the Gregorian calendar, and back. Years start in March here, so that the
 * leap day is a year's last; 400 years are 146097 days. */
static int64_t days_from_date(struct date date)
{
    int64_t year = date.year - (date.month <= 2 ? 1 : 0);
    int64_t era = (year >= 0 ? year : year - 399) / 400;
    int64_t year_of_era = year - era * 400;
    int64_t day_of_year = (153 * ((date.month + 9) % 12) + 2) / 5 + date.day - 1;
    int64_t day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    return era * 146097 + day_of_era - 719468;
}

static struct date date_from_days(int64_t days)
{
    int64_t since_march_0000 = days + 719468;
    int64_t era = (since_march_0000 >= 0 ? since_march_0000 : since_march_0000 - 146096) / 146097;
    int64_t day_of_era = since_march_0000 - era * 146097;
    int64_t year_of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int64_t day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    int64_t march_month = (5 * day_of_year + 2) / 153;
    struct date date = {.day = day_of_year - (153 * march_month + 2) / 5 + 1,
                        .month = march_month < 10 ? march_month + 3 : march_month - 9};
    date.year = year_of_era + era * 400 + (date.month <= 2 ? 1 : 0);
    return date;
}

static void put_digits(char *at, unsigned count, int64_t value)
{
    for (unsigned i = count; i > 0; i--) {
        at[i - 1] = (char)('0' + value % 10);
        value /= 10;
    }
}

void clock_format_us(int64_t time_us, char text[static CLOCK_TEXT_SIZE])
{
    static const char form[] = "0000-00-00T00:00:00.000000Z";
    time_us = time_us < FORMAT_MIN_US ? FORMAT_MIN_US : time_us;
    time_us = time_us > FORMAT_MAX_US ? FORMAT_MAX_US : time_us;
    int64_t us_per_day = SECONDS_PER_DAY * US_PER_SECOND;
    int64_t days = time_us / us_per_day - (time_us % us_per_day < 0 ? 1 : 0);
    int64_t us_of_day = time_us - days * us_per_day;
    int64_t second = us_of_day / US_PER_SECOND;
    struct date date = date_from_days(days);

    for (size_t i = 0; i < sizeof form; i++) {
        text[i] = form[i];
    }
    put_digits(text, 4, date.year);
    put_digits(text + 5, 2, date.month);
    put_digits(text + 8, 2, date.day);
    put_digits(text + 11, 2, second / 3600);
    put_digits(text + 14, 2, second / 60 % 60);
    put_digits(text + 17, 2, second % 60);
    put_digits(text + 20, 6, us_of_day % US_PER_SECOND);
}

/* What is left to read; `bad` stays set after the first mismatch. */
struct reader {
    const char *at;
    const char *end;
    bool bad;
};

static bool read_char(struct reader *r, const char *one_of)
{
    for (const char *c = one_of; r->at < r->end && *c != '\0'; c++) {
        if (*r->at == *c) {
            r->at++;
            return true;
        }
    }
    r->bad = true;
    return false;
}

static int64_t read_digits(struct reader *r, int count, int64_t min, int64_t max)
{
    int64_t value = 0;
    for (int i = 0; i < count; i++) {
        if (r->at >= r->end || *r->at < '0' || *r->at > '9') {
            r->bad = true;
            return min;
        }
        value = value * 10 + (*r->at++ - '0');
    }
    if (value < min || value > max) {
        r->bad = true;
        return min;
    }
    return value;
}

static struct date read_date(struct reader *r)
{
    static const char lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    struct date date;
    date.year = read_digits(r, 4, 0, 9999);
    read_char(r, "-");
    date.month = read_digits(r, 2, 1, 12);
    read_char(r, "-");
    date.day = read_digits(r, 2, 1, lengths[date.month - 1]);
    bool leap = date.year % 4 == 0 && (date.year % 100 != 0 || date.year % 400 == 0);
    r->bad = r->bad || (date.month == 2 && date.day == 29 && !leap);
    return date;
}

/* ".123456789" or nothing, in microseconds. */
static int64_t read_fraction(struct reader *r)
{
    if (r->at >= r->end || *r->at != '.') {
        return 0;
    }
    r->at++;
    int64_t us = 0;
    int digits = 0;
    for (; r->at < r->end && *r->at >= '0' && *r->at <= '9'; r->at++, digits++) {
        us = digits < 6 ? us * 10 + (*r->at - '0') : us;
    }
    for (int i = digits; i < 6; i++) {
        us *= 10;
    }
    r->bad = r->bad || digits == 0 || digits > 9;
    return us;
}

static int64_t read_offset_seconds(struct reader *r)
{
    if (r->at < r->end && (*r->at == 'Z' || *r->at == 'z')) {
        r->at++;
        return 0;
    }
    bool west = r->at < r->end && *r->at == '-';
    read_char(r, "+-");
    int64_t seconds = read_digits(r, 2, 0, 23) * 3600;
    read_char(r, ":");
    seconds += read_digits(r, 2, 0, 59) * 60;
    return west ? -seconds : seconds;
}

int clock_parse_us(const char *text, size_t len, int64_t *ret_time_us)
{
    struct reader r = {text, text + len, false};
    struct date date = read_date(&r);
    read_char(&r, "Tt");
    int64_t seconds = read_digits(&r, 2, 0, 23) * 3600;
    read_char(&r, ":");
    seconds += read_digits(&r, 2, 0, 59) * 60;
    read_char(&r, ":");
    int64_t second = read_digits(&r, 2, 0, 60);
    int64_t us = read_fraction(&r);
    seconds += days_from_date(date) * SECONDS_PER_DAY - read_offset_seconds(&r) + second;
    if (r.bad || r.at != r.end) {
        return -EINVAL;
    }
    if (second == 60) {
        /* A leap second is the last of a UTC day. */
        if (seconds % SECONDS_PER_DAY != 0) {
            return -EINVAL;
        }
        us = 0;
    }
    *ret_time_us = seconds * US_PER_SECOND + us;
    return 0;
}
