#include "manager/desired/value.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/clock.h"
#include "common/base/str.h"
#include "manager/desired/digest.h"
#include "manager/desired/quantity.h"

#define NAME_MAX_LENGTH    255
#define UNIQUE_MAX         1000 /* each is compared with each */
#define PROJECT_MAX_LENGTH 63   /* a DNS label: networks and volumes are named after it */

/* Others' labels: by ours the manager knows its containers, by the others' other managers do. */
static const char *const reserved_labels[] = {
    "io.bellbuoy.",
    "io.kubernetes.",
    "com.docker.compose.",
};

/* ---- numbers ---- */

static int give_number(const struct reading *r, const struct key *key, int64_t number,
                       cJSON **ret_canonical)
{
    if (number == key->unset && !key->keep)
        return 0;
    *ret_canonical = cJSON_CreateNumber((double)number);
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

int value_integer(const struct reading *r, const struct place *at, const struct key *key,
                  const cJSON *value, int64_t *ret_number)
{
    char wanted[96];
    int64_t number = 0;
    bool taken;

    if (cJSON_IsString(value)) {
        taken = str_parse_int(value->valuestring, key->min, key->max, &number) == 0;
    } else {
        double d = cJSON_IsNumber(value) ? value->valuedouble : NAN;

        taken = d >= (double)key->min && d <= (double)key->max && floor(d) >= d;
        number = taken ? (int64_t)d : 0;
    }
    if (taken) {
        *ret_number = number;
        return 0;
    }
    snprintf(wanted, sizeof wanted, "an integer from %" PRId64 " to %" PRId64, key->min, key->max);
    return reading_fail_value(r, at, value, wanted);
}

int value_read_integer(const struct reading *r, const struct place *at, const struct key *key,
                       const cJSON *value, cJSON **ret_canonical)
{
    int64_t number = 0;
    int ret = value_integer(r, at, key, value, &number);

    return ret < 0 ? ret : give_number(r, key, number, ret_canonical);
}

int value_read_duration(const struct reading *r, const struct place *at, const struct key *key,
                        const cJSON *value, cJSON **ret_canonical)
{
    int64_t ns = -1;

    if (cJSON_IsString(value) && quantity_parse_duration(value->valuestring, &ns) == 0 &&
        (ns == 0 || ns >= key->min))
        return give_number(r, key, ns, ret_canonical);
    return reading_fail_value(r, at, value,
                              key->min > 0 ? "a duration such as \"1m30s\" from 1ms to 240h"
                                           : "a duration such as \"1m30s\" up to 240h");
}

int value_read_size(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    int64_t bytes = -1;

    if (cJSON_IsNumber(value)) {
        double d = value->valuedouble;

        if (d >= 0 && d <= (double)SIZE_MAX_BYTES && floor(d) >= d)
            bytes = (int64_t)d;
    } else if (cJSON_IsString(value)) {
        if (key->min < 0 && str_equal(value->valuestring, "-1"))
            return give_number(r, key, -1, ret_canonical);
        if (quantity_parse_size(value->valuestring, &bytes) < 0)
            bytes = -1;
    }
    if (bytes == 0 || (bytes > 0 && bytes >= key->min))
        return give_number(r, key, bytes, ret_canonical);
    if (key->min < 0 && cJSON_IsNumber(value) && fabs(value->valuedouble + 1) < 0.5)
        return give_number(r, key, -1, ret_canonical);
    return reading_fail_value(r, at, value,
                              key->min > 1 ? "a size such as \"128M\", at least 6M, at most 512T"
                                           : "a size such as \"128M\", at most 512T");
}

int value_read_cpus(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    int64_t nano = -1;

    if (cJSON_IsNumber(value) && value->valuedouble >= 0 && value->valuedouble <= 4096)
        nano = llround(value->valuedouble * 1e9);
    else if (cJSON_IsString(value) && quantity_parse_cpus(value->valuestring, &nano) < 0)
        nano = -1;
    if (nano == 0 || nano >= 10000000)
        return give_number(r, key, nano, ret_canonical);
    return reading_fail_value(r, at, value, "a number of processors from 0.01 to 4096");
}

/* ---- scalars ---- */

int value_read_bool(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    if (!cJSON_IsBool(value))
        return reading_fail_value(r, at, value, "true or false");
    if (cJSON_IsTrue(value) == (key->unset != 0) && !key->keep)
        return 0;
    *ret_canonical = cJSON_CreateBool(cJSON_IsTrue(value));
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

int value_read_string(const struct reading *r, const struct place *at, const struct key *key,
                      const cJSON *value, cJSON **ret_canonical)
{
    (void)key;
    if (!cJSON_IsString(value))
        return reading_fail_value(r, at, value, "a string");
    if (!value->valuestring[0])
        return 0;
    *ret_canonical = cJSON_CreateString(value->valuestring);
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

static int fail_choice(const struct reading *r, const struct place *at, const struct key *key,
                       const cJSON *value)
{
    AUTO(buf_deinit) struct buf wanted = BUF_INIT(256);

    for (const char *const *choice = key->choices; *choice; choice++) {
        const char *before = choice == key->choices ? "" : choice[1] ? ", " : " or ";

        buf_appendf(&wanted, "%s\"%s\"", before, *choice);
    }
    return reading_fail_value(r, at, value, buf_failed(&wanted) ? "another" : wanted.data);
}

int value_read_choice(const struct reading *r, const struct place *at, const struct key *key,
                      const cJSON *value, cJSON **ret_canonical)
{
    const char *const *choice = key->choices;

    while (cJSON_IsString(value) && *choice && strcmp(*choice, value->valuestring) != 0)
        choice++;
    if (!cJSON_IsString(value) || !*choice)
        return fail_choice(r, at, key, value);
    if (choice == key->choices && !key->keep)
        return 0;
    *ret_canonical = cJSON_CreateString(*choice);
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

int value_read_path(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    (void)key;
    if (!cJSON_IsString(value) || value->valuestring[0] != '/')
        return reading_fail_value(r, at, value, "an absolute path");
    *ret_canonical = cJSON_CreateString(value->valuestring);
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

int value_read_time(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    int64_t time_us;

    if (!cJSON_IsString(value) ||
        clock_parse_us(value->valuestring, strlen(value->valuestring), &time_us) < 0)
        return reading_fail_value(r, at, value, "a time such as \"2026-11-20T22:00:00Z\"");
    return value_read_string(r, at, key, value, ret_canonical);
}

/* ---- names ---- */

static bool is_lower(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_alphanumeric(char c)
{
    return is_lower(c) || (c >= 'A' && c <= 'Z');
}

bool value_is_engine_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!is_alphanumeric(name[i]) && (i == 0 || !strchr("_.-", name[i])))
            return false;
    return len > 0 && len <= NAME_MAX_LENGTH;
}

bool value_is_service_name(const char *name)
{
    return value_is_engine_name(name) && strlen(name) <= NAME_MAX_LENGTH - PROJECT_MAX_LENGTH - 32;
}

bool value_is_project_name(const char *name)
{
    size_t len = strlen(name);

    for (size_t i = 0; i < len; i++)
        if (!is_lower(name[i]) && (i == 0 || !strchr("_-", name[i])))
            return false;
    return len > 0 && len <= PROJECT_MAX_LENGTH;
}

int value_read_name(const struct reading *r, const struct place *at, const struct key *key,
                    const cJSON *value, cJSON **ret_canonical)
{
    if (!cJSON_IsString(value) || !value_is_engine_name(value->valuestring))
        return reading_fail_value(r, at, value,
                                  "a name of letters, digits, '_', '.' and '-' that begins with a "
                                  "letter or digit");
    return value_read_string(r, at, key, value, ret_canonical);
}

/* ---- lists and maps ---- */

static bool has_string(const cJSON *array, const char *s)
{
    const cJSON *item;

    cJSON_ArrayForEach(item, array) if (strcmp(item->valuestring, s) == 0) return true;
    return false;
}

int value_read_strings(const struct reading *r, const struct place *at, const struct key *key,
                       const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    size_t index = 0;

    if (!cJSON_IsArray(value))
        return reading_fail_value(r, at, value, "an array of strings");
    if (key->unique && cJSON_GetArraySize(value) > UNIQUE_MAX)
        return reading_fail(r, REASON_SCHEMA, at, "has more than %d items", UNIQUE_MAX);
    canonical = cJSON_CreateArray();
    if (!canonical)
        return reading_fail_memory(r);
    for (const cJSON *item = value->child; item; item = item->next, index++) {
        if (!cJSON_IsString(item))
            return reading_fail_value(r, &(struct place){at, NULL, index}, item, "a string");
        if (key->unique && has_string(canonical, item->valuestring))
            continue;
        if (!key_add(canonical, NULL, cJSON_CreateString(item->valuestring)))
            return reading_fail_memory(r);
    }
    if (canonical->child || key->keep)
        *ret_canonical = TAKE(canonical);
    return 0;
}

int value_read_text(const struct reading *r, const struct place *at, const cJSON *value,
                    cJSON **ret_string)
{
    char number[32];
    const char *text = number;

    if (cJSON_IsString(value)) {
        text = value->valuestring;
    } else if (cJSON_IsBool(value)) {
        text = cJSON_IsTrue(value) ? "true" : "false";
    } else if (cJSON_IsNumber(value)) {
        snprintf(number, sizeof number, "%.15g", value->valuedouble);
        if (fabs(strtod(number, NULL) - value->valuedouble) > 0)
            snprintf(number, sizeof number, "%.17g", value->valuedouble);
    } else {
        return reading_fail_value(r, at, value, "a string");
    }
    *ret_string = cJSON_CreateString(text);
    return *ret_string ? 0 : reading_fail_memory(r);
}

int value_read_map(const struct reading *r, const struct place *at, const struct key *key,
                   const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;

    if (!cJSON_IsObject(value))
        return reading_fail_value(r, at, value, "an object");
    canonical = cJSON_CreateObject();
    if (!canonical)
        return reading_fail_memory(r);
    for (const cJSON *member = value->child; member; member = member->next) {
        AUTO(cJSON_Delete) cJSON *text = NULL;
        struct place place = {at, member->string, 0};
        int ret = 0;

        if (!member->string[0])
            return reading_fail(r, REASON_SCHEMA, &place, "has no name");
        if (cJSON_IsNull(member))
            text = key->keep ? cJSON_CreateNull() : cJSON_CreateString("");
        else
            ret = value_read_text(r, &place, member, &text);
        if (ret < 0)
            return ret;
        if (!key_add(canonical, member->string, TAKE(text)))
            return reading_fail_memory(r);
    }
    if (canonical_sort(canonical) < 0)
        return reading_fail_memory(r);
    if (canonical->child)
        *ret_canonical = TAKE(canonical);
    return 0;
}

int value_read_labels(const struct reading *r, const struct place *at, const struct key *key,
                      const cJSON *value, cJSON **ret_canonical)
{
    for (const cJSON *member = cJSON_IsObject(value) ? value->child : NULL; member;
         member = member->next)
        for (size_t i = 0; i < ARRAY_SIZE(reserved_labels); i++)
            if (str_starts_with(member->string, reserved_labels[i]))
                return reading_fail(r, REASON_NOT_ALLOWED, &(struct place){at, member->string, 0},
                                    "is a label that only the manager may give: no document may "
                                    "have labels that begin with %s",
                                    reserved_labels[i]);
    return value_read_map(r, at, key, value, ret_canonical);
}
