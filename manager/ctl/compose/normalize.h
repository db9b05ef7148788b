#pragma once

/* What Compose adds to a checked model, takes from it, and looks at in it as a whole. */

#include "manager/ctl/compose/load.h"

/* The default network, dependencies that `network_mode: service:x` means, resources' names. Before
 * the values are finished. */
MUST_CHECK int normalize_model(struct load *load, struct node *model);

/* Networks, volumes, secrets and configs that no service uses are taken out. */
void normalize_prune(struct node *model);

/* That what services refer to is there, keys that exclude each other, cycles of dependencies. After
 * the values are finished. */
MUST_CHECK int normalize_check(struct load *load, const struct node *model);

/* Each service's env_file goes into its environment. */
MUST_CHECK int normalize_env_files(struct load *load, struct node *model);
