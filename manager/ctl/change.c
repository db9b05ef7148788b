#include "manager/ctl/change.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/json_text.h"
#include "common/base/str.h"

#define PATH_MAX_BYTES 4096
#define DEPTH_MAX      (JSON_MAX_DEPTH + 1)

/* A comparison under way: the pointer so far, and what was found. */
struct search {
    struct buf path;
    cJSON *found;
    bool failed;
};

static bool add_copy(cJSON *object, const char *name, const cJSON *value)
{
    cJSON *copy = value ? cJSON_Duplicate(value, true) : NULL;

    if (!value || (copy && cJSON_AddItemToObject(object, name, copy)))
        return true;
    cJSON_Delete(copy);
    return false;
}

static void note(struct search *s, const cJSON *from, const cJSON *to)
{
    cJSON *one AUTO(cJSON_Delete) = cJSON_CreateObject();

    if (buf_failed(&s->path) || !one ||
        !cJSON_AddStringToObject(one, "path", s->path.data ? s->path.data : "") ||
        !add_copy(one, "from", from) || !add_copy(one, "to", to) ||
        !cJSON_AddItemToArray(s->found, one))
        s->failed = true;
    else
        one = NULL;
}

static void step_back(struct search *s, size_t len)
{
    s->path.len = len;
    if (s->path.data)
        s->path.data[len] = '\0';
}

static void compare(struct search *s, const cJSON *from, const cJSON *to, unsigned depth);

static void compare_member(struct search *s, const char *name, const cJSON *from, const cJSON *to,
                           unsigned depth)
{
    size_t len = s->path.len;

    buf_append_char(&s->path, '/');
    json_append_pointer_name(&s->path, name);
    compare(s, from, to, depth + 1);
    step_back(s, len);
}

static bool is_of_publication(const char *name)
{
    static const char *const names[] = {"revision", "id", "issued", "apiVersion"};

    for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
        if (strcmp(names[i], name) == 0)
            return true;
    }
    return false;
}

static void compare_objects(struct search *s, const cJSON *from, const cJSON *to, unsigned depth)
{
    for (const cJSON *member = from->child; member; member = member->next) {
        if (depth > 0 || !is_of_publication(member->string))
            compare_member(s, member->string, member, json_member(to, member->string), depth);
    }
    for (const cJSON *member = to->child; member; member = member->next) {
        if (!json_member(from, member->string) && (depth > 0 || !is_of_publication(member->string)))
            compare_member(s, member->string, NULL, member, depth);
    }
}

/* An empty object or array says as much as none. */
static bool is_nothing(const cJSON *value)
{
    return !value || ((cJSON_IsObject(value) || cJSON_IsArray(value)) && !value->child);
}

// NOLINTNEXTLINE(misc-no-recursion): bounded by DEPTH_MAX
static void compare(struct search *s, const cJSON *from, const cJSON *to, unsigned depth)
{
    if (is_nothing(from) && is_nothing(to))
        return;
    if (from && to && cJSON_IsObject(from) && cJSON_IsObject(to) && depth < DEPTH_MAX)
        compare_objects(s, from, to, depth);
    else if (!from || !to || !cJSON_Compare(from, to, true))
        note(s, from, to);
}

cJSON *change_list(const cJSON *from, const cJSON *to)
{
    struct search s = {.path = BUF_INIT(PATH_MAX_BYTES), .found = cJSON_CreateArray()};
    cJSON *nothing AUTO(cJSON_Delete) = cJSON_CreateObject();

    if (s.found && nothing)
        compare(&s, from ? from : nothing, to, 0);
    buf_deinit(&s.path);
    if (!s.found || !nothing || s.failed) {
        cJSON_Delete(s.found);
        return NULL;
    }
    return s.found;
}

static void append_value(struct buf *out, const cJSON *value)
{
    char *text AUTO(free) = cJSON_PrintUnformatted(value);

    if (text)
        buf_append_str(out, text);
    else
        out->failed = true;
}

void change_append(struct buf *out, const struct terminal *terminal, const cJSON *changes)
{
    for (const cJSON *c = changes->child; c; c = c->next) {
        AUTO(buf_deinit) struct buf line = BUF_INIT(out->max);
        const cJSON *from = json_member(c, "from");
        const cJSON *to = json_member(c, "to");
        buf_append_str(&line, !from ? "+ " : !to ? "- " : "~ ");
        buf_append_str(&line, json_member(c, "path")->valuestring);
        buf_append_str(&line, ": ");
        append_value(&line, from ? from : to);
        if (from && to) {
            buf_append_str(&line, " -> ");
            append_value(&line, to);
        }
        if (buf_failed(&line)) {
            out->failed = true;
            return;
        }
        terminal_append_styled(out, terminal,
                               !from ? STYLE_GOOD
                               : !to ? STYLE_BAD
                                     : STYLE_WARNING,
                               line.data);
        buf_append_char(out, '\n');
    }
}
