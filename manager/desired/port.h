#pragma once

/* Published and exposed ports. */

#include "manager/desired/value.h"

/* Of one service: each becomes a member of the create body. */
#define PORT_MAX_EXPOSED   1000
#define PORT_MAX_PUBLISHED 1000

extern const struct key port_keys[];
key_reader port_read_exposed; /* ["3000", "5000-5002/udp"] */
key_writer port_write_exposed, port_write_published;

/* Refuses a host's port that a document publishes twice. */
MUST_CHECK int port_check(const struct reading *r, const struct document *document);
