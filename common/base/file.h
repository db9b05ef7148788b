#pragma once

/* Whole files: bounded reads, atomic durable writes, and secrets that are read again when they
 * change. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <time.h>

#include "common/base/buf.h"
#include "common/base/error.h"

/* Appends the file's bytes to `out`, whose maximum bounds it. -ENOENT, -EFBIG, -errno; text in `e`.
 */
MUST_CHECK int file_read(const char *path, struct buf *out, struct err *e);

/* Writes beside, fsyncs, renames over `path`, fsyncs the folder: after a crash either the old or
 * the new content is there. */
MUST_CHECK int file_write_atomic(const char *path, const void *bytes, size_t len, unsigned mode,
                                 struct err *e);

/* mkdir -p with mode 0755. */
MUST_CHECK int file_make_dirs(const char *path, struct err *e);

/* Creates or opens `path` and takes an exclusive lock held until close(fd): -EBUSY if another
 * process has it. */
MUST_CHECK int file_lock(const char *path, int *ret_fd, struct err *e);

/* A secret of at most 4096 bytes in a file, without its trailing newline. */
struct secret {
    const char *path; /* not owned */
    struct timespec mtime;
    int64_t inode;
    char value[4097];
    size_t len;
};

/* Reads, or reads again where the file changed since. Keeps the last good value on an error. > 0:
 * changed. */
MUST_CHECK int secret_refresh(struct secret *s, struct err *e);
