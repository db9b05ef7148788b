#include "common/base/options_help.h"

#include <string.h>

#include "common/base/options_number.h"

#define HELP_COLUMNS 100
#define HELP_INDENT  34
/* A longer value pushes its comment out of the column rather than all comments to the right. */
#define VALUE_COLUMNS 40

void option_append_variable(const struct option *option, struct buf *out)
{
    buf_append_str(out, "BELLBUOY_");
    for (const char *c = option->name; *c != '\0'; c++) {
        bool lower = *c >= 'a' && *c <= 'z';
        buf_append_char(out, *c == '-' ? '_' : (char)(lower ? *c - 'a' + 'A' : *c));
    }
}

static void append_blanks(struct buf *out, size_t count)
{
    buf_appendf(out, "%*s", (int)count, "");
}

/* Appends words, each line filled up to HELP_COLUMNS and begun with `indent` blanks; the first line
 * starts where the buffer's line is, at `column`. */
static void append_wrapped(struct buf *out, const char *text, size_t indent, size_t column)
{
    bool first = true;
    while (*text != '\0') {
        size_t word = strcspn(text, " ");
        if (!first && column + 1 + word > HELP_COLUMNS) {
            buf_append_char(out, '\n');
            append_blanks(out, indent);
            column = indent;
        } else if (!first) {
            buf_append_char(out, ' ');
            column++;
        }
        buf_append(out, text, word);
        column += word;
        text += word + strspn(text + word, " ");
        first = false;
    }
    buf_append_char(out, '\n');
}

/* "--name VALUE", "--[no-]name", "-n, --name VALUE" */
static void append_flag(const struct option *option, bool builtin, struct buf *out)
{
    if (option->letter != '\0') {
        buf_appendf(out, "-%c, ", option->letter);
    }
    if (option->type == OPTION_BOOLEAN) {
        buf_appendf(out, "--%s%s", builtin ? "" : "[no-]", option->name);
    } else {
        buf_appendf(out, "--%s %s", option->name,
                    option->value_name != NULL ? option->value_name : "VALUE");
    }
}

/* " [", or what stands between two of what it holds. */
static void append_separator(struct buf *out, size_t start)
{
    buf_append_str(out, out->len == start ? " [" : "; ");
}

/* "The port. [0 to 65535; default 5000; BELLBUOY_PORT]" */
static void append_description(const struct option *option, bool builtin, bool flag_only,
                               struct buf *out)
{
    AUTO(buf_deinit) struct buf range = BUF_INIT(256);
    buf_append_str(out, option->help);
    if (builtin && option->type == OPTION_BOOLEAN) {
        return;
    }
    size_t start = out->len;
    if (option->type == OPTION_CHOICE) {
        append_separator(out, start);
        option_value_append_wanted(option, out);
    } else if (option_number_append_range(option, &range)) {
        append_separator(out, start);
        buf_append(out, range.data, range.len);
    }
    if (option->fallback != NULL && !option->secret) {
        append_separator(out, start);
        buf_appendf(out, "default %s", option->fallback[0] != '\0' ? option->fallback : "\"\"");
    }
    if (!flag_only) {
        append_separator(out, start);
        option_append_variable(option, out);
    }
    if (out->len > start) {
        buf_append_char(out, ']');
    }
}

static void append_group(const struct option_group *group, bool builtin, bool flag_only,
                         struct buf *out)
{
    buf_appendf(out, "\n%s:\n", group->title);
    for (size_t i = 0; i < group->count; i++) {
        AUTO(buf_deinit) struct buf flag = BUF_INIT(256);
        AUTO(buf_deinit) struct buf description = BUF_INIT(4096);
        buf_append_str(&flag, "  ");
        append_flag(&group->options[i], builtin, &flag);
        append_description(&group->options[i], builtin, flag_only, &description);
        if (buf_failed(&flag) || buf_failed(&description)) {
            out->failed = true;
            return;
        }
        buf_append_str(out, flag.data);
        if (flag.len + 2 > HELP_INDENT) {
            buf_append_char(out, '\n');
            append_blanks(out, HELP_INDENT);
        } else {
            append_blanks(out, HELP_INDENT - flag.len);
        }
        append_wrapped(out, description.data, HELP_INDENT, HELP_INDENT);
    }
}

/* How options are given. */
static const char service_ways[] =
    "Each option can be given as a flag, as an environment variable, or in the JSON file of "
    "--config under its name with '_' for '-'; the first of these counts.";
static const char tool_ways[] =
    "An option that names an environment variable can also be given by that, or in the JSON file "
    "of "
    "--config under its name with '_' for '-'; the first of these counts.";

void options_append_help(const struct options_program *program, const struct option_group *builtin,
                         struct buf *out)
{
    if (program->usage != NULL) {
        buf_appendf(out, "Usage: %s\n\n", program->usage);
    } else {
        buf_appendf(out, "Usage: %s [healthcheck | version] [--NAME VALUE]...\n\n", program->name);
    }
    append_wrapped(out, program->summary, 0, 0);
    buf_append_char(out, '\n');
    append_wrapped(out, program->usage != NULL ? tool_ways : service_ways, 0, 0);
    for (size_t i = 0; i < program->group_count; i++) {
        append_group(&program->groups[i], false, i < program->flag_group_count, out);
    }
    append_group(builtin, true, false, out);
}

void options_append_config(const struct options_line *lines, size_t count, struct buf *out)
{
    size_t widest = 0;
    for (size_t i = 0; i < count; i++) {
        size_t len = strlen(lines[i].option->name);
        widest = len > widest ? len : widest;
    }
    for (size_t i = 0; i < count; i++) {
        buf_appendf(out, "%-*s = ", (int)widest, lines[i].option->name);
        size_t before = out->len;
        option_value_print(lines[i].option, lines[i].value, out);
        size_t printed = out->len - before;
        append_blanks(out, printed < VALUE_COLUMNS ? VALUE_COLUMNS - printed : 0);
        buf_appendf(out, "  # %s\n", lines[i].source);
    }
}
