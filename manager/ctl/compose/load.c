#include "manager/ctl/compose/load.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/buf.h"
#include "common/base/str.h"

#define TEXT_MAX_BYTES 4096

static bool name_is(const struct step *step, const char *pattern, size_t len)
{
    if (len == 1 && pattern[0] == '*') {
        return true;
    }
    return step->name != NULL && strlen(step->name) == len && memcmp(step->name, pattern, len) == 0;
}

bool step_matches(const struct step *step, const char *pattern)
{
    size_t end = strlen(pattern);
    for (; step != NULL; step = step->up) {
        size_t start = end;
        while (start > 0 && pattern[start - 1] != '.') {
            start--;
        }
        if (end == 0 || !name_is(step, pattern + start, end - start)) {
            return false;
        }
        end = start > 0 ? start - 1 : 0;
    }
    return end == 0;
}

static void append_step(struct buf *b, const struct step *step)
{
    if (step == NULL) {
        return;
    }
    append_step(b, step->up);
    if (step->name == NULL) {
        buf_appendf(b, "[%zu]", step->index);
    } else {
        buf_appendf(b, "%s%s", step->up == NULL ? "" : ".", step->name);
    }
}

int load_fail(struct load *load, const struct node *at, const struct step *step, const char *fmt,
              ...)
{
    AUTO(buf_deinit) struct buf way = BUF_INIT(TEXT_MAX_BYTES);
    append_step(&way, step);
    char text[sizeof load->e->msg];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    err_set(load->e, EINVAL, "%s:%zu:%zu: %s%s%s", at->at.file, at->at.line, at->at.column,
            way.data == NULL ? "" : way.data, way.data == NULL ? "" : ": ", text);
    return -EINVAL;
}

int load_fail_key(struct load *load, const struct node *at, const struct step *step,
                  const char *text)
{
    struct node key = {.at = at->key_at.file == NULL ? at->at : at->key_at};
    return load_fail(load, &key, step, "%s", text);
}

int load_warn(struct load *load, const char *fmt, ...)
{
    char text[512];
    va_list args;
    va_start(args, fmt);
    vsnprintf(text, sizeof text, fmt, args);
    va_end(args);
    const cJSON *said = NULL;
    cJSON_ArrayForEach(said, load->warnings)
    {
        if (str_equal(said->valuestring, text)) {
            return 0;
        }
    }
    cJSON *warning = cJSON_CreateString(text);
    if (warning == NULL || !cJSON_AddItemToArray(load->warnings, warning)) {
        cJSON_Delete(warning);
        return load_no_memory(load);
    }
    return 0;
}

/* The end of `clean` without its last name: ".." */
static size_t parent_length(const char *clean, size_t len)
{
    while (len > 0 && clean[len - 1] != '/') {
        len--;
    }
    return len > 1 ? len - 1 : len;
}

const char *load_clean_path(struct load *load, const char *path)
{
    bool absolute = path[0] == '/';
    size_t size = strlen(path) + 3;
    char *clean = arena_alloc(&load->arena, size);
    if (clean == NULL) {
        return NULL;
    }
    size_t len = absolute ? 1 : 0;
    clean[0] = '/';
    for (const char *name = path + strspn(path, "/"); *name != '\0'; name += strspn(name, "/")) {
        size_t name_len = strcspn(name, "/");
        bool up = name_len == 2 && memcmp(name, "..", 2) == 0;
        size_t last = len >= 2 ? len - 2 : 0;
        bool above =
            len >= 2 && memcmp(clean + last, "..", 2) == 0 && (last == 0 || clean[last - 1] == '/');
        bool at_root = absolute && len == 1;
        if (up && at_root) {
            len = 1;
        } else if (up && len > 0 && !above) {
            len = parent_length(clean, len);
        } else if (!(name_len == 1 && name[0] == '.')) {
            if (len > 0 && !at_root) {
                clean[len++] = '/';
            }
            memcpy(clean + len, name, name_len);
            len += name_len;
        }
        name += name_len;
    }
    if (len == 0) {
        clean[len++] = '.';
    }
    clean[len] = '\0';
    return clean;
}

const char *load_absolute_path(struct load *load, const char *path)
{
    const char *base = load->working_dir;
    if (path[0] == '~') {
        base = variables_get(&load->variables, "HOME");
        path++;
        if (base == NULL) {
            return load_clean_path(load, path - 1);
        }
    } else if (path[0] == '/') {
        return arena_copy(&load->arena, path, strlen(path));
    }
    size_t size = strlen(base) + strlen(path) + 2;
    char *joined = arena_alloc(&load->arena, size);
    if (joined == NULL) {
        return NULL;
    }
    snprintf(joined, size, "%s/%s", base, path);
    return load_clean_path(load, joined);
}
