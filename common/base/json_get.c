#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/json_text.h"
#include "common/base/str.h"

/* Above 2^53 a double is no exact integer any more. */
#define EXACT_MAX 9007199254740992.0
#define SHOWN_MAX 40

void json_append_pointer_name(struct buf *b, const char *name)
{
    for (const char *c = name; *c != '\0'; c++) {
        if (*c == '~' || *c == '/') {
            buf_append_str(b, *c == '~' ? "~0" : "~1");
        } else {
            buf_append_char(b, *c);
        }
    }
}

void json_append_shown_string(struct buf *b, const char *s)
{
    size_t len = strlen(s);
    size_t kept = len;
    if (len > SHOWN_MAX) {
        kept = SHOWN_MAX;
        while (kept > 0 && ((unsigned char)s[kept] & 0xc0) == 0x80) {
            kept--; /* not through a character */
        }
    }
    buf_append_json_n(b, s, kept);
    buf_append_str(b, kept < len ? "..." : "");
}

static void append_shown_number(struct buf *b, double number)
{
    char text[32];
    snprintf(text, sizeof text, "%.15g", number);
    if (strtod(text, NULL) != number) {
        snprintf(text, sizeof text, "%.17g", number);
    }
    buf_append_str(b, text);
}

void json_append_shown(struct buf *b, const cJSON *value)
{
    if (cJSON_IsString(value)) {
        json_append_shown_string(b, value->valuestring);
    } else if (cJSON_IsNumber(value)) {
        append_shown_number(b, value->valuedouble);
    } else if (cJSON_IsBool(value)) {
        buf_append_str(b, cJSON_IsTrue(value) ? "true" : "false");
    } else if (cJSON_IsNull(value)) {
        buf_append_str(b, "null");
    } else {
        buf_append_str(b, cJSON_IsObject(value) ? "an object" : "an array");
    }
}

static int fail_member(const cJSON *member, const char *at, const char *name, const char *wanted,
                       struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(sizeof e->msg * 2);
    buf_append_str(&text, at);
    buf_append_char(&text, '/');
    json_append_pointer_name(&text, name);
    buf_appendf(&text, " must be %s, it is ", wanted);
    json_append_shown(&text, member);
    if (buf_failed(&text)) {
        return FAIL(e, EINVAL, "%s must be %s", name, wanted);
    }
    return FAIL(e, EINVAL, "%s", text.data);
}

const cJSON *json_member(const cJSON *object, const char *name)
{
    if (!cJSON_IsObject(object))
        return NULL;
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        if (strcmp(member->string, name) == 0) {
            return member;
        }
    }
    return NULL;
}

int json_get_string(const cJSON *object, const char *at, const char *name, const char **ret_value,
                    struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (member == NULL) {
        return JSON_ABSENT;
    }
    if (!cJSON_IsString(member)) {
        return fail_member(member, at, name, "a string", e);
    }
    *ret_value = member->valuestring;
    return 0;
}

int json_get_int(const cJSON *object, const char *at, const char *name, int64_t min, int64_t max,
                 int64_t *ret_value, struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (member == NULL) {
        return JSON_ABSENT;
    }
    double value = cJSON_IsNumber(member) ? member->valuedouble : NAN;
    bool integer = fabs(value) <= EXACT_MAX && floor(value) == value;
    if (!integer || (int64_t)value < min || (int64_t)value > max) {
        char wanted[96];
        snprintf(wanted, sizeof wanted, "an integer from %" PRId64 " to %" PRId64, min, max);
        return fail_member(member, at, name, wanted, e);
    }
    *ret_value = (int64_t)value;
    return 0;
}

int json_get_number(const cJSON *object, const char *at, const char *name, double *ret_value,
                    struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (member == NULL) {
        return JSON_ABSENT;
    }
    if (!cJSON_IsNumber(member)) {
        return fail_member(member, at, name, "a number", e);
    }
    *ret_value = member->valuedouble;
    return 0;
}

int json_get_bool(const cJSON *object, const char *at, const char *name, bool *ret_value,
                  struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (member == NULL) {
        return JSON_ABSENT;
    }
    if (!cJSON_IsBool(member)) {
        return fail_member(member, at, name, "true or false", e);
    }
    *ret_value = cJSON_IsTrue(member);
    return 0;
}

int json_get_object(const cJSON *object, const char *at, const char *name, const cJSON **ret_value,
                    struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (member == NULL) {
        return JSON_ABSENT;
    }
    if (!cJSON_IsObject(member)) {
        return fail_member(member, at, name, "an object", e);
    }
    *ret_value = member;
    return 0;
}

int json_get_array(const cJSON *object, const char *at, const char *name, const cJSON **ret_value,
                   struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (member == NULL) {
        return JSON_ABSENT;
    }
    if (!cJSON_IsArray(member)) {
        return fail_member(member, at, name, "an array", e);
    }
    *ret_value = member;
    return 0;
}

static bool is_known(const char *name, const char *const *known)
{
    for (; *known != NULL; known++) {
        if (strcmp(*known, name) == 0) {
            return true;
        }
    }
    return false;
}

int json_check_members(const cJSON *object, const char *at, const char *const *known, struct err *e)
{
    for (const cJSON *member = object->child; member != NULL; member = member->next) {
        if (is_known(member->string, known)) {
            continue;
        }
        size_t count = 0;
        while (known[count] != NULL) {
            count++;
        }
        const char *nearest = str_nearest(member->string, known, count);
        AUTO(buf_deinit) struct buf pointer = BUF_INIT(sizeof e->msg);
        json_append_pointer_name(&pointer, member->string);
        const char *name = buf_failed(&pointer) || pointer.data == NULL ? "" : pointer.data;
        return nearest != NULL
                   ? FAIL(e, EINVAL, "%s/%s is not known; did you mean \"%s\"?", at, name, nearest)
                   : FAIL(e, EINVAL, "%s/%s is not known", at, name);
    }
    return 0;
}
