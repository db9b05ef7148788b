#pragma once

/* A JSON tree as YAML in block style. Strings that another reader could take for something else
 * are in double quotes, which mean the same in both (YAML 1.2, section 1.3). */

#include <cjson/cJSON.h>

#include "common/base/buf.h"

void yaml_append(struct buf *out, const cJSON *value);
