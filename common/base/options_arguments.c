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

/* `value` stands with the flag; NULL: it is the next argument, or there is none. Returns how many
 * arguments were taken, or < 0. */
static int take_value(struct loader *l, struct setting *setting, const char *value, char **argv)
{
    if (value == NULL && setting->option->type == OPTION_BOOLEAN) {
        value = "true";
    }
    if (value != NULL) {
        int r = set_flag(l, setting, value);
        return r < 0 ? r : 1;
    }
    if (argv[1] == NULL || str_starts_with(argv[1], "--")) {
        return FAIL(l->e, EINVAL, "%s needs a value: %s%c%s", argv[0], argv[0],
                    argv[0][1] == '-' ? '=' : ' ',
                    setting->option->value_name != NULL ? setting->option->value_name : "VALUE");
    }
    int r = set_flag(l, setting, argv[1]);
    return r < 0 ? r : 2;
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
    return take_value(l, setting, value, argv);
}

/* `argv` is at "-f", or "-fVALUE". */
static int read_letter(struct loader *l, char **argv)
{
    for (size_t i = 0; i < l->count; i++) {
        const struct option *option = l->settings[i].option;
        bool alone = argv[0][2] == '\0';
        if (option->letter == argv[0][1] && (alone || option->type != OPTION_BOOLEAN)) {
            return take_value(l, &l->settings[i], alone ? NULL : argv[0] + 2, argv);
        }
    }
    return fail_unknown_flag(l, argv[0]);
}

/* Where the program takes operands; else a subcommand. */
static int read_operand(struct loader *l, const char *arg)
{
    if (l->operands == NULL) {
        return read_subcommand(l, arg);
    }
    l->operands[l->operand_count] = arena_copy(&l->options->arena, arg, strlen(arg));
    return l->operands[l->operand_count++] != NULL ? 0 : loader_fail_memory(l);
}

/* Returns how many arguments it took, or < 0. */
static int read_argument(struct loader *l, char **argv)
{
    if (str_starts_with(argv[0], "--") && argv[0][2] != '\0') {
        return read_flag(l, argv);
    }
    if (argv[0][0] == '-' && argv[0][1] != '\0' && argv[0][1] != '-') {
        return read_letter(l, argv);
    }
    int r = read_operand(l, argv[0]);
    return r < 0 ? r : 1;
}

static int prepare_operands(struct loader *l, int argc)
{
    if (l->program->ret_operands == NULL) {
        return 0;
    }
    l->operands = arena_alloc(&l->options->arena, ((size_t)argc + 1) * sizeof *l->operands);
    return l->operands != NULL ? 0 : loader_fail_memory(l);
}

int options_read_arguments(struct loader *l, int argc, char **argv)
{
    int r = prepare_operands(l, argc);
    int i = 1;
    while (r >= 0 && i < argc && (l->operands == NULL || strcmp(argv[i], "--") != 0)) {
        r = read_argument(l, argv + i);
        i += r;
    }
    for (i++; r >= 0 && i < argc; i++) {
        r = read_operand(l, argv[i]);
    }
    if (r >= 0 && l->operands != NULL) {
        *l->program->ret_operands = (struct option_list){l->operands, l->operand_count};
    }
    return r < 0 ? r : 0;
}
