#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/command.h"

/* What completes a value or an operand. */
enum completes { COMPLETES_NOTHING, COMPLETES_FILES, COMPLETES_CHOICES };

static const char *const general_flags[] = {"config", "print-config", "help", "version"};

/* ---- the options of a command, one after the other ---- */

struct walk {
    const struct command *command;
    struct flag_set connection;
    size_t set, index;
};

static const struct flag_set *set_at(struct walk *w)
{
    size_t own = 0;

    while (own < COMMAND_SETS_MAX && w->command->sets[own])
        own++;
    if (w->set < own)
        return w->command->sets[w->set];
    const struct flag_set *const more[] = {&flags_output, &w->connection};
    size_t count = w->command->offline ? 1 : ARRAY_SIZE(more);
    return w->set - own < count ? more[w->set - own] : NULL;
}

/* NULL: no more. */
static const struct option *next_option(struct walk *w)
{
    const struct flag_set *set;

    while ((set = set_at(w))) {
        if (w->index < set->count)
            return &set->options[w->index++];
        w->set++;
        w->index = 0;
    }
    return NULL;
}

static struct walk walk_begin(const struct command *command)
{
    return (struct walk){.command = command, .connection = command_connection_set()};
}

static enum completes completes(const struct option *option)
{
    if (option->type == OPTION_CHOICE)
        return COMPLETES_CHOICES;
    return str_equal(option->value_name, "FILE") ? COMPLETES_FILES : COMPLETES_NOTHING;
}

static void append_choices(struct buf *out, const struct option *option)
{
    for (size_t i = 0; option->choices[i]; i++)
        buf_appendf(out, "%s%s", i ? " " : "", option->choices[i]);
}

/* ---- bash ---- */

static const char bash_begin[] =
    "# Completion of buoyctl for bash: source <(buoyctl completion bash)\n"
    "_buoyctl()\n"
    "{\n"
    "    local current=${COMP_WORDS[COMP_CWORD]} previous=${COMP_WORDS[COMP_CWORD - 1]}\n"
    "    local command=${COMP_WORDS[1]} flags= files= values=\n"
    "    COMPREPLY=()\n"
    "    if [[ $COMP_CWORD -eq 1 ]]; then\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$(_buoyctl_commands)\" -- \"$current\")\n"
    "        return\n"
    "    fi\n"
    "    case $command in\n";
static const char bash_end[] = "    help) values=$(_buoyctl_commands) ;;\n"
                               "    esac\n"
                               "    case $command:$previous in\n";
static const char bash_rest[] =
    "    esac\n"
    "    if [[ $current == -* ]]; then\n"
    "        values=$flags files=\n"
    "    fi\n"
    "    if [[ $files ]]; then\n"
    "        compopt -o filenames\n"
    "        mapfile -t COMPREPLY < <(compgen -f -- \"$current\")\n"
    "    else\n"
    "        mapfile -t COMPREPLY < <(compgen -W \"$values\" -- \"$current\")\n"
    "    fi\n"
    "}\n"
    "complete -F _buoyctl buoyctl\n";

static void append_names(struct buf *out)
{
    for (size_t i = 0; i < command_count; i++)
        buf_appendf(out, "%s ", commands[i].name);
    buf_append_str(out, "version help");
}

static void append_bash_command(struct buf *out, const struct command *command)
{
    struct walk walk = walk_begin(command);
    const struct option *option;

    buf_appendf(out, "    %s)\n        flags='", command->name);
    while ((option = next_option(&walk)))
        buf_appendf(out, "--%s ", option->name);
    for (size_t i = 0; i < ARRAY_SIZE(general_flags); i++)
        buf_appendf(out, "%s--%s", i ? " " : "", general_flags[i]);
    buf_append_str(out, "'\n");
    if (str_equal(command->operands, "FILE..."))
        buf_append_str(out, "        files=1\n");
    else if (str_equal(command->operands, "SHELL"))
        buf_append_str(out, "        values='bash zsh'\n");
    buf_append_str(out, "        ;;\n");
}

/* What stands behind an option that has a value. */
static void append_bash_values(struct buf *out, const struct command *command)
{
    struct walk walk = walk_begin(command);
    const struct option *option;

    while ((option = next_option(&walk))) {
        if (option->type == OPTION_BOOLEAN)
            continue;
        buf_appendf(out, "    %s:--%s", command->name, option->name);
        if (option->letter)
            buf_appendf(out, " | %s:-%c", command->name, option->letter);
        buf_append_str(out, ") ");
        if (completes(option) == COMPLETES_CHOICES) {
            buf_append_str(out, "values='");
            append_choices(out, option);
            buf_append_str(out, "' files= ;;\n");
        } else {
            buf_append_str(out, completes(option) == COMPLETES_FILES ? "values= files=1 ;;\n"
                                                                     : "values= files= ;;\n");
        }
    }
}

static void append_bash(struct buf *out)
{
    buf_append_str(out, "_buoyctl_commands()\n{\n    echo '");
    append_names(out);
    buf_append_str(out, "'\n}\n");
    buf_append_str(out, bash_begin);
    for (size_t i = 0; i < command_count; i++)
        append_bash_command(out, &commands[i]);
    buf_append_str(out, bash_end);
    for (size_t i = 0; i < command_count; i++)
        append_bash_values(out, &commands[i]);
    buf_append_str(out, bash_rest);
}

/* ---- zsh ---- */

/* Of an explanation: what would end the word or mean something to _arguments. */
static void append_zsh_text(struct buf *out, const char *text)
{
    for (; *text != '\0'; text++) {
        if (*text == '\'')
            buf_append_str(out, "'\\''");
        else if (strchr("[]:\\", *text))
            buf_appendf(out, "\\%c", *text);
        else
            buf_append_char(out, *text);
    }
}

static void append_zsh_option(struct buf *out, const struct option *option)
{
    buf_appendf(out, "            '%s--%s[", option->type == OPTION_LIST ? "*" : "", option->name);
    append_zsh_text(out, option->help);
    buf_append_char(out, ']');
    if (option->type != OPTION_BOOLEAN) {
        buf_append_char(out, ':');
        append_zsh_text(out, option->value_name);
        buf_append_char(out, ':');
        if (completes(option) == COMPLETES_FILES) {
            buf_append_str(out, "_files");
        } else if (completes(option) == COMPLETES_CHOICES) {
            buf_append_char(out, '(');
            append_choices(out, option);
            buf_append_char(out, ')');
        }
    }
    buf_append_str(out, "' \\\n");
}

static void append_zsh_command(struct buf *out, const struct command *command)
{
    struct walk walk = walk_begin(command);
    const struct option *option;

    buf_appendf(out, "    %s)\n        _arguments \\\n", command->name);
    while ((option = next_option(&walk)))
        append_zsh_option(out, option);
    buf_append_str(out, "            '--config[JSON file with options.]:FILE:_files' \\\n"
                        "            '--help[Print the options.]' \\\n");
    if (str_equal(command->operands, "FILE..."))
        buf_append_str(out, "            '*:file:_files'\n");
    else if (str_equal(command->operands, "SHELL"))
        buf_append_str(out, "            '1:shell:(bash zsh)'\n");
    else
        buf_append_str(out, "            '*:name:'\n");
    buf_append_str(out, "        ;;\n");
}

static void append_zsh(struct buf *out)
{
    buf_append_str(out, "#compdef buoyctl\n"
                        "# Completion of buoyctl for zsh: source <(buoyctl completion zsh)\n"
                        "_buoyctl()\n{\n    local -a names=(\n");
    for (size_t i = 0; i < command_count; i++) {
        buf_appendf(out, "        '%s:", commands[i].name);
        append_zsh_text(out, commands[i].summary);
        buf_append_str(out, "'\n");
    }
    buf_append_str(out, "        'version:Prints the version.'\n"
                        "        'help:Prints the commands, or the options of one.'\n    )\n"
                        "    if (( CURRENT == 2 )); then\n"
                        "        _describe command names\n        return\n    fi\n"
                        "    local command=$words[2]\n"
                        "    shift words\n    (( CURRENT-- ))\n    case $command in\n");
    for (size_t i = 0; i < command_count; i++)
        append_zsh_command(out, &commands[i]);
    buf_append_str(out, "    help) _describe command names ;;\n    esac\n}\n"
                        /* a file in $fpath is the function's body at its first call */
                        "if [[ $funcstack[1] == _buoyctl ]]; then\n"
                        "    _buoyctl \"$@\"\nelse\n    compdef _buoyctl buoyctl\nfi\n");
}

int completion_run(const struct call *call)
{
    const char *shell = call->flags->operands.items[0];
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (str_equal(shell, "bash"))
        append_bash(&out);
    else if (str_equal(shell, "zsh"))
        append_zsh(&out);
    else
        return call_fail(call, CTL_USAGE, "there is completion for bash and zsh, not for '%s'",
                         shell);
    return call_print(call, &out);
}
