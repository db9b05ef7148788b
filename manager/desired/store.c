#include "manager/desired/store.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/desired/store_internal.h"
#include "manager/desired/value.h"

#define SESSION_MAX ((int64_t)1 << 53)
#define TEMPORARY   ".tmp" /* what common/base/file writes beside, when the power goes */

static const char *const file_names[] = {
    [STORE_DESIRED] = "desired.json",
    [STORE_LAST_GOOD] = "last-good.json",
    [STORE_STATE] = "state.json",
};

/* ---- opening ---- */

/* What a power cut left half written. */
static int sweep(const struct store *store, struct err *e)
{
    char **names = NULL;
    int r = store_projects(store, &names, e);

    for (size_t i = 0; names && names[i]; i++) {
        char path[PATH_MAX];

        if (r == 0 && (r = store_path(store, names[i], path, e, "%s", "")) == 0)
            r = store_remove_files(path, TEMPORARY, e);
        if (r == 0 && (r = store_path(store, names[i], path, e, "history")) == 0)
            r = store_remove_files(path, TEMPORARY, e);
        free(names[i]);
    }
    free(names);
    return r < 0 ? r : store_remove_files(store->folder, TEMPORARY, e);
}

int store_open(const char *folder, struct store **ret_store, struct err *e)
{
    AUTO(store_free) struct store *store = calloc(1, sizeof *store);
    char path[PATH_MAX];
    int r;

    if (!store)
        return FAIL(e, ENOMEM, "out of memory");
    store->lock = -1;
    if (strlen(folder) > PATH_MAX / 2 || !str_copy(store->folder, sizeof store->folder, folder))
        return FAIL(e, ENAMETOOLONG, "the path of the state folder is too long");
    r = file_make_dirs(folder, e);
    if (r < 0)
        return r;
    snprintf(path, sizeof path, "%.2048s/lock", folder);
    r = file_lock(path, &store->lock, e);
    if (r == -EBUSY)
        return FAIL(e, EBUSY, "another manager has the state folder %s", folder);
    if (r < 0)
        return r;
    snprintf(path, sizeof path, "%.2048s/projects", folder);
    if ((r = store_make_folder(path, e)) < 0 || (r = sweep(store, e)) < 0)
        return r;
    *ret_store = TAKE(store);
    return 0;
}

void store_free(struct store *store)
{
    if (!store)
        return;
    if (store->lock >= 0)
        close(store->lock);
    free(store);
}

/* ---- files ---- */

int store_read(const struct store *store, const char *project, enum store_file file,
               char **ret_text, size_t *ret_len, struct err *e)
{
    char path[PATH_MAX];
    int r = store_path(store, project, path, e, "%s", file_names[file]);

    return r < 0 ? r : store_read_path(path, ret_text, ret_len, e);
}

int store_write(struct store *store, const char *project, enum store_file file, const char *text,
                size_t len, struct err *e)
{
    char path[PATH_MAX];
    int r = store_path(store, project, path, e, "%s", file_names[file]);

    if (r < 0 || (r = store_make_project(store, project, e)) < 0)
        return r;
    return file_write_atomic(path, text, len, STORE_FILE_MODE, e);
}

/* ---- projects ---- */

/* Names being listed; the list always ends with NULL. */
struct names {
    char **items;
    size_t count;
    struct err *e;
};

static int list_name(void *context, const char *name)
{
    struct names *names = context;
    char **items;

    if (!value_is_project_name(name))
        return 0;
    items = realloc(names->items, (names->count + 2) * sizeof *items);
    if (!items)
        return FAIL(names->e, ENOMEM, "out of memory");
    names->items = items;
    items[names->count] = strdup(name);
    items[names->count + 1] = NULL;
    return items[names->count++] ? 0 : FAIL(names->e, ENOMEM, "out of memory");
}

static int compare_names(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

int store_projects(const struct store *store, char ***ret_names, struct err *e)
{
    struct names names = {.items = calloc(1, sizeof(char *)), .e = e};
    char folder[PATH_MAX];
    int r = names.items ? 0 : FAIL(e, ENOMEM, "out of memory");

    if (r == 0 && snprintf(folder, sizeof folder, "%s/projects", store->folder) >= PATH_MAX)
        r = FAIL(e, ENAMETOOLONG, "the path of %s is too long", store->folder);
    if (r == 0)
        r = store_each_entry(folder, list_name, &names, e);
    if (r < 0) {
        for (size_t i = 0; names.items && i < names.count; i++)
            free(names.items[i]);
        free(names.items);
        return r;
    }
    qsort(names.items, names.count, sizeof *names.items, compare_names);
    *ret_names = names.items;
    return 0;
}

int store_forget(struct store *store, const char *project, struct err *e)
{
    char path[PATH_MAX];
    int r;

    /* First what would bring the project back, should the power go in the middle. */
    if ((r = store_path(store, project, path, e, "%s", file_names[STORE_DESIRED])) < 0)
        return r;
    if (unlink(path) < 0 && errno != ENOENT)
        return store_fail_errno(e, "remove", path);
    if ((r = store_path(store, project, path, e, "history")) < 0 ||
        (r = store_remove_files(path, "", e)) < 0)
        return r;
    if (rmdir(path) < 0 && errno != ENOENT)
        return store_fail_errno(e, "remove", path);
    if ((r = store_path(store, project, path, e, "%s", "")) < 0 ||
        (r = store_remove_files(path, "", e)) < 0)
        return r;
    if (rmdir(path) < 0 && errno != ENOENT)
        return store_fail_errno(e, "remove", path);
    snprintf(path, sizeof path, "%.2048s/projects", store->folder);
    return store_sync_folder(path, e);
}

/* ---- images ---- */

int store_read_images(const struct store *store, char **ret_text, size_t *ret_len, struct err *e)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.2048s/images.json", store->folder);
    return store_read_path(path, ret_text, ret_len, e);
}

int store_write_images(struct store *store, const char *text, size_t len, struct err *e)
{
    char path[PATH_MAX];

    snprintf(path, sizeof path, "%.2048s/images.json", store->folder);
    return file_write_atomic(path, text, len, STORE_FILE_MODE, e);
}

/* ---- session ---- */

static int write_session(const struct store *store, int64_t session, int64_t *ret_session,
                         struct err *e)
{
    char path[PATH_MAX];
    char line[32];

    snprintf(path, sizeof path, "%.2048s/session", store->folder);
    int len = snprintf(line, sizeof line, "%" PRId64 "\n", session);
    int r = file_write_atomic(path, line, (size_t)len, STORE_FILE_MODE, e);
    if (r == 0)
        *ret_session = session;
    return r;
}

int store_next_session(struct store *store, int64_t *ret_session, struct err *e)
{
    char path[PATH_MAX];
    AUTO(buf_deinit) struct buf text = BUF_INIT(64);
    int64_t session = 0;
    int r;

    snprintf(path, sizeof path, "%.2048s/session", store->folder);
    r = file_read(path, &text, e);
    if (r < 0 && r != -ENOENT)
        return r;
    if (r == 0) {
        text.data[strcspn(text.data, "\n")] = '\0';
        if (str_parse_int(text.data, 0, SESSION_MAX, &session) < 0)
            return FAIL(e, EINVAL,
                        "%s does not hold a number; write one into it that is above any that the "
                        "broker has in the node's presence",
                        path);
    }
    return write_session(store, session + 1, ret_session, e);
}

int store_raise_session(struct store *store, int64_t known, int64_t *ret_session, struct err *e)
{
    return known >= SESSION_MAX ? FAIL(e, ERANGE, "%" PRId64 " is too high for a session", known)
                                : write_session(store, known + 1, ret_session, e);
}
