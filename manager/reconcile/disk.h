#pragma once

#include "manager/engine/engine.h"

/* Free bytes where the engine keeps its images; -1 where that is not to be seen, as in a pod. */
int64_t disk_free_bytes(const struct engine *engine);
