#pragma once

/*
 * The Mosquitto process: starts it, ends it, tells when it ended by itself, and hands on what it
 * writes, line by line. As process 1 of a container it also reaps what others left behind.
 *
 * Mosquitto gets a SIGTERM where this process ends without having ended it.
 */

#include <stdbool.h>
#include <uv.h>

#include "common/base/error.h"

#define MOSQUITTO_LINE_SIZE 1024 /* longer lines are cut */

struct mosquitto_settings {
    const char *program;
    const char *conf;
    void (*line)(void *context, const char *line);
    /* It has ended, all its lines were handed on; `how` says "status 3" or "signal 11". */
    void (*ended)(void *context, bool well, const char *how);
    void *context;
};

struct mosquitto_process;

/* The settings are copied, what they point to is borrowed. -ENOENT, -EACCES, -errno. */
MUST_CHECK int mosquitto_process_new(uv_loop_t *loop, const struct mosquitto_settings *settings,
                                     struct mosquitto_process **ret_process, struct err *e);
/* Closes by uv_close: the loop must run once more. Accepts NULL. */
void mosquitto_process_free(struct mosquitto_process *process);

MUST_CHECK int mosquitto_process_start(struct mosquitto_process *process, struct err *e);
bool mosquitto_process_is_running(const struct mosquitto_process *process);
/* While running: SIGTERM, at which it saves its messages; SIGKILL after 4.5 s. */
void mosquitto_process_stop(struct mosquitto_process *process);
/* While running: SIGHUP; it reads its certificate, key and rights again. */
void mosquitto_process_reload(struct mosquitto_process *process);
