#include "common/base/options_value.h"

#include <string.h>

#include "common/base/options_number.h"

struct option_value option_value_none(void)
{
    static const char *const no_items[] = {NULL};
    return (struct option_value){.list = {no_items, 0}};
}

static int parse_boolean(const char *text, bool *ret_value)
{
    static const struct {
        const char *text;
        bool value;
    } forms[] = {{"true", true}, {"false", false}, {"1", true},
                 {"0", false},   {"yes", true},    {"no", false}};
    for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
        if (strcmp(text, forms[i].text) == 0) {
            *ret_value = forms[i].value;
            return 0;
        }
    }
    return -EINVAL;
}

static int parse_choice(const struct option *option, const char *text, int *ret_value)
{
    for (int i = 0; option->choices[i] != NULL; i++) {
        if (strcmp(text, option->choices[i]) == 0) {
            *ret_value = i;
            return 0;
        }
    }
    return -EINVAL;
}

static int copy_string(const char *text, struct arena *arena, const char **ret_string)
{
    const char *copy = arena_copy(arena, text, strlen(text));
    if (copy == NULL) {
        return -ENOMEM;
    }
    *ret_string = copy;
    return 0;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Blanks around items and empty items are dropped: a folded YAML string has both. */
static int parse_list(const char *text, struct arena *arena, struct option_list *ret_list)
{
    size_t most = 1;
    for (const char *c = text; *c != '\0'; c++) {
        most += *c == ',' ? 1 : 0;
    }
    const char **items = arena_alloc(arena, (most + 1) * sizeof *items);
    if (items == NULL) {
        return -ENOMEM;
    }
    size_t count = 0;
    for (const char *at = text;; at++) {
        const char *end = at + strcspn(at, ",");
        const char *first = at;
        const char *last = end;
        while (first < last && is_blank(*first)) {
            first++;
        }
        while (last > first && is_blank(last[-1])) {
            last--;
        }
        if (last > first) {
            items[count] = arena_copy(arena, first, (size_t)(last - first));
            if (items[count++] == NULL) {
                return -ENOMEM;
            }
        }
        at = end;
        if (*at == '\0') {
            break;
        }
    }
    *ret_list = (struct option_list){items, count};
    return 0;
}

int option_value_parse(const struct option *option, const char *text, struct arena *arena,
                       struct option_value *ret_value)
{
    struct option_value value = option_value_none();
    int r = -EINVAL;
    switch (option->type) {
    case OPTION_STRING:
        r = copy_string(text, arena, &value.string);
        break;
    case OPTION_INTEGER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        r = option_number_parse(option, text, &value.number);
        break;
    case OPTION_BOOLEAN:
        r = parse_boolean(text, &value.boolean);
        break;
    case OPTION_CHOICE:
        r = parse_choice(option, text, &value.choice);
        break;
    case OPTION_LIST:
        r = parse_list(text, arena, &value.list);
        break;
    }
    if (r == 0) {
        *ret_value = value;
    }
    return r;
}

/* The items as they are: one may hold a comma. */
static int list_from_json(const cJSON *array, struct arena *arena, struct option_list *ret_list)
{
    size_t count = (size_t)cJSON_GetArraySize(array);
    const char **items = arena_alloc(arena, (count + 1) * sizeof *items);
    if (items == NULL) {
        return -ENOMEM;
    }
    size_t i = 0;
    for (const cJSON *item = array->child; item != NULL; item = item->next) {
        int r = cJSON_IsString(item) ? copy_string(item->valuestring, arena, &items[i]) : -EINVAL;
        if (r < 0) {
            return r;
        }
        i++;
    }
    *ret_list = (struct option_list){items, count};
    return 0;
}

int option_value_from_json(const struct option *option, const cJSON *json, struct arena *arena,
                           struct option_value *ret_value)
{
    struct option_value value = option_value_none();
    int r = -EINVAL;
    if (option_is_number(option) && cJSON_IsNumber(json)) {
        r = option_number_from_json(option, json, &value.number);
    } else if (option->type == OPTION_BOOLEAN && cJSON_IsBool(json)) {
        value.boolean = cJSON_IsTrue(json);
        r = 0;
    } else if (option->type == OPTION_LIST && cJSON_IsArray(json)) {
        r = list_from_json(json, arena, &value.list);
    } else if (option->type != OPTION_BOOLEAN && option->type != OPTION_INTEGER &&
               cJSON_IsString(json)) {
        return option_value_parse(option, json->valuestring, arena, ret_value);
    }
    if (r == 0) {
        *ret_value = value;
    }
    return r;
}

void option_value_store(const struct option *option, const struct option_value *value, void *target)
{
    void *at = (char *)target + option->offset;
    switch (option->type) {
    case OPTION_STRING:
        *(const char **)at = value->string;
        break;
    case OPTION_INTEGER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        *(int64_t *)at = value->number;
        break;
    case OPTION_BOOLEAN:
        *(bool *)at = value->boolean;
        break;
    case OPTION_CHOICE:
        *(int *)at = value->choice;
        break;
    case OPTION_LIST:
        *(struct option_list *)at = value->list;
        break;
    }
}

/* A string as it is, or as JSON where its end or its blanks would not be seen. */
static void append_string(const char *s, struct buf *out)
{
    bool plain = s[0] != '\0';
    for (const char *c = s; *c != '\0'; c++) {
        plain = plain && (unsigned char)*c > ' ' && *c != '"' && *c != '#' && *c != 0x7f;
    }
    if (plain) {
        buf_append_str(out, s);
    } else {
        buf_append_json(out, s);
    }
}

void option_value_print(const struct option *option, const struct option_value *value,
                        struct buf *out)
{
    switch (option->type) {
    case OPTION_STRING:
        if (value->string != NULL) {
            append_string(option->secret ? "********" : value->string, out);
        }
        break;
    case OPTION_INTEGER:
    case OPTION_DURATION:
    case OPTION_SIZE:
        option_number_append(option, value->number, out);
        break;
    case OPTION_BOOLEAN:
        buf_append_str(out, value->boolean ? "true" : "false");
        break;
    case OPTION_CHOICE:
        buf_append_str(out, option->choices[value->choice]);
        break;
    case OPTION_LIST:
        for (size_t i = 0; i < value->list.count; i++) {
            buf_append_str(out, i > 0 ? "," : "");
            append_string(option->secret ? "********" : value->list.items[i], out);
        }
        break;
    }
}

void option_value_append_wanted(const struct option *option, struct buf *out)
{
    static const char *const nouns[] = {
        [OPTION_STRING] = "a string",
        [OPTION_INTEGER] = "an integer",
        [OPTION_BOOLEAN] = "true or false",
        [OPTION_DURATION] = "a duration such as 500ms, 90s, 15m, 12h or 30d",
        [OPTION_SIZE] = "a size such as 4096, 256KiB or 1GB",
        [OPTION_CHOICE] = "one of ",
        [OPTION_LIST] = "strings with commas between them",
    };
    buf_append_str(out, nouns[option->type]);
    if (option->type == OPTION_CHOICE) {
        for (size_t i = 0; option->choices[i] != NULL; i++) {
            buf_append_str(out, i > 0 ? ", " : "");
            buf_append_str(out, option->choices[i]);
        }
    }
    if (option_number_has_bounds(option)) {
        buf_append_str(out, ", ");
        option_number_append_range(option, out);
    } else if (option->type == OPTION_INTEGER) {
        buf_append_str(out, ", 0 or more");
    }
}
