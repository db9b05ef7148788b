#include <string.h>

#include "common/base/options_loader.h"
#include "common/base/str.h"

/* The kernel allows 6 MiB for all arguments of a program. */
#define ARGUMENTS_MAX_BYTES (6 << 20)

/* The text with '=' and what follows cut off, and without its dashes. */
static char *bare_name(struct loader *l, const char *arg)
{
    const char *name = arg + strspn(arg, "-");
    return arena_copy(&l->options->arena, name, strcspn(name, "="));
}

static int fail_unknown_flag(struct loader *l, const char *arg)
{
    const char **names = arena_alloc(&l->options->arena, l->count * sizeof *names);
    const char *name = bare_name(l, arg);
    if (names == NULL || name == NULL) {
        return loader_fail_memory(l);
    }
    for (size_t i = 0; i < l->count; i++) {
        names[i] = l->settings[i].option->name;
    }
    int shown = (int)strcspn(arg, "=");
    const char *nearest = str_nearest(name, names, l->count);
    return nearest != NULL
               ? FAIL(l->e, EINVAL, "unknown option %.*s; did you mean --%s?", shown, arg, nearest)
               : FAIL(l->e, EINVAL, "unknown option %.*s; see --help", shown, arg);
}

static int read_subcommand(struct loader *l, const char *arg)
{
    static const char *const known[] = {"healthcheck", "version"};
    for (size_t i = 0; i < ARRAY_SIZE(known); i++) {
        if (l->subcommand == NULL && strcmp(arg, known[i]) == 0) {
            l->subcommand = known[i];
            return 0;
        }
    }
    const struct setting *named = loader_find(l, arg, strcspn(arg, "="));
    const char *nearest = str_nearest(arg, known, ARRAY_SIZE(known));
    if (named != NULL) {
        return FAIL(l->e, EINVAL, "unexpected argument \"%s\"; did you mean --%s?", arg, arg);
    }
    return nearest != NULL
               ? FAIL(l->e, EINVAL, "unexpected argument \"%s\"; did you mean %s?", arg, nearest)
               : FAIL(l->e, EINVAL,
                      "unexpected argument \"%s\"; options have the form --NAME VALUE, see --help",
                      arg);
}

/* The last of several counts, but lists grow: a second --allow-host takes none away. */
static int set_flag(struct loader *l, struct setting *setting, const char *value)
{
    if (setting->option->type != OPTION_LIST || setting->flag == NULL) {
        setting->flag = value;
        return 0;
    }
    AUTO(buf_deinit) struct buf joined = BUF_INIT(ARGUMENTS_MAX_BYTES);
    buf_appendf(&joined, "%s,%s", setting->flag, value);
    if (buf_failed(&joined)) {
        return loader_fail_memory(l);
    }
    setting->flag = arena_copy(&l->options->arena, joined.data, joined.len);
    return setting->flag != NULL ? 0 : loader_fail_memory(l);
}

/* `argv` is at "--...". Returns how many arguments it took, or < 0. */
static int read_flag(struct loader *l, char **argv)
{
    const char *name = argv[0] + 2;
    size_t len = strcspn(name, "=");
    const char *value = name[len] == '=' ? name + len + 1 : NULL;
    struct setting *setting = loader_find(l, name, len);
    if (setting == NULL && value == NULL && str_starts_with(name, "no-")) {
        setting = loader_find(l, name + 3, len - 3);
        setting = setting != NULL && setting->option->type == OPTION_BOOLEAN ? setting : NULL;
        value = "false";
    }
    if (setting == NULL) {
        return fail_unknown_flag(l, argv[0]);
    }
    if (value == NULL && setting->option->type == OPTION_BOOLEAN) {
        value = "true";
    }
    if (value != NULL) {
        int r = set_flag(l, setting, value);
        return r < 0 ? r : 1;
    }
    if (argv[1] == NULL || str_starts_with(argv[1], "--")) {
        return FAIL(l->e, EINVAL, "%s needs a value: %s=%s", argv[0], argv[0],
                    setting->option->value_name != NULL ? setting->option->value_name : "VALUE");
    }
    int r = set_flag(l, setting, argv[1]);
    return r < 0 ? r : 2;
}

int options_read_arguments(struct loader *l, int argc, char **argv)
{
    for (int i = 1; i < argc;) {
        if (str_starts_with(argv[i], "--") && argv[i][2] != '\0') {
            int taken = read_flag(l, argv + i);
            if (taken < 0) {
                return taken;
            }
            i += taken;
            continue;
        }
        bool dashed = argv[i][0] == '-' && argv[i][1] != '\0' && argv[i][1] != '-';
        int r = dashed ? fail_unknown_flag(l, argv[i]) : read_subcommand(l, argv[i]);
        if (r < 0) {
            return r;
        }
        i++;
    }
    return 0;
}
