#include "common/loop/signals.h"

#include <assert.h>
#include <signal.h>
#include <string.h>

#include "common/base/str.h"

static void on_signal(uv_signal_t *handle, int number)
{
    struct signals *s = handle->data;
    s->heard(s->context, number);
}

static void add(struct signals *s, uv_loop_t *loop, int number)
{
    assert(s->count < ARRAY_SIZE(s->handles));
    uv_signal_t *handle = &s->handles[s->count++];

    uv_signal_init(loop, handle);
    handle->data = s;
    uv_signal_start(handle, on_signal, number);
}

void signals_start(struct signals *s, uv_loop_t *loop, void (*heard)(void *context, int number),
                   void *context)
{
    *s = (struct signals){.heard = heard, .context = context};
    signal(SIGPIPE, SIG_IGN);
    add(s, loop, SIGTERM);
    add(s, loop, SIGINT);
}

void signals_add(struct signals *s, int number)
{
    add(s, s->handles[0].loop, number);
}

void signals_stop(struct signals *s)
{
    for (size_t i = 0; i < s->count; i++)
        uv_close((uv_handle_t *)&s->handles[i], NULL);
}

const char *signals_name(int number)
{
    const char *name = sigabbrev_np(number);
    return name ? name : "?";
}
