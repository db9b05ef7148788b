#pragma once

/* A create call's body under construction. Nothing outside manager/desired needs it. */

#include "manager/desired/container.h"

struct body {
    const struct document *document; /* NULL for networks and volumes */
    const struct service *service;
    const struct container_origin *origin;
    cJSON *json;
};

/* Puts `item` at "HostConfig/CapAdd", making the objects on the way; takes it. False, with `item`
 * freed, without memory. */
MUST_CHECK bool body_set(struct body *body, const char *field, cJSON *item);

/* The object or array at `field`, made where it is not there yet; NULL without memory. */
cJSON *body_object(struct body *body, const char *field);
cJSON *body_array(struct body *body, const char *field);
