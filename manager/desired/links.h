#pragma once

/* What a document's parts say of each other: references, cycles, names, ports. */

#include "manager/desired/reading.h"

/* 0, or -EINVAL / -ENOMEM. */
MUST_CHECK int links_check(const struct reading *r, const struct document *document);
