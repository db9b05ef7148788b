#pragma once

/* The supervisor as a process: Mosquitto below it, its loop, signals, admin port, and its end. */

#include "broker/config.h"

enum service_outcome {
    SERVICE_STOPPED = 0, /* asked to, and Mosquitto ended well */
    SERVICE_FAILED = 1,  /* Mosquitto ended by itself, or had to be killed */
};

/*
 * Runs until SIGTERM or SIGINT, or until Mosquitto ends by itself: a service_outcome. < 0 if it
 * could not start, with a sentence that says what to do. Without usable certificates it waits for
 * them, and says so.
 */
MUST_CHECK int service_run(const struct broker_config *config, struct err *e);
