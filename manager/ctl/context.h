#pragma once

/*
 * Connections by name, so that nobody types them: ~/.config/bellbuoy/context.json (XDG_CONFIG_HOME
 * counts), {"current": "x", "contexts": {"x": {"broker_url": ..., "ca_file": ...}}}, whose members
 * are the connection's options. They count after flag, environment and --config.
 */

#include "common/base/options.h"

/* For options_program.read_preset; the target is a struct flags. Without the file, or without a
 * "current" in it, there is no context; one that was asked for by name must be there. */
MUST_CHECK int context_read(const void *group_target, cJSON **ret_members, const char **ret_source,
                            struct err *e);
