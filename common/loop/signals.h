#pragma once

/* The signals that a service hears in its loop. */

#include <stddef.h>
#include <uv.h>

struct signals {
    uv_signal_t handles[3];
    size_t count;
    void (*heard)(void *context, int number);
    void *context;
};

/* SIGTERM and SIGINT. SIGPIPE ends the process no more: what is written to may go away at any time
 * (libmosquitto 2.0.11 ignores it by itself, 2.0.21 does not, and OpenSSL's writes need it). */
void signals_start(struct signals *signals, uv_loop_t *loop,
                   void (*heard)(void *context, int number), void *context);
/* One more, on the same loop. */
void signals_add(struct signals *signals, int number);
/* By uv_close: the loop must run once more. */
void signals_stop(struct signals *signals);

/* "TERM", "INT", "HUP". */
const char *signals_name(int number);
