#pragma once

/* What --help and --print-config write. Nothing outside options*.c needs it. */

#include "common/base/buf.h"
#include "common/base/options.h"
#include "common/base/options_value.h"

/* BELLBUOY_ + the name in capitals with '_'; the buffer's maximum cuts it. */
void option_append_variable(const struct option *option, struct buf *out);

/* `builtin` is the group of flags that every program has. */
void options_append_help(const struct options_program *program, const struct option_group *builtin,
                         struct buf *out);

/* One line of --print-config. */
struct options_line {
    const struct option *option;
    const struct option_value *value;
    const char *source; /* "flag", "environment", "file /etc/bellbuoy.json", "default" */
};
void options_append_config(const struct options_line *lines, size_t count, struct buf *out);
