#pragma once

/* What a stream may be shown: colours and lines that change on a terminal, plain text elsewhere. */

#include <stdbool.h>
#include <stdio.h>

#include "common/base/buf.h"
#include "manager/ctl/flags.h"

enum style { STYLE_PLAIN, STYLE_GOOD, STYLE_BAD, STYLE_WARNING, STYLE_FAINT, STYLE_STRONG };

struct terminal {
    bool is_terminal;
    bool color;
    unsigned columns, rows; /* 80 and 24 where nobody knows */
};

/* NO_COLOR (no-color.org) and TERM=dumb count where `color` is COLOR_AUTO. */
struct terminal terminal_look(FILE *stream, enum color color);

/* Text from elsewhere: without what would steer the terminal (control characters, C1 too). */
void terminal_append(struct buf *out, const char *text);
/* The same, in that style. */
void terminal_append_styled(struct buf *out, const struct terminal *terminal, enum style style,
                            const char *text);
/* Columns that the text takes, at one for each character. */
size_t terminal_width(const char *text);
