#pragma once

/* The option of the administration's address, which each service without another port has. */

#include <stddef.h>

#include "common/base/error.h"
#include "common/base/options.h"

struct admin_options {
    const char *address; /* "": none */
};

extern const struct option admin_option_table[];
extern const size_t admin_option_count;

/* -EINVAL with a sentence that names the option and its value. */
MUST_CHECK int admin_options_check(const struct admin_options *options, struct err *e);

/* The `healthcheck` subcommand of such a service: as healthcheck_run, -EINVAL without an address.
 */
MUST_CHECK int admin_options_healthcheck(const struct admin_options *options, struct err *e);
