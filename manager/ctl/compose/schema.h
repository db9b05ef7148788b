#pragma once

/* What may stand in a compose file, in tables. */

#include "manager/ctl/compose/shape.h"

extern const struct shape SHAPE_MODEL;

/* Parts of it, one a file. */
extern const struct shape SHAPE_PORTS;
extern const struct shape SHAPE_VOLUMES;
extern const struct shape SHAPE_DEVICES;
extern const struct shape SHAPE_SECRET_MOUNTS, SHAPE_CONFIG_MOUNTS;
extern const struct shape SHAPE_DEPLOY;
extern const struct shape SHAPE_SERVICE;
extern const struct shape SHAPE_NETWORKS, SHAPE_VOLUME_RESOURCES, SHAPE_SECRETS, SHAPE_CONFIGS;
