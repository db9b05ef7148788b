#pragma once

/* Why a pull failed, told by the engine's words: it hands on the registry's, and its own HTTP
 * status says little (500 for want of credentials, 404 for a refused login). Pure. */

#include "manager/engine/pull.h"

enum reason_code pull_failure_code(const char *message);

/* What the registry asks to wait, where the words tell ("retry-after: 1.5s"); else 0. */
int64_t pull_failure_retry_after_ms(const char *message);
