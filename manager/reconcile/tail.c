#include "manager/reconcile/tail.h"

#include <string.h>

#include "common/base/buf.h"
#include "manager/engine/logs.h"
#include "manager/reconcile/clean_text.h"

#define OUTPUT_MAX 65536

struct tail {
    struct logs *logs;
    struct buf output;
    void (*done)(void *context, const char *text);
    void *context;
};

void tail_cancel(struct tail *tail)
{
    if (!tail)
        return;
    logs_cancel(tail->logs);
    buf_deinit(&tail->output);
    free(tail);
}

static void on_line(void *context, const char *line, size_t len, bool is_error)
{
    struct tail *tail = context;

    (void)is_error;
    if (tail->output.len > 0)
        buf_append_char(&tail->output, '\n');
    buf_append(&tail->output, line, len);
}

static void on_done(void *context, const char *error)
{
    struct tail *tail = context;
    size_t len = tail->output.len, from = len >= TAIL_SIZE ? len - TAIL_SIZE + 1 : 0;
    char text[TAIL_SIZE] = "";

    (void)error; /* a container that is gone has no last words */
    tail->logs = NULL;
    if (len > 0)
        clean_text(text, sizeof(text), tail->output.data + from, len - from);
    tail->done(tail->context, text);
    tail_cancel(tail);
}

int tail_start(struct engine *engine, const char *container,
               void (*done)(void *context, const char *text), void *context, struct tail **ret_tail,
               struct err *e)
{
    struct tail *tail = calloc(1, sizeof(*tail));

    if (!tail)
        return FAIL(e, ENOMEM, "out of memory");
    tail->output = BUF_INIT(OUTPUT_MAX);
    tail->done = done;
    tail->context = context;
    const struct logs_settings settings = {
        .container = container,
        .tail = TAIL_LINES,
        .max_bytes = OUTPUT_MAX / 2,
        .line = on_line,
        .done = on_done,
        .context = tail,
    };
    int r = logs_start(engine, &settings, &tail->logs, e);
    if (r < 0)
        tail_cancel(tail);
    else
        *ret_tail = tail;
    return r;
}
