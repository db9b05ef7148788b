#include "manager/ctl/compose/number.h"

#include <ctype.h>
#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

static bool differ(double a, double b)
{
    return a < b || a > b;
}

/* "-1.25e+06" as "-1250000", where the exponent is small. */
static void write_plain(const char *scientific, int exponent, char text[static NUMBER_TEXT_SIZE])
{
    char digits[NUMBER_TEXT_SIZE];
    size_t count = 0;
    size_t len = 0;
    for (const char *p = scientific; *p != '\0' && *p != 'e'; p++) {
        if (*p == '-') {
            text[len++] = '-';
        } else if (*p != '.') {
            digits[count++] = *p;
        }
    }
    for (int place = exponent < 0 ? exponent : 0; place < 0; place++) {
        text[len++] = '0';
        if (place == exponent) {
            text[len++] = '.';
        }
    }
    for (size_t i = 0; i < count || (int)i <= exponent; i++) {
        if (exponent >= 0 && (int)i == exponent + 1) {
            text[len++] = '.';
        }
        text[len++] = i < count ? digits[i] : '0';
    }
    text[len] = '\0';
}

void number_format(double value, char ret_text[static NUMBER_TEXT_SIZE])
{
    char scientific[NUMBER_TEXT_SIZE];
    int digits = 0;
    do {
        snprintf(scientific, sizeof scientific, "%.*e", digits, value);
    } while (digits++ < 17 && differ(strtod(scientific, NULL), value));
    const char *e = strchr(scientific, 'e');
    long exponent = e == NULL ? 0 : strtol(e + 1, NULL, 10);
    if (e == NULL || exponent < -4 || exponent >= 6) {
        snprintf(ret_text, NUMBER_TEXT_SIZE, "%s", scientific);
    } else {
        write_plain(scientific, (int)exponent, ret_text);
    }
}

double number_through_float32(double value)
{
    char text[NUMBER_TEXT_SIZE];
    float narrow = (float)value;
    int digits = 0;
    do {
        snprintf(text, sizeof text, "%.*e", digits, (double)narrow);
    } while (digits++ < 9 && differ((double)strtof(text, NULL), (double)narrow));
    return strtod(text, NULL);
}

int number_parse(const char *text, double *ret_value)
{
    if (text[0] == '\0' || text[strspn(text, "0123456789.+-eE")] != '\0') {
        return -EINVAL;
    }
    char *end = NULL;
    double value = strtod(text, &end);
    if (*end != '\0' || !isfinite(value)) {
        return -EINVAL;
    }
    *ret_value = value;
    return 0;
}

/* ------------------------------------------------------------------------------------------------
 */

static const struct unit {
    const char *name;
    int64_t ns;
} UNITS[] = {
    {"ns", 1},
    {"us", 1000},
    {"\u00b5s", 1000}, /* micro sign */
    {"\u03bcs", 1000}, /* Greek letter mu */
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", INT64_C(60000000000)},
    {"h", INT64_C(3600000000000)},
    {"d", INT64_C(86400000000000)},
    {"w", INT64_C(604800000000000)},
};

static const struct unit *unit_find(const char *name, size_t len)
{
    for (size_t i = 0; i < ARRAY_SIZE(UNITS); i++) {
        if (strlen(UNITS[i].name) == len && memcmp(UNITS[i].name, name, len) == 0) {
            return &UNITS[i];
        }
    }
    return NULL;
}

/* One "1.5m" at *at, which goes behind it. */
static int duration_part(const char **at, int64_t *ret_ns)
{
    const char *start = *at;
    size_t whole = strspn(start, "0123456789");
    size_t len = whole;
    size_t fraction = 0;
    if (start[len] == '.') {
        fraction = strspn(start + len + 1, "0123456789");
        len += 1 + fraction;
    }
    size_t unit_len = strcspn(start + len, ".0123456789");
    const struct unit *unit = unit_find(start + len, unit_len);
    char digits[20] = "0";
    int64_t count = 0;
    if (unit == NULL || whole + fraction == 0) {
        return -EINVAL;
    }
    if (whole > 0 && !str_copy_n(digits, sizeof digits, start, whole)) {
        return -ERANGE;
    }
    if (str_parse_int(digits, 0, INT64_MAX / unit->ns, &count) < 0) {
        return -ERANGE;
    }
    double rest = 0;
    double scale = 1;
    for (size_t i = 0; i < fraction && i < 18; i++) {
        rest = rest * 10 + (start[whole + 1 + i] - '0');
        scale *= 10;
    }
    count *= unit->ns;
    *at = start + len + unit_len;
    return __builtin_add_overflow(count, (int64_t)(rest * ((double)unit->ns / scale)), ret_ns)
               ? -ERANGE
               : 0;
}

int duration_parse(const char *text, int64_t *ret_ns)
{
    const char *at = text;
    bool negative = *at == '-';
    at += *at == '-' || *at == '+' ? 1 : 0;
    int64_t sum = 0;
    if (*at == '\0') {
        return -EINVAL;
    }
    while (*at != '\0' && !str_equal(at, "0")) {
        int64_t part = 0;
        int r = duration_part(&at, &part);
        if (r < 0) {
            return r;
        }
        if (__builtin_add_overflow(sum, part, &sum)) {
            return -ERANGE;
        }
    }
    *ret_ns = negative ? -sum : sum;
    return 0;
}

/* `value` of units of 10^digits, without trailing zeros, as "1.5". */
static void write_fraction(uint64_t value, int digits, const char *unit, char *text, size_t size)
{
    uint64_t scale = 1;
    for (int i = 0; i < digits; i++) {
        scale *= 10;
    }
    uint64_t rest = value % scale;
    if (rest == 0) {
        snprintf(text, size, "%" PRIu64 "%s", value / scale, unit);
        return;
    }
    while (rest % 10 == 0) {
        rest /= 10;
        digits--;
    }
    snprintf(text, size, "%" PRIu64 ".%0*" PRIu64 "%s", value / scale, digits, rest, unit);
}

void duration_format(int64_t ns, char ret_text[static NUMBER_TEXT_SIZE])
{
    const uint64_t second = 1000000000;
    uint64_t u = ns < 0 ? -(uint64_t)ns : (uint64_t)ns;
    const char *sign = ns < 0 ? "-" : "";
    char seconds[24];
    if (u == 0 || u >= second) {
        write_fraction(u % (60 * second), 9, "s", seconds, sizeof seconds);
    } else if (u < 1000) {
        write_fraction(u, 0, "ns", seconds, sizeof seconds);
    } else if (u < 1000000) {
        write_fraction(u, 3, "\u00b5s", seconds, sizeof seconds);
    } else {
        write_fraction(u, 6, "ms", seconds, sizeof seconds);
    }
    uint64_t minutes = u / (60 * second);
    if (minutes >= 60) {
        snprintf(ret_text, NUMBER_TEXT_SIZE, "%s%" PRIu64 "h%" PRIu64 "m%s", sign, minutes / 60,
                 minutes % 60, seconds);
    } else if (minutes > 0) {
        snprintf(ret_text, NUMBER_TEXT_SIZE, "%s%" PRIu64 "m%s", sign, minutes, seconds);
    } else {
        snprintf(ret_text, NUMBER_TEXT_SIZE, "%s%s", sign, seconds);
    }
}

/* ------------------------------------------------------------------------------------------------
 */

/* "", "b", "k", "kb", "kib" and so on to "pib": the power of 1024, or -1. */
static int suffix_power(const char *suffix)
{
    static const char LETTERS[] = "bkmgtp";
    char lower[4];
    if (!str_copy(lower, sizeof lower, suffix)) {
        return -1;
    }
    for (char *p = lower; *p != '\0'; p++) {
        *p = (char)tolower((unsigned char)*p);
    }
    if (lower[0] == '\0') {
        return 0;
    }
    const char *letter = strchr(LETTERS, lower[0]);
    bool plain = lower[1] == '\0';
    bool bytes = str_equal(lower + 1, "b") || str_equal(lower + 1, "ib");
    return letter != NULL && (plain || (bytes && letter != LETTERS)) ? (int)(letter - LETTERS) : -1;
}

int size_parse(const char *text, int64_t *ret_bytes)
{
    if (str_parse_int(text, INT64_MIN, INT64_MAX, ret_bytes) == 0) {
        return 0;
    }
    size_t len = strlen(text);
    while (len > 0 && strchr("0123456789. ", text[len - 1]) == NULL) {
        len--;
    }
    int power = suffix_power(text + len);
    char number[NUMBER_TEXT_SIZE];
    double value = 0;
    if (len > 0 && text[len - 1] == ' ') {
        len--;
    }
    if (power < 0 || !str_copy_n(number, sizeof number, text, len) ||
        number_parse(number, &value) < 0 || value < 0) {
        return -EINVAL;
    }
    value = ldexp(value, 10 * power);
    if (value >= 0x1p63) {
        return -ERANGE;
    }
    *ret_bytes = (int64_t)value;
    return 0;
}
