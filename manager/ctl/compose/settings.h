#pragma once

/* Which files, which variables and which name a project has, by Compose's rules. */

#include "manager/ctl/compose/compose.h"
#include "manager/ctl/compose/load.h"

/* The environment into load->variables, the files into *ret_files (a list of strings), their folder
 * into load->working_dir, and what env files say that the environment does not. */
MUST_CHECK int settings_resolve(struct load *load, const struct compose_settings *settings,
                                struct node **ret_files);

/* Into load->project, and as COMPOSE_PROJECT_NAME into its variables. `named` is the last `name:`
 * of the files before interpolation, or NULL. */
MUST_CHECK int settings_name(struct load *load, const struct compose_settings *settings,
                             const struct node *named);
