#pragma once

/* How a project is applied: the document's `policy`. */

#include "manager/desired/value.h"

extern const struct key policy_keys[];

/* From canonical form; NULL: all as when nothing is said. Strings live as long as it does. */
void policy_fill(const cJSON *canonical, struct policy *ret_policy);
