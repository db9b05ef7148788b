#include "manager/ctl/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "manager/ctl/yaml.h"

static void say(const struct call *call, const char *prefix, enum style style, const char *format,
                va_list arguments) FORMAT(4, 0);

static void say(const struct call *call, const char *prefix, enum style style, const char *format,
                va_list arguments)
{
    char text[1024];
    AUTO(buf_deinit) struct buf line = BUF_INIT(sizeof text * 4);

    (void)vsnprintf(text, sizeof text, format, arguments);
    terminal_append_styled(&line, &call->err, style, prefix);
    terminal_append(&line, text);
    buf_append_char(&line, '\n');
    if (!buf_failed(&line))
        fputs(line.data, stderr);
}

int call_fail(const struct call *call, enum ctl_exit status, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(call, "buoyctl: ", STYLE_BAD, format, arguments);
    va_end(arguments);
    return (int)status;
}

int call_fail_error(const struct call *call, const struct err *e)
{
    return call_fail(call, e->code == EINVAL ? CTL_USAGE : CTL_FAILED, "%s", e->msg);
}

void call_note(const struct call *call, const char *format, ...)
{
    va_list arguments;

    va_start(arguments, format);
    say(call, "", STYLE_PLAIN, format, arguments);
    va_end(arguments);
}

int call_print(const struct call *call, const struct buf *text)
{
    if (buf_failed(text))
        return call_fail(call, CTL_FAILED, "out of memory");
    if (text->len > 0)
        fwrite(text->data, 1, text->len, stdout);
    if (fflush(stdout) != 0)
        return call_fail(call, CTL_FAILED, "the output cannot be written: %s", strerror(errno));
    return CTL_CONVERGED;
}

int call_print_tree(const struct call *call, const cJSON *tree)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(CALL_OUTPUT_MAX);

    if (call->flags->output == OUTPUT_YAML) {
        yaml_append(&out, tree);
        return call_print(call, &out);
    }
    char *text AUTO(free) = cJSON_Print(tree);
    if (!text)
        return call_fail(call, CTL_FAILED, "out of memory");
    buf_append_str(&out, text);
    buf_append_char(&out, '\n');
    return call_print(call, &out);
}
