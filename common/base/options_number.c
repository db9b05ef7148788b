#include "common/base/options_number.h"

#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "common/base/str.h"

struct unit {
    const char *name;
    int64_t factor;
};

/* Each from large to small, as printing takes the first that divides. */
static const struct unit duration_units[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
static const struct unit size_units[] = {
    {"TiB", INT64_C(1) << 40},
    {"TB", INT64_C(1000000000000)},
    {"GiB", INT64_C(1) << 30},
    {"GB", 1000000000},
    {"MiB", 1 << 20},
    {"MB", 1000000},
    {"KiB", 1 << 10},
    {"kB", 1000},
    {"KB", 1000},
    {"B", 1},
    {"", 1},
};

static int parse_with_unit(const char *text, const struct unit *units, size_t count,
                           int64_t *ret_value)
{
    char digits[24];
    size_t len = strspn(text, "0123456789");
    const struct unit *unit = NULL;
    for (size_t i = 0; i < count && unit == NULL; i++) {
        unit = strcmp(text + len, units[i].name) == 0 ? &units[i] : NULL;
    }
    if (unit == NULL || len == 0) {
        return -EINVAL;
    }
    int64_t number;
    if (!str_copy_n(digits, sizeof digits, text, len) ||
        str_parse_int(digits, 0, INT64_MAX, &number) < 0 ||
        __builtin_mul_overflow(number, unit->factor, &number)) {
        return -ERANGE;
    }
    *ret_value = number;
    return 0;
}

int option_parse_duration_ms(const char *text, int64_t *ret_ms)
{
    if (strcmp(text, "0") == 0) { /* the one number that is the same in every unit */
        *ret_ms = 0;
        return 0;
    }
    return parse_with_unit(text, duration_units, ARRAY_SIZE(duration_units), ret_ms);
}

int option_parse_size_bytes(const char *text, int64_t *ret_bytes)
{
    return parse_with_unit(text, size_units, ARRAY_SIZE(size_units), ret_bytes);
}

void option_number_append(const struct option *option, int64_t number, struct buf *out)
{
    const struct unit *units = NULL;
    size_t count = 0;
    if (option->type == OPTION_DURATION) {
        units = duration_units;
        count = ARRAY_SIZE(duration_units);
    } else if (option->type == OPTION_SIZE) {
        units = size_units;
        count = ARRAY_SIZE(size_units);
    }
    for (size_t i = 0; i < count && number != 0; i++) {
        if (number % units[i].factor == 0) {
            buf_appendf(out, "%" PRId64 "%s", number / units[i].factor, units[i].name);
            return;
        }
    }
    buf_appendf(out, "%" PRId64, number);
}

bool option_is_number(const struct option *option)
{
    return option->type == OPTION_INTEGER || option->type == OPTION_DURATION ||
           option->type == OPTION_SIZE;
}

bool option_number_has_bounds(const struct option *option)
{
    return option_is_number(option) && (option->min != 0 || option->max != 0);
}

static int check_range(const struct option *option, int64_t number)
{
    int64_t min = option_number_has_bounds(option) ? option->min : 0;
    int64_t max = option_number_has_bounds(option) ? option->max : INT64_MAX;
    return number < min || number > max ? -ERANGE : 0;
}

int option_number_parse(const struct option *option, const char *text, int64_t *ret_number)
{
    int64_t number;
    int r;
    if (option->type == OPTION_DURATION) {
        r = option_parse_duration_ms(text, &number);
    } else if (option->type == OPTION_SIZE) {
        r = option_parse_size_bytes(text, &number);
    } else {
        r = str_parse_int(text, INT64_MIN, INT64_MAX, &number);
    }
    r = r < 0 ? r : check_range(option, number);
    if (r == 0) {
        *ret_number = number;
    }
    return r;
}

int option_number_from_json(const struct option *option, const cJSON *json, int64_t *ret_number)
{
    double number = json->valuedouble;
    if (floor(number) != number) {
        return -EINVAL;
    }
    if (fabs(number) > 9007199254740992.0) { /* 2^53: no exact integer above it */
        return -ERANGE;
    }
    int r = check_range(option, (int64_t)number);
    if (r == 0) {
        *ret_number = (int64_t)number;
    }
    return r;
}

bool option_number_append_range(const struct option *option, struct buf *out)
{
    if (!option_number_has_bounds(option)) {
        return false;
    }
    option_number_append(option, option->min, out);
    if (option->max == INT64_MAX) {
        buf_append_str(out, " or more");
    } else {
        buf_append_str(out, " to ");
        option_number_append(option, option->max, out);
    }
    return true;
}
