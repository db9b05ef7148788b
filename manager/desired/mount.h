#pragma once

/* What is mounted into a container: bind mounts, volumes, tmpfs. */

#include "manager/desired/value.h"

extern const struct key mount_keys[];
key_reader mount_read_all;   /* volumes: the long form */
key_reader mount_read_tmpfs; /* ["/run", "/tmp:size=1m"] -> {"/run": "", "/tmp": "size=1m"} */
key_writer mount_write_all;

/* A read-only bind mount of one file that must be there. */
MUST_CHECK bool mount_add_file(struct body *body, const char *source, const char *target);
