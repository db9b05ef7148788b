#include "manager/desired/quantity.h"

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <stdbool.h>
#include <string.h>
#include <strings.h>

#include "common/base/str.h"

struct unit {
    const char *name;
    int64_t value;
};

static const struct unit durations[] = {
    {"ns", 1},
    {"us", 1000},
    {"µs", 1000},
    {"ms", 1000000},
    {"s", 1000000000},
    {"m", 60LL * 1000000000},
    {"h", 3600LL * 1000000000},
    {"d", 24LL * 3600 * 1000000000},
};

static const struct unit sizes[] = {
    {"", 1},           {"b", 1},           {"k", 1 << 10},     {"kb", 1 << 10},
    {"kib", 1 << 10},  {"m", 1 << 20},     {"mb", 1 << 20},    {"mib", 1 << 20},
    {"g", 1LL << 30},  {"gb", 1LL << 30},  {"gib", 1LL << 30}, {"t", 1LL << 40},
    {"tb", 1LL << 40}, {"tib", 1LL << 40},
};

static const struct unit *unit_find(const struct unit *units, size_t count, const char *name,
                                    size_t len)
{
    for (size_t i = 0; i < count; i++)
        if (strlen(units[i].name) == len && strncasecmp(units[i].name, name, len) == 0)
            return &units[i];
    return NULL;
}

/* Digits with at most one point; more than 15 significant ones are no quantity of ours. */
static const char *number_parse(const char *text, double *ret_number)
{
    double number = 0;
    double scale = 1;
    bool point = false;
    int digits = 0;

    for (; isdigit((unsigned char)*text) || (*text == '.' && !point); text++) {
        if (*text == '.') {
            point = true;
            continue;
        }
        number = number * 10 + (*text - '0');
        scale *= point ? 10 : 1;
        if (++digits > 15)
            return NULL;
    }
    *ret_number = number / scale;
    return digits > 0 ? text : NULL;
}

/* NUMBER UNIT; `*text` moves on behind it. */
static int part_parse(const char **text, const struct unit *units, size_t count, int64_t max,
                      int64_t *ret_value)
{
    double number;
    const char *unit = number_parse(*text, &number);
    const struct unit *found;
    size_t len;

    if (!unit)
        return -EINVAL;
    len = strcspn(unit, ".0123456789");
    found = unit_find(units, count, unit, len);
    if (!found)
        return -EINVAL;
    if (number > (double)max / (double)found->value)
        return -ERANGE;
    *ret_value = llround(number * (double)found->value);
    *text = unit + len;
    return 0;
}

int quantity_parse_duration(const char *text, int64_t *ret_ns)
{
    int64_t sum = 0;

    if (str_equal(text, "0")) {
        *ret_ns = 0;
        return 0;
    }
    do {
        int64_t part;
        int r = part_parse(&text, durations, ARRAY_SIZE(durations), DURATION_MAX_NS, &part);

        if (r < 0)
            return r;
        sum += part;
        if (sum > DURATION_MAX_NS)
            return -ERANGE;
    } while (*text);
    *ret_ns = sum;
    return 0;
}

int quantity_parse_size(const char *text, int64_t *ret_bytes)
{
    int64_t bytes;
    int r = part_parse(&text, sizes, ARRAY_SIZE(sizes), SIZE_MAX_BYTES, &bytes);

    if (r < 0)
        return r;
    if (*text)
        return -EINVAL;
    *ret_bytes = bytes;
    return 0;
}

int quantity_parse_cpus(const char *text, int64_t *ret_nano)
{
    static const struct unit nano[] = {{"", 1000000000}};
    int64_t value;
    int r = part_parse(&text, nano, ARRAY_SIZE(nano), 4096LL * 1000000000, &value);

    if (r < 0)
        return r;
    if (*text)
        return -EINVAL;
    *ret_nano = value;
    return 0;
}
