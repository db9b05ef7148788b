#pragma once

/* Documents that are checked before anybody else sees them. */

#include "manager/ctl/call.h"
#include "manager/ctl/source.h"

/* The document of the files, checked as a node would. CTL_CONVERGED, or the exit status after
 * saying on stderr what is wrong. */
MUST_CHECK int lint_load(const struct call *call, cJSON **ret_document);

/* Says why a document is refused; the exit status. */
int lint_report(const struct call *call, const struct rejection *rejection);
