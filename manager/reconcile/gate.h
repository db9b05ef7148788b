#pragma once

/* Whether an apply may begin now: notBefore, and the policy's window. */

#include "manager/desired/document.h"

/* 0: it may; else the wall time when it may, INT64_MAX where no time fits. */
int64_t gate_opens_us(const struct document *document, int64_t now_us);
