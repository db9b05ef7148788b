#pragma once

/* Runs an mqtt_client in a libuv loop: polls its socket, which changes at each connection, and its
 * deadline. */

#include <uv.h>

#include "common/mqtt/client.h"

struct mqtt_pump;

/* The client stays the caller's and must outlive the pump. */
MUST_CHECK int mqtt_pump_new(uv_loop_t *loop, struct mqtt_client *client,
                             struct mqtt_pump **ret_pump, struct err *e);
/* After a publish, drop or close from outside the client's handlers: writes in this turn of the
 * loop, before it waits. */
void mqtt_pump_wake(struct mqtt_pump *pump);
/* Stops and frees by uv_close: the loop must run once more. */
void mqtt_pump_free(struct mqtt_pump *pump);
