#pragma once

/*
 * The syntax of `.env` and of an env_file: NAME=VALUE lines, `export`, comments, values in single
 * quotes (as they stand) or double quotes (with escapes and variables), over several lines too,
 * NAME alone (from the environment), and `:` for `=`.
 */

#include "manager/ctl/compose/load.h"

/* Adds to `out`, replacing. A variable in a value is looked for in `scopes` (two at most), then in
 * `out`. `file` is named in messages. 0, -EINVAL, -ENOMEM. */
MUST_CHECK int dotenv_parse(struct load *load, const char *file, const char *text,
                            const struct lookup *scopes, struct variables *out);

/* env_file's `format: raw`: NAME=VALUE lines and # comments, without quotes and variables. */
MUST_CHECK int dotenv_parse_raw(struct load *load, const char *file, const char *text,
                                const struct lookup *scopes, struct variables *out);
