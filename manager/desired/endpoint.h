#pragma once

/* A service's place in a network. */

#include "manager/desired/value.h"

#define ENDPOINTS_MAX 100 /* of a service; each is a call to the engine */

extern const struct key endpoint_keys[];
key_reader endpoint_read_mode; /* network_mode */

/* An endpoint's settings as the engine takes them; the caller frees. NULL: no memory. */
cJSON *endpoint_settings(const struct service *service, const char *key);

/* NetworkMode and NetworkingConfig of a service. */
MUST_CHECK bool endpoint_write_first(struct body *body);

/* Compose's order: by priority, the highest first, then by name. 0 for two of one rank. */
int endpoint_compare(const cJSON *a, const cJSON *b);
