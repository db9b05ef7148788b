#pragma once

/* The broadcaster as a process: its loop, signals, admin port, and its end. */

#include "broadcaster/config.h"

/*
 * Runs until SIGTERM or SIGINT: then no more messages are made, what waits is published for up to
 * 4 s, and 0 is returned. < 0 if it could not start, with a sentence that says what to do.
 */
MUST_CHECK int service_run(const struct broadcaster_config *config, struct err *e);
