#pragma once

/* Canonical JSON as text and its SHA-256. Nothing outside manager/desired needs it. */

#include <cjson/cJSON.h>

#include "manager/desired/document.h"

/* Puts an object's members in the order of their names. -ENOMEM. */
MUST_CHECK int canonical_sort(cJSON *object);

/* 0 or -ENOMEM. */
MUST_CHECK int canonical_digest(const cJSON *canonical, char ret_digest[static DIGEST_SIZE]);
