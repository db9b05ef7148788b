#pragma once

/*
 * What a node remembers of its desired states, in its state directory; each file is written whole
 * (common/base/file), so that a power cut leaves the old or the new:
 *
 *   projects/PROJECT/desired.json        the document that is to be
 *   projects/PROJECT/last-good.json      the last that was verified
 *   projects/PROJECT/state.json          revisions by origin, quarantine, pause, attempt
 *   projects/PROJECT/history/REVISION-DIGEST12.json   the last ten that were taken
 *   images.json                          the images that the manager has pulled
 *
 * One thread; blocking, of a few milliseconds.
 */

#include <stddef.h>
#include <stdint.h>

#include "common/base/error.h"

#define STORE_HISTORY 10

struct store;

/* Makes and locks the folder: -EBUSY where another manager has it. */
MUST_CHECK int store_open(const char *folder, struct store **ret_store, struct err *e);
void store_free(struct store *store);
DEFINE_CLEANUP(struct store *, store_free);

enum store_file { STORE_DESIRED, STORE_LAST_GOOD, STORE_STATE };

/* The file's text, which the caller frees; -ENOENT without one. */
MUST_CHECK int store_read(const struct store *store, const char *project, enum store_file file,
                          char **ret_text, size_t *ret_len, struct err *e);
MUST_CHECK int store_write(struct store *store, const char *project, enum store_file file,
                           const char *text, size_t len, struct err *e);
/* Adds to the history and forgets what is beyond the last ten. */
MUST_CHECK int store_remember(struct store *store, const char *project, int64_t revision,
                              const char *digest, const char *text, size_t len, struct err *e);
struct store_entry {
    int64_t revision;
    char digest[13]; /* the first 12 digits */
    int64_t taken_us;
};
/* Newest first; the caller frees. */
MUST_CHECK int store_history(const struct store *store, const char *project,
                             struct store_entry **ret_entries, size_t *ret_count, struct err *e);
/* `digest` NULL: any of that revision, the last taken first; else the digest, or its first 12. */
MUST_CHECK int store_read_history(const struct store *store, const char *project, int64_t revision,
                                  const char *digest, char **ret_text, size_t *ret_len,
                                  struct err *e);
/* Names of all projects, NULL-terminated; the caller frees each and the list. */
MUST_CHECK int store_projects(const struct store *store, char ***ret_names, struct err *e);
/* Removes all that is kept of a project. */
MUST_CHECK int store_forget(struct store *store, const char *project, struct err *e);

/* The list of pulled images, which the caller frees; -ENOENT without one. */
MUST_CHECK int store_read_images(const struct store *store, char **ret_text, size_t *ret_len,
                                 struct err *e);
MUST_CHECK int store_write_images(struct store *store, const char *text, size_t len, struct err *e);

/* The number of this start: one more than at the last, kept before it is returned. */
MUST_CHECK int store_next_session(struct store *store, int64_t *ret_session, struct err *e);
/* Where others know a higher one, after the folder was lost: the next is above `known`. */
MUST_CHECK int store_raise_session(struct store *store, int64_t known, int64_t *ret_session,
                                   struct err *e);
