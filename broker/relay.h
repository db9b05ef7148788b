#pragma once

/*
 * Mosquitto's lines become lines of the service's log: with a level, and security=1 where a client
 * was refused. The supervisor's own logins are of interest to nobody: level debug.
 */

#include <stdbool.h>
#include <stdint.h>

#include "common/base/log.h"

struct relay_line {
    enum log_level level;
    const char *text; /* within the line, behind its time if it has one */
    bool security;
};

/* `health_port` is that of the listener for the supervisor's logins. */
struct relay_line relay_parse(const char *line, uint16_t health_port);
void relay_write(const struct relay_line *line);
