#pragma once

/* Several files as one, by Compose's rules. */

#include "manager/ctl/compose/load.h"

/* What `over` says goes into `base`: mappings are merged, lists joined, the rest replaced, and some
 * keys have rules of their own. Takes `over` apart. */
MUST_CHECK int merge_model(struct load *load, struct node *base, struct node *over);

/* Of the entries of a list that mean the same thing, such as two values of one variable, the last
 * stays, in the first one's place. */
MUST_CHECK int merge_enforce_unique(struct load *load, struct node *model);
