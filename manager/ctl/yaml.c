#include "manager/ctl/yaml.h"

#include <string.h>
#include <strings.h>

#include "common/base/json_text.h"

/* What YAML 1.1 or 1.2 reads as something else than a string. */
static bool is_reserved(const char *text)
{
    static const char *const words[] = {"null", "true", "false", "yes", "no",
                                        "on",   "off",  "y",     "n"};

    for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
        if (strcasecmp(text, words[i]) == 0)
            return true;
    }
    return false;
}

/* Begins with a letter, '_' or '/', and has nothing that could mean anything. */
static bool is_plain(const char *text)
{
    static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/";
    static const char safe[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_/"
                               "0123456789-.+@ ";
    size_t len = strlen(text);

    return len > 0 && strchr(letters, text[0]) && strspn(text, safe) == len &&
           text[len - 1] != ' ' && !is_reserved(text);
}

static void append_string(struct buf *out, const char *text)
{
    if (is_plain(text))
        buf_append_str(out, text);
    else
        buf_append_json(out, text);
}

static void append_scalar(struct buf *out, const cJSON *value)
{
    if (cJSON_IsString(value))
        append_string(out, value->valuestring);
    else if (cJSON_IsObject(value))
        buf_append_str(out, "{}");
    else if (cJSON_IsArray(value))
        buf_append_str(out, "[]");
    else
        json_append_shown(out, value);
}

static void append_block(struct buf *out, const cJSON *value, int indent, bool begun);

/* What stands behind "key:" or "-". */
static void append_value(struct buf *out, const cJSON *value, int indent, bool item)
{
    if (!value->child || (!cJSON_IsObject(value) && !cJSON_IsArray(value))) {
        buf_append_char(out, ' ');
        append_scalar(out, value);
        buf_append_char(out, '\n');
        return;
    }
    /* The first member of an item stands on the item's own line. */
    buf_append_char(out, item ? ' ' : '\n');
    append_block(out, value, indent + 2, item);
}

/* `begun`: the first line has its indent. Depth is bounded by the parser's. */
// NOLINTNEXTLINE(misc-no-recursion)
static void append_block(struct buf *out, const cJSON *value, int indent, bool begun)
{
    for (const cJSON *child = value->child; child; child = child->next) {
        buf_appendf(out, "%*s", begun ? 0 : indent, "");
        begun = false;
        if (cJSON_IsArray(value)) {
            buf_append_char(out, '-');
        } else {
            append_string(out, child->string);
            buf_append_char(out, ':');
        }
        append_value(out, child, indent, cJSON_IsArray(value));
    }
}

void yaml_append(struct buf *out, const cJSON *value)
{
    if (value->child && (cJSON_IsObject(value) || cJSON_IsArray(value))) {
        append_block(out, value, 0, false);
    } else {
        append_scalar(out, value);
        buf_append_char(out, '\n');
    }
}
