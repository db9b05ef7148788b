#pragma once

/*
 * Connections by name, so that nobody types them: ~/.config/bellbuoy/context.json (XDG_CONFIG_HOME
 * counts), {"current": "x", "contexts": {"x": {"broker_url": ..., "ca_file": ...}}}, whose members
 * are the connection's options. They count after flag, environment and --config, and only where
 * none of these names a broker: its certificates would not fit another.
 */

#include "common/base/options.h"

/* For options_program.read_preset; the target is a struct flags. Without the file, or without a
 * "current" in it, there is no context; one that was asked for by name (--context) must be there,
 * and counts beside another broker's URL too. */
MUST_CHECK int context_read(const void *group_target, cJSON **ret_members, const char **ret_source,
                            struct err *e);
