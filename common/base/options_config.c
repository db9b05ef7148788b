#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/options_loader.h"

#define CONFIG_MAX_BYTES (1 << 20)
#define CONFIG_MAX_DEPTH 4

/* The option's name in the configuration file. */
static char *member_name(struct loader *l, const struct option *option)
{
    char *name = arena_copy(&l->options->arena, option->name, strlen(option->name));
    for (char *c = name; c != NULL && *c != '\0'; c++) {
        *c = *c == '-' ? '_' : *c;
    }
    return name;
}

/* Of those that the setting has already it keeps its own. */
static int find_members(struct loader *l, const cJSON *object, const char *source)
{
    const char **known = arena_alloc(&l->options->arena, (l->count + 1) * sizeof *known);
    if (known == NULL) {
        return loader_fail_memory(l);
    }
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        struct setting *setting = &l->settings[i];
        if (setting->builtin || setting->flag_only) {
            continue;
        }
        known[count] = member_name(l, setting->option);
        if (known[count] == NULL) {
            return loader_fail_memory(l);
        }
        const cJSON *member = json_member(object, known[count++]);
        if (member != NULL && setting->member == NULL) {
            setting->member = member;
            setting->member_source = source;
        }
    }
    return json_check_members(object, "", known, l->e);
}

/* "file PATH"; NULL without memory. */
static const char *file_source(struct loader *l, const char *path)
{
    AUTO(buf_deinit) struct buf source = BUF_INIT(strlen(path) + sizeof "file ");
    buf_appendf(&source, "file %s", path);
    return buf_failed(&source) ? NULL : arena_copy(&l->options->arena, source.data, source.len);
}

int options_read_config(struct loader *l, const char *path)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(CONFIG_MAX_BYTES);
    const char *source = file_source(l, path);
    if (source == NULL) {
        return loader_fail_memory(l);
    }
    int r = file_read(path, &text, l->e);
    if (r < 0) {
        err_context(l->e, "--config");
        return r;
    }
    r = json_parse(text.data, text.len, CONFIG_MAX_DEPTH, &l->config, l->e);
    if (r == 0 && !cJSON_IsObject(l->config)) {
        r = FAIL(l->e, EINVAL, "it must be a JSON object such as {\"log_level\": \"debug\"}");
    }
    if (r == 0) {
        r = find_members(l, l->config, source);
    }
    if (r < 0) {
        err_context(l->e, "--config %s", path);
    }
    return r;
}

static const struct option_group *preset_group(const struct loader *l)
{
    return &l->program->groups[l->program->flag_group_count];
}

int options_read_preset(struct loader *l)
{
    const char *source = NULL;
    int r = l->program->read_preset(preset_group(l)->target, &l->preset, &source, l->e);
    if (r < 0 || l->preset == NULL) {
        return r;
    }
    source = arena_copy(&l->options->arena, source, strlen(source));
    if (source == NULL) {
        return loader_fail_memory(l);
    }
    r = find_members(l, l->preset, source);
    if (r < 0) {
        err_context(l->e, "%s", source);
    }
    return r;
}
