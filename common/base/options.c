#include "common/base/options.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/base/json_text.h"
#include "common/base/log.h"
#include "common/base/options_help.h"
#include "common/base/options_loader.h"
#include "common/base/str.h"

#define OUTPUT_MAX_BYTES (1 << 20)

static const char *const level_choices[] = {"error", "warning", "info", "debug", NULL};
static const char *const format_choices[] = {"logfmt", "json", NULL};

const struct option log_option_table[] = {
    {.name = "log-level",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct log_options, level),
     .fallback = "info",
     .choices = level_choices,
     .value_name = "LEVEL",
     .help = "Least important level that is logged."},
    {.name = "log-format",
     .type = OPTION_CHOICE,
     .offset = offsetof(struct log_options, format),
     .fallback = "logfmt",
     .choices = format_choices,
     .value_name = "FORMAT",
     .help = "Form of a log line on stderr."},
};
const size_t log_option_count = ARRAY_SIZE(log_option_table);

static const struct option builtin_table[] = {
    {.name = "config",
     .offset = offsetof(struct builtin_options, config),
     .value_name = "FILE",
     .help = "JSON file with options."},
    {.name = "print-config",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct builtin_options, print_config),
     .help = "Print each option's value and where it comes from, then exit."},
    {.name = "help",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct builtin_options, help),
     .help = "Print this text, then exit."},
    {.name = "version",
     .type = OPTION_BOOLEAN,
     .offset = offsetof(struct builtin_options, version),
     .help = "Print the version, then exit."},
};

static void loader_deinit(struct loader *l)
{
    free(l->settings);
    cJSON_Delete(l->config);
    cJSON_Delete(l->preset);
    options_free(l->options);
}

static void loader_deinit_cleanup(struct loader *l)
{
    loader_deinit(l);
}

int loader_fail_memory(struct loader *l)
{
    return FAIL(l->e, ENOMEM, "out of memory");
}

static void add_group(struct loader *l, const struct option_group *group, bool builtin,
                      bool flag_only)
{
    for (size_t i = 0; i < group->count; i++) {
        l->settings[l->count++] = (struct setting){.option = &group->options[i],
                                                   .target = group->target,
                                                   .builtin = builtin,
                                                   .flag_only = flag_only,
                                                   .value = option_value_none()};
    }
}

static int loader_init(struct loader *l)
{
    const struct options_program *program = l->program;
    l->builtin_group =
        (struct option_group){"General", builtin_table, ARRAY_SIZE(builtin_table), &l->builtin};
    size_t count = l->builtin_group.count;
    for (size_t i = 0; i < program->group_count; i++) {
        count += program->groups[i].count;
    }
    l->options = calloc(1, sizeof *l->options);
    l->settings = calloc(count, sizeof *l->settings);
    if (l->options == NULL || l->settings == NULL) {
        return loader_fail_memory(l);
    }
    add_group(l, &l->builtin_group, true, false);
    for (size_t i = 0; i < program->group_count; i++) {
        add_group(l, &program->groups[i], false, i < program->flag_group_count);
    }
    return 0;
}

struct setting *loader_find(const struct loader *l, const char *name, size_t len)
{
    for (size_t i = 0; i < l->count; i++) {
        const char *known = l->settings[i].option->name;
        if (strlen(known) == len && memcmp(known, name, len) == 0) {
            return &l->settings[i];
        }
    }
    return NULL;
}

static int read_environment(struct loader *l, char **environment)
{
    for (size_t i = 0; i < l->count; i++) {
        struct setting *setting = &l->settings[i];
        if (setting->flag_only ||
            (setting->builtin && !str_equal(setting->option->name, "config"))) {
            continue; /* BELLBUOY_VERSION is anybody's */
        }
        AUTO(buf_deinit) struct buf variable = BUF_INIT(256);
        option_append_variable(setting->option, &variable);
        buf_append_char(&variable, '=');
        if (buf_failed(&variable)) {
            return loader_fail_memory(l);
        }
        for (char **entry = environment; *entry != NULL && setting->variable == NULL; entry++) {
            if (str_starts_with(*entry, variable.data)) {
                setting->variable = *entry + variable.len;
            }
        }
    }
    return 0;
}

/* The value as it was given, for a message. */
static void append_given(const struct setting *setting, const char *text, struct buf *out)
{
    if (setting->option->secret) {
        buf_append_str(out, "what it is");
    } else if (text != NULL) {
        json_append_shown_string(out, text);
    } else if (setting->option->type == OPTION_LIST && cJSON_IsArray(setting->member)) {
        buf_append_str(out, "an array that holds other things than strings");
    } else {
        json_append_shown(out, setting->member);
    }
}

static void append_nearest_choice(const struct option *option, const char *text, struct buf *out)
{
    size_t count = 0;
    while (option->choices[count] != NULL) {
        count++;
    }
    const char *nearest = str_nearest(text, option->choices, count);
    if (nearest != NULL) {
        buf_appendf(out, "; did you mean %s?", nearest);
    }
}

/* --port cannot be "x" (environment BELLBUOY_PORT): it must be an integer, 0 to 65535 */
static int fail_value(struct loader *l, const struct setting *setting, int code, const char *text)
{
    const struct option *option = setting->option;
    if (code == ENOMEM) {
        return loader_fail_memory(l);
    }
    AUTO(buf_deinit) struct buf out = BUF_INIT(4096);
    append_given(setting, text, &out);
    buf_appendf(&out, " (%s", setting->source);
    if (setting->variable != NULL && text == setting->variable) {
        buf_append_char(&out, ' ');
        option_append_variable(option, &out);
    }
    buf_append_str(&out, "): it must be ");
    option_value_append_wanted(option, &out);
    if (option->type == OPTION_CHOICE && text != NULL) {
        append_nearest_choice(option, text, &out);
    }
    return FAIL(l->e, EINVAL, "--%s cannot be %s", option->name,
                buf_failed(&out) ? "that" : out.data);
}

static int resolve_text(struct loader *l, struct setting *setting, const char *text,
                        const char *source)
{
    setting->source = source;
    int r = text == NULL
                ? 0
                : option_value_parse(setting->option, text, &l->options->arena, &setting->value);
    return r < 0 ? fail_value(l, setting, -r, text) : 0;
}

static int resolve_member(struct loader *l, struct setting *setting)
{
    const cJSON *member = setting->member;
    setting->source = setting->member_source;
    int r = option_value_from_json(setting->option, member, &l->options->arena, &setting->value);
    return r < 0 ? fail_value(l, setting, -r, cJSON_IsString(member) ? member->valuestring : NULL)
                 : 0;
}

/* Takes the first source that has the option. */
static int resolve(struct loader *l, struct setting *setting)
{
    if (setting->flag != NULL) {
        return resolve_text(l, setting, setting->flag, "flag");
    }
    if (setting->variable != NULL) {
        return resolve_text(l, setting, setting->variable, "environment");
    }
    if (setting->member != NULL) {
        return resolve_member(l, setting);
    }
    return resolve_text(l, setting, setting->option->fallback, "default");
}

/* Gives values to `count` settings from `first` on, and the targets those. */
static int resolve_some(struct loader *l, size_t first, size_t count)
{
    for (size_t i = first; i < first + count; i++) {
        int r = resolve(l, &l->settings[i]);
        if (r < 0) {
            return r;
        }
        option_value_store(l->settings[i].option, &l->settings[i].value, l->settings[i].target);
    }
    return 0;
}

/* Targets are written on success only, but for those that read_preset() may look at. */
static int resolve_all(struct loader *l)
{
    size_t first = l->builtin_group.count;
    int r = 0;
    if (l->program->read_preset != NULL) {
        size_t count = 0;
        for (size_t i = 0; i <= l->program->flag_group_count; i++) {
            count += l->program->groups[i].count;
        }
        r = resolve_some(l, first, count);
        if (r == 0) {
            r = options_read_preset(l);
        }
    }
    for (size_t i = first; r == 0 && i < l->count; i++) {
        r = resolve(l, &l->settings[i]);
    }
    for (size_t i = first; r == 0 && i < l->count; i++) {
        option_value_store(l->settings[i].option, &l->settings[i].value, l->settings[i].target);
    }
    return r;
}

static int print(struct loader *l, struct buf *out)
{
    if (buf_failed(out)) {
        return loader_fail_memory(l);
    }
    fputs(out->data != NULL ? out->data : "", stdout);
    fflush(stdout);
    return OPTIONS_EXIT;
}

static int print_help(struct loader *l)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
    options_append_help(l->program, &l->builtin_group, &out);
    return print(l, &out);
}

static int print_config(struct loader *l)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(OUTPUT_MAX_BYTES);
    struct options_line *lines = arena_alloc(&l->options->arena, l->count * sizeof *lines);
    if (lines == NULL) {
        return loader_fail_memory(l);
    }
    size_t count = 0;
    for (size_t i = 0; i < l->count; i++) {
        const struct setting *s = &l->settings[i];
        if (!s->builtin) {
            lines[count++] = (struct options_line){s->option, &s->value, s->source};
        }
    }
    options_append_config(lines, count, &out);
    return print(l, &out);
}

/* Values may need nothing of this: help and version are served whatever else is wrong. */
static int load_values(struct loader *l)
{
    int r = l->builtin.config != NULL ? options_read_config(l, l->builtin.config) : 0;
    if (r == 0) {
        r = resolve_all(l);
    }
    if (r < 0) {
        return r;
    }
    if (l->builtin.print_config) {
        return print_config(l);
    }
    return l->subcommand != NULL ? OPTIONS_HEALTHCHECK : OPTIONS_RUN;
}

int options_load(const struct options_program *program, int argc, char **argv, char **environment,
                 struct options **ret_options, struct err *e)
{
    AUTO(loader_deinit) struct loader l = {.program = program, .e = e};
    int r = loader_init(&l);
    if (r == 0) {
        r = options_read_arguments(&l, argc, argv);
    }
    if (r == 0) {
        r = read_environment(&l, environment);
    }
    if (r == 0) {
        r = resolve_some(&l, 0, l.builtin_group.count);
    }
    if (r == 0 && l.builtin.help) {
        r = print_help(&l);
    } else if (r == 0 && (l.builtin.version || str_equal(l.subcommand, "version"))) {
        r = OPTIONS_VERSION;
    } else if (r == 0) {
        r = load_values(&l);
    }
    if (r >= 0) {
        *ret_options = TAKE(l.options);
    }
    return r;
}

void options_free(struct options *options)
{
    if (options != NULL) {
        arena_deinit(&options->arena);
        free(options);
    }
}
