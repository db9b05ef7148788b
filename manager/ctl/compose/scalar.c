#include "manager/ctl/compose/scalar.h"

#include <string.h>
#include <strings.h>

#include "common/base/str.h"
#include "manager/ctl/compose/number.h"
#include "manager/ctl/compose/words.h"

static bool is_word(const char *text, const char *const *words, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (strcasecmp(text, words[i]) == 0) {
            return true;
        }
    }
    return false;
}

int scalar_to_bool(struct load *load, struct node *node, const struct step *step)
{
    static const char *const YES[] = {"true", "y", "yes", "on"};
    static const char *const NO[] = {"false", "n", "no", "off"};
    if (node->kind == NODE_BOOL) {
        return 0;
    }
    bool truth = is_word(node->text, YES, ARRAY_SIZE(YES));
    if (!truth && !is_word(node->text, NO, ARRAY_SIZE(NO))) {
        return load_fail(load, node, step, "must be true or false, it is \"%.40s\"", node->text);
    }
    if (!is_word(node->text, YES, 1) && !is_word(node->text, NO, 1)) {
        int result = load_warn(load, "\"%s\" is no boolean of YAML 1.2: it is taken as %s",
                               node->text, truth ? "true" : "false");
        if (result < 0) {
            return result;
        }
    }
    node->kind = NODE_BOOL;
    node->truth = truth;
    return 0;
}

int scalar_to_int(struct load *load, struct node *node, const struct step *step)
{
    int64_t value = 0;
    if (node->kind == NODE_FLOAT) {
        value = node->number > -9007199254740992.0 && node->number < 9007199254740992.0
                    ? (int64_t)node->number
                    : 0;
        if ((double)value < node->number || (double)value > node->number) {
            return load_fail(load, node, step, "must be a whole number");
        }
    } else if (node->kind == NODE_STRING &&
               str_parse_int(node->text, -(INT64_C(1) << 53), INT64_C(1) << 53, &value) < 0) {
        return load_fail(load, node, step, "must be a whole number, it is \"%.40s\"", node->text);
    }
    if (node->kind != NODE_INT) {
        node->kind = NODE_INT;
        node->integer = value;
    }
    return 0;
}

int scalar_to_string(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    node->text = node_print(&load->arena, node);
    node->kind = NODE_STRING;
    return node->text == NULL ? load_no_memory(load) : 0;
}

static int finish_cpus(struct load *load, struct node *node, const struct step *step)
{
    double value = node->kind == NODE_INT ? (double)node->integer : node->number;
    if (node->kind == NODE_STRING && number_parse(node->text, &value) < 0) {
        return load_fail(load, node, step,
                         "must be a number of processors, as 0.5, it is \"%.40s\"", node->text);
    }
    node->kind = NODE_FLOAT;
    node->number = number_through_float32(value);
    return 0;
}

static int set_text(struct load *load, struct node *node, const char *text)
{
    node->kind = NODE_STRING;
    node->text = arena_copy(&load->arena, text, strlen(text));
    return node->text == NULL ? load_no_memory(load) : 0;
}

static int finish_bytes(struct load *load, struct node *node, const struct step *step)
{
    const char *text = node_print(&load->arena, node);
    int64_t bytes = 0;
    if (text == NULL) {
        return load_no_memory(load);
    }
    if (node->kind == NODE_FLOAT || size_parse(text, &bytes) < 0) {
        return load_fail(
            load, node, step,
            "must be a size in bytes, or with a unit, as \"512m\" or \"1.5g\", it is \"%.40s\"",
            text);
    }
    struct node number = {.kind = NODE_INT, .integer = bytes};
    text = node_print(&load->arena, &number);
    if (text == NULL) {
        return load_no_memory(load);
    }
    return set_text(load, node, bytes == 0 ? "" : text);
}

static int finish_duration(struct load *load, struct node *node, const struct step *step)
{
    int64_t ns = 0;
    char text[NUMBER_TEXT_SIZE];
    if (duration_parse(node->text, &ns) < 0) {
        return load_fail(load, node, step,
                         "must be a duration with units, as \"90s\" or \"1m30s\", it is \"%.40s\"",
                         node->text);
    }
    duration_format(ns, text);
    return set_text(load, node, text);
}

static int finish_duration_or_none(struct load *load, struct node *node, const struct step *step)
{
    int result = finish_duration(load, node, step);
    return result == 0 && str_equal(node->text, "0s") ? set_text(load, node, "") : result;
}

int scalar_to_list(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    if (node->kind != NODE_STRING) {
        return 0;
    }
    struct node *list = node_new(&load->arena, NODE_LIST, node->at);
    if (list == NULL || node_append(list, node_string(&load->arena, node->at, node->text)) < 0) {
        return load_no_memory(load);
    }
    node_become(node, list);
    return 0;
}

static int finish_command(struct load *load, struct node *node, const struct step *step)
{
    struct node *words = NULL;
    const char *dropped = "";
    if (node->kind != NODE_STRING) {
        return 0;
    }
    int result = words_split(&load->arena, node->at, node->text, &words, &dropped);
    if (result == -EINVAL) {
        return load_fail(load, node, step,
                         "\"%.60s\" has a quote or parenthesis that is not closed; "
                         "a list of words, [\"a\", \"b\"], needs none",
                         node->text);
    }
    if (result < 0) {
        return load_no_memory(load);
    }
    if (dropped[0] != '\0') {
        result = load_warn(load,
                           "%s:%zu: no shell reads this command: Compose drops \"%.60s\"; write "
                           "[\"sh\", \"-c\", \"...\"]",
                           node->at.file, node->at.line, dropped);
    }
    node_become(node, words);
    return result;
}

static int finish_options(struct load *load, struct node *node, const struct step *step)
{
    int result = 0;
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        result = scalar_to_string(load, child, step);
    }
    return result;
}

/* A list of NAME=VALUE as a mapping; of a name without = the value is null. */
static int list_to_map(struct load *load, struct node *node)
{
    struct node *map = node_new(&load->arena, NODE_MAP, node->at);
    if (map == NULL) {
        return load_no_memory(load);
    }
    for (const struct node *item = node->first; item != NULL; item = item->next) {
        size_t len = strcspn(item->text, "=");
        const char *name = arena_copy(&load->arena, item->text, len);
        struct node *value = item->text[len] == '='
                                 ? node_string(&load->arena, item->at, item->text + len + 1)
                                 : node_new(&load->arena, NODE_NULL, item->at);
        if (name == NULL || node_put(map, name, value) < 0) {
            return load_no_memory(load);
        }
    }
    node_become(node, map);
    return 0;
}

static int finish_environment(struct load *load, struct node *node, const struct step *step)
{
    size_t index = 0;
    bool is_list = node->kind == NODE_LIST;
    for (struct node *item = node->first; is_list && item != NULL; item = item->next, index++) {
        size_t len = strcspn(item->text, "=");
        if (len == 0 || strchr(" \t\n", item->text[len - 1]) != NULL) {
            return load_fail(load, item, STEP(step, item, index),
                             "must be NAME=VALUE, without a blank before the =");
        }
    }
    int result = is_list ? list_to_map(load, node) : 0;
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        if (child->kind == NODE_NULL) {
            const char *value = variables_get(&load->variables, child->key);
            result = value == NULL ? 0 : set_text(load, child, value);
        } else {
            result = scalar_to_string(load, child, step);
        }
    }
    return result;
}

static int finish_labels(struct load *load, struct node *node, const struct step *step)
{
    int result = node->kind == NODE_LIST ? list_to_map(load, node) : 0;
    return result == 0 ? finish_options(load, node, step) : result;
}

int scalar_check_names(struct load *load, struct node *map, const struct step *step)
{
    static const char ALLOWED[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-";
    for (const struct node *child = map->first; child != NULL; child = child->next) {
        if (child->key[0] == '\0' || child->key[strspn(child->key, ALLOWED)] != '\0') {
            return load_fail_key(load, child, STEP(step, child, 0),
                                 "a name here has letters, digits, '.', '_' and '-' only");
        }
    }
    return 0;
}

const struct shape SHAPE_STRING = {.what = "a string", .kinds = NODE_STRING};
const struct shape SHAPE_BOOL = {
    .what = "true or false", .kinds = NODE_BOOL | NODE_STRING, .finish = scalar_to_bool};
const struct shape SHAPE_BOOL_SET = {.what = "true or false",
                                     .kinds = NODE_BOOL | NODE_STRING,
                                     .flags = SHAPE_KEEP_EMPTY,
                                     .finish = scalar_to_bool};
const struct shape SHAPE_INT = {
    .what = "a whole number", .kinds = KIND_NUMBER | NODE_STRING, .finish = scalar_to_int};
const struct shape SHAPE_INT_SET = {.what = "a whole number",
                                    .kinds = KIND_NUMBER | NODE_STRING,
                                    .flags = SHAPE_KEEP_EMPTY,
                                    .finish = scalar_to_int};
const struct shape SHAPE_CPUS = {
    .what = "a number", .kinds = KIND_NUMBER | NODE_STRING, .finish = finish_cpus};
const struct shape SHAPE_BYTES = {.what = "a size in bytes, or with a unit, as \"512m\"",
                                  .kinds = KIND_NUMBER | NODE_STRING,
                                  .finish = finish_bytes};
const struct shape SHAPE_DURATION = {.what = "a duration with units, as \"1m30s\"",
                                     .kinds = NODE_STRING,
                                     .finish = finish_duration_or_none};
const struct shape SHAPE_DURATION_SET = {.what = "a duration with units, as \"1m30s\"",
                                         .kinds = NODE_STRING,
                                         .flags = SHAPE_KEEP_EMPTY,
                                         .finish = finish_duration};

const struct shape SHAPE_STRINGS = {
    .what = "a list of strings", .kinds = NODE_LIST, .flags = SHAPE_UNIQUE, .item = &SHAPE_STRING};
const struct shape SHAPE_STRING_OR_LIST = {.what = "a string or a list of strings",
                                           .kinds = NODE_STRING | NODE_LIST,
                                           .flags = SHAPE_UNIQUE,
                                           .item = &SHAPE_STRING,
                                           .lengthen = scalar_to_list};
static const struct shape WORD = {.what = "a string or a whole number",
                                  .kinds = NODE_STRING | NODE_INT,
                                  .finish = scalar_to_string};
const struct shape SHAPE_WORDS = {.what = "a list of strings and numbers",
                                  .kinds = NODE_LIST,
                                  .flags = SHAPE_UNIQUE,
                                  .item = &WORD};
const struct shape SHAPE_COMMAND = {.what = "a string or a list of strings",
                                    .kinds = NODE_NULL | NODE_STRING | NODE_LIST,
                                    .flags = SHAPE_KEEP_EMPTY | SHAPE_KEEP_NULL,
                                    .item = &SHAPE_STRING,
                                    .finish = finish_command};
static const struct shape OPTION = {.what = "a string or a number",
                                    .kinds = NODE_NULL | KIND_NUMBER | NODE_STRING};
const struct shape SHAPE_OPTIONS = {
    .what = "a mapping", .kinds = NODE_MAP, .item = &OPTION, .finish = finish_options};

static const struct shape PAIR = {.what = "a string, a number, a boolean or nothing",
                                  .kinds = KIND_SCALAR};

/* In a list only strings: in a mapping any scalar. */
static int check_pairs(struct load *load, struct node *node, const struct step *step)
{
    size_t index = 0;
    for (struct node *child = node->first; child != NULL; child = child->next, index++) {
        if (node->kind == NODE_LIST && child->kind != NODE_STRING) {
            return load_fail(load, child, STEP(step, child, index),
                             "must be a string, as \"NAME=VALUE\", this is %s",
                             node_kind_name(child));
        }
    }
    return 0;
}

const struct shape SHAPE_ENVIRONMENT = {.what = "a mapping or a list of NAME=VALUE",
                                        .kinds = NODE_MAP | NODE_LIST,
                                        .flags = SHAPE_UNIQUE,
                                        .item = &PAIR,
                                        .lengthen = check_pairs,
                                        .finish = finish_environment};
const struct shape SHAPE_LABELS = {.what = "a mapping or a list of NAME=VALUE",
                                   .kinds = NODE_MAP | NODE_LIST,
                                   .flags = SHAPE_UNIQUE,
                                   .item = &PAIR,
                                   .lengthen = check_pairs,
                                   .finish = finish_labels};
