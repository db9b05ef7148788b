#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/compose/number.h"
#include "manager/ctl/compose/yaml.h"

static bool is_one_of(const char *text, const char *const words[3])
{
    return str_equal(text, words[0]) || str_equal(text, words[1]) || str_equal(text, words[2]);
}

/* Base 2, 8, 10 or 16 by 0b, 0o, 0x or a leading 0, a sign, underscores anywhere: without these. */
static int parse_int(const char *digits, int64_t *ret_value)
{
    static const struct {
        const char *prefix, *digits;
        int base;
    } FORMS[] = {
        {"0x", "0123456789abcdefABCDEF", 16},
        {"0X", "0123456789abcdefABCDEF", 16},
        {"0o", "01234567", 8},
        {"0O", "01234567", 8},
        {"0b", "01", 2},
        {"0B", "01", 2},
        {"0", "01234567", 8},
        {"", "0123456789", 10},
    };
    bool negative = *digits == '-';
    digits += *digits == '-' || *digits == '+' ? 1 : 0;
    if (str_equal(digits, "0")) {
        *ret_value = 0;
        return 0;
    }
    for (size_t i = 0; i < ARRAY_SIZE(FORMS); i++) {
        if (!str_starts_with(digits, FORMS[i].prefix)) {
            continue;
        }
        digits += strlen(FORMS[i].prefix);
        if (digits[0] == '\0' || digits[strspn(digits, FORMS[i].digits)] != '\0') {
            return -EINVAL;
        }
        errno = 0;
        unsigned long long value = strtoull(digits, NULL, FORMS[i].base);
        if (errno != 0 || value > (unsigned long long)INT64_MAX + negative) {
            return -ERANGE;
        }
        *ret_value = negative ? (int64_t)-value : (int64_t)value;
        return 0;
    }
    return -EINVAL;
}

static struct node *number_node(struct arena *arena, struct place at, const char *text)
{
    char digits[256] = "";
    size_t len = 0;
    for (const char *p = text; *p != '\0' && len < sizeof digits - 1; p++) {
        if (*p != '_') {
            digits[len++] = *p;
        }
    }
    digits[len] = '\0';
    int64_t integer = 0;
    double number = 0;
    bool is_float = str_equal(text, "-0") || parse_int(digits, &integer) < 0;
    if (!is_float) {
        return node_int(arena, at, integer);
    }
    if (number_parse(text[0] == '.' ? text : digits, &number) < 0) {
        return node_string(arena, at, text);
    }
    struct node *node = node_new(arena, NODE_FLOAT, at);
    if (node != NULL) {
        node->number = number;
        bool is_whole = digits[strspn(digits, "0123456789")] == '\0';
        errno = 0;
        if (is_whole && strtoull(digits, NULL, 10) > (unsigned long long)INT64_MAX && errno == 0) {
            node->text = arena_copy(arena, digits, len);
        }
    }
    return node;
}

static struct node *infinity(struct arena *arena, struct place at, const char *text)
{
    static const char *const NAN_WORDS[] = {".nan", ".NaN", ".NAN"};
    static const char *const INF_WORDS[] = {".inf", ".Inf", ".INF"};
    bool sign = text[0] == '-' || text[0] == '+';
    bool is_nan = is_one_of(text, NAN_WORDS);
    if (!is_nan && !is_one_of(text + sign, INF_WORDS)) {
        return NULL;
    }
    struct node *node = node_new(arena, NODE_FLOAT, at);
    if (node != NULL) {
        double inf = text[0] == '-' ? -(double)INFINITY : (double)INFINITY;
        node->number = is_nan ? (double)NAN : inf;
    }
    return node;
}

struct node *yaml_plain(struct arena *arena, struct place at, const char *text)
{
    static const char *const NULLS[] = {"null", "Null", "NULL"};
    static const char *const TRUES[] = {"true", "True", "TRUE"};
    static const char *const FALSES[] = {"false", "False", "FALSE"};
    if (text[0] == '\0' || str_equal(text, "~") || is_one_of(text, NULLS)) {
        return node_new(arena, NODE_NULL, at);
    }
    if (is_one_of(text, TRUES) || is_one_of(text, FALSES)) {
        return node_bool(arena, at, is_one_of(text, TRUES));
    }
    if (strchr("+-.0123456789", text[0]) == NULL || strlen(text) > 255) {
        return node_string(arena, at, text);
    }
    struct node *infinite = infinity(arena, at, text);
    return infinite != NULL ? infinite : number_node(arena, at, text);
}

bool yaml_is_time(const char *text)
{
    const char *digits = "0123456789";
    if (strspn(text, digits) != 4 || text[4] != '-') {
        return false;
    }
    size_t month = strspn(text + 5, digits);
    if (month < 1 || month > 2 || text[5 + month] != '-') {
        return false;
    }
    const char *day = text + 6 + month;
    size_t day_len = strspn(day, digits);
    if (day_len < 1 || day_len > 2) {
        return false;
    }
    const char *rest = day + day_len;
    return *rest == '\0' || (strchr("Tt ", *rest) != NULL && strspn(rest + 1, digits) > 0);
}
