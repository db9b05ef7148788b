#include "manager/ctl/terminal.h"

#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "common/base/str.h"

#define DEFAULT_COLUMNS 80
#define DEFAULT_ROWS    24

static bool wants_color(bool is_terminal, enum color color)
{
    const char *no_color = getenv("NO_COLOR");

    if (color != COLOR_AUTO)
        return color == COLOR_ALWAYS;
    return is_terminal && (!no_color || no_color[0] == '\0') && !str_equal(getenv("TERM"), "dumb");
}

struct terminal terminal_look(FILE *stream, enum color color)
{
    struct winsize size = {0};
    bool is_terminal = isatty(fileno(stream)) == 1;
    bool known = is_terminal && ioctl(fileno(stream), TIOCGWINSZ, &size) == 0;

    return (struct terminal){
        .is_terminal = is_terminal,
        .color = wants_color(is_terminal, color),
        .columns = known && size.ws_col ? size.ws_col : DEFAULT_COLUMNS,
        .rows = known && size.ws_row ? size.ws_row : DEFAULT_ROWS,
    };
}

/* C1 control characters are U+0080 to U+009F: 0xc2 0x80 to 0xc2 0x9f. */
static bool is_control(const unsigned char *c, size_t len)
{
    return len == 1 ? *c < 0x20 || *c == 0x7f : len == 2 && c[0] == 0xc2 && c[1] < 0xa0;
}

void terminal_append(struct buf *out, const char *text)
{
    size_t left = strlen(text);

    while (left > 0) {
        size_t len = str_utf8_length(text, left);
        if (len == 0 || is_control((const unsigned char *)text, len))
            buf_append_char(out, len == 1 && *text == '\t' ? '\t' : '?');
        else
            buf_append(out, text, len);
        text += len ? len : 1;
        left -= len ? len : 1;
    }
}

void terminal_append_styled(struct buf *out, const struct terminal *terminal, enum style style,
                            const char *text)
{
    static const char *const begin[] = {
        [STYLE_PLAIN] = "",           [STYLE_GOOD] = "\033[32m", [STYLE_BAD] = "\033[31m",
        [STYLE_WARNING] = "\033[33m", [STYLE_FAINT] = "\033[2m", [STYLE_STRONG] = "\033[1m",
    };
    bool styled = terminal->color && style != STYLE_PLAIN && text[0] != '\0';

    if (styled)
        buf_append_str(out, begin[style]);
    terminal_append(out, text);
    if (styled)
        buf_append_str(out, "\033[0m");
}

size_t terminal_width(const char *text)
{
    size_t width = 0;

    for (; *text != '\0'; text++)
        width += ((unsigned char)*text & 0xc0) != 0x80 ? 1 : 0;
    return width;
}
