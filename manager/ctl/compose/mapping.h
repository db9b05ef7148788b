#pragma once

/* Short syntax of what joins a container to the world: ports, volumes, devices, hosts. */

#include "manager/ctl/compose/shape.h"

/* "127.0.0.1:8080-8081:80-81/udp" as one mapping for each port, appended to `list`. */
MUST_CHECK int mapping_parse_port(struct load *load, const struct node *text,
                                  const struct step *step, struct node *list);
/* "./data:/data:ro" as a mapping; NULL in *ret_volume never with 0. */
MUST_CHECK int mapping_parse_volume(struct load *load, const struct node *text,
                                    const struct step *step, struct node **ret_volume);
/* "/dev/ttyUSB0:/dev/tty:rw". */
MUST_CHECK int mapping_parse_device(struct load *load, const struct node *text,
                                    const struct step *step, struct node **ret_device);
