#pragma once

/* What the store's files share; nothing else needs it. All functions say in `e` what failed. */

#include <limits.h>

#include "manager/desired/store.h"

#define STORE_FILE_MODE 0600 /* documents carry environments */

struct store {
    char folder[PATH_MAX];
    int lock;
};

/* "cannot VERB PATH: ..." from errno. */
int store_fail_errno(struct err *e, const char *verb, const char *path);

/* "FOLDER/projects/PROJECT", and "/" with `fmt` behind it unless that is "". */
MUST_CHECK int store_path(const struct store *store, const char *project,
                          char path[static PATH_MAX], struct err *e, const char *fmt, ...)
    FORMAT(5, 6);

MUST_CHECK int store_sync_folder(const char *path, struct err *e);
/* Makes the folder if it is not there; its entry is durable then. */
MUST_CHECK int store_make_folder(const char *path, struct err *e);
/* A project's folder and its history's. */
MUST_CHECK int store_make_project(const struct store *store, const char *project, struct err *e);

/* Calls `visit` with each entry but "." and ".."; a folder that is not there has none. Ends at the
 * first that returns < 0. */
MUST_CHECK int store_each_entry(const char *folder, int (*visit)(void *context, const char *name),
                                void *context, struct err *e);
/* Removes the files whose names end with `suffix`. */
MUST_CHECK int store_remove_files(const char *folder, const char *suffix, struct err *e);

/* A whole file, which the caller frees. */
MUST_CHECK int store_read_path(const char *path, char **ret_text, size_t *ret_len, struct err *e);
