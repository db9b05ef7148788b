#pragma once

/* The keys of a service, and those that are refused, each with its reason. */

#include "manager/desired/key.h"

extern const struct key service_keys[];
extern const struct key service_policy_keys[]; /* of x-bellbuoy */
