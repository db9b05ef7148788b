#pragma once

/* A receiver's event stream, as much of it as a check needs: blocking, one event. */

#include <stdint.h>

#include "common/base/error.h"

/* `receiver` is HOST:PORT. Waits for the next event; 0, or < 0 with the reason. */
MUST_CHECK int stream_await_event(const char *receiver, int64_t timeout_ms, struct err *e);
