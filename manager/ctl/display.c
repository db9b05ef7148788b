#include "manager/ctl/display.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TEXT_MAX (1 << 20)
/* Lines that are too long are cut rather than wrapped: so many lines up is where it began. */
#define WRAP_OFF "\033[?7l"
#define WRAP_ON  "\033[?7h"

int display_init(struct display *display, const struct call *call, size_t count, struct err *e)
{
    *display = (struct display){.call = call, .count = count};
    display->spoken = calloc(count ? count : 1, sizeof(char *));
    return display->spoken ? 0 : FAIL(e, ENOMEM, "out of memory");
}

static void append_erase(const struct display *d, struct buf *out)
{
    if (d->drawn > 0)
        buf_appendf(out, "\033[%zuA\r\033[J", d->drawn);
}

void display_deinit(struct display *display)
{
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX);

    append_erase(display, &out);
    if (out.len > 0)
        fputs(out.data, stderr);
    for (size_t i = 0; display->spoken && i < display->count; i++)
        free(display->spoken[i]);
    free(display->spoken);
    *display = (struct display){0};
}

/* What does not fit the screen could not be taken away again. */
static size_t cut_lines(struct buf *text, size_t lines, size_t max)
{
    char *end = text->data;

    if (lines <= max)
        return lines;
    for (size_t i = 0; i < max; i++)
        end = strchr(end, '\n') + 1;
    text->len = (size_t)(end - text->data);
    *end = '\0';
    return max;
}

static void draw(struct display *d, struct node *const *nodes, const enum outcome *outcomes,
                 const struct expectation *expected)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
    AUTO(buf_deinit) struct buf out = BUF_INIT(TEXT_MAX + 64);
    size_t lines = 0;

    for (size_t i = 0; i < d->count; i++)
        lines += progress_append_node(&text, &d->call->err, nodes[i], expected, outcomes[i]);
    if (buf_failed(&text) || text.len == 0)
        return;
    lines = cut_lines(&text, lines, d->call->err.rows > 2 ? d->call->err.rows - 1 : 1);
    append_erase(d, &out);
    buf_appendf(&out, WRAP_OFF "%s" WRAP_ON, text.data);
    if (buf_failed(&out))
        return;
    fputs(out.data, stderr);
    d->drawn = lines;
}

static void speak(struct display *d, struct node *const *nodes, const enum outcome *outcomes,
                  const struct expectation *expected)
{
    for (size_t i = 0; i < d->count; i++) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(TEXT_MAX);
        progress_append_node(&text, &d->call->err, nodes[i], expected, outcomes[i]);
        if (buf_failed(&text))
            continue;
        *strchr(text.data, '\n') = '\0'; /* pulls are for those who can see bars */
        if (d->spoken[i] && strcmp(d->spoken[i], text.data) == 0)
            continue;
        fprintf(stderr, "%s\n", text.data);
        free(d->spoken[i]);
        d->spoken[i] = strdup(text.data);
    }
}

void display_update(struct display *display, struct node *const *nodes,
                    const enum outcome *outcomes, const struct expectation *expected)
{
    if (display->call->err.is_terminal)
        draw(display, nodes, outcomes, expected);
    else
        speak(display, nodes, outcomes, expected);
}
