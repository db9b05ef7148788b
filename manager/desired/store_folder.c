/* The store's paths and folders. */

#include <dirent.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/desired/store_internal.h"
#include "manager/desired/value.h"

#define FILE_MAX_BYTES (4 << 20)
#define FOLDER_MODE    0700

static void folder_close(DIR *folder)
{
    if (folder)
        closedir(folder);
}
DEFINE_CLEANUP(DIR *, folder_close);

/* ---- paths ---- */

int store_fail_errno(struct err *e, const char *verb, const char *path)
{
    int code = errno;

    return err_set(e, code, "cannot %s %s: %s", verb, path, strerror(code));
}

int store_path(const struct store *store, const char *project, char path[static PATH_MAX],
               struct err *e, const char *fmt, ...)
{
    char rest[NAME_MAX + 32];
    va_list args;
    int len;

    if (!value_is_project_name(project))
        return FAIL(e, EINVAL, "\"%.80s\" is no name of a project", project);
    va_start(args, fmt);
    vsnprintf(rest, sizeof rest, fmt, args);
    va_end(args);
    len = snprintf(path, PATH_MAX, "%s/projects/%s%s%s", store->folder, project, rest[0] ? "/" : "",
                   rest);
    if (len < 0 || len >= PATH_MAX)
        return FAIL(e, ENAMETOOLONG, "the path of %s in %s is too long", project, store->folder);
    return 0;
}

int store_sync_folder(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? store_fail_errno(e, "sync the folder", path) : 0;

    if (fd >= 0)
        close(fd);
    return r;
}

int store_make_folder(const char *path, struct err *e)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (mkdir(path, FOLDER_MODE) < 0)
        return errno == EEXIST ? 0 : store_fail_errno(e, "make the folder", path);
    if (!slash || !str_copy_n(parent, sizeof parent, path, (size_t)(slash - path)))
        return FAIL(e, EINVAL, "the folder %s must be an absolute path", path);
    return store_sync_folder(parent, e);
}

int store_make_project(const struct store *store, const char *project, struct err *e)
{
    char path[PATH_MAX];
    int r;

    if ((r = store_path(store, project, path, e, "%s", "")) < 0 ||
        (r = store_make_folder(path, e)) < 0 ||
        (r = store_path(store, project, path, e, "history")) < 0)
        return r;
    return store_make_folder(path, e);
}

/* ---- folders ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name);

    return len >= strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0;
}

int store_each_entry(const char *folder, int (*visit)(void *context, const char *name),
                     void *context, struct err *e)
{
    AUTO(folder_close) DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir)
        return errno == ENOENT ? 0 : store_fail_errno(e, "read the folder", folder);
    while ((errno = 0, entry = readdir(dir))) {
        int r = 0;

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = visit(context, entry->d_name);
        if (r < 0)
            return r;
    }
    return errno != 0 ? store_fail_errno(e, "read the folder", folder) : 0;
}

/* What is removed of a folder. */
struct removal {
    const char *folder;
    const char *suffix;
    struct err *e;
};

static int remove_entry(void *context, const char *name)
{
    const struct removal *removal = context;
    char path[PATH_MAX];

    if (!ends_with(name, removal->suffix))
        return 0;
    if (snprintf(path, sizeof path, "%s/%s", removal->folder, name) >= (int)sizeof path)
        return FAIL(removal->e, ENAMETOOLONG, "the path of %s is too long", name);
    if (unlink(path) < 0 && errno != ENOENT)
        return store_fail_errno(removal->e, "remove", path);
    return 0;
}

int store_remove_files(const char *folder, const char *suffix, struct err *e)
{
    struct removal removal = {folder, suffix, e};

    return store_each_entry(folder, remove_entry, &removal, e);
}

int store_read_path(const char *path, char **ret_text, size_t *ret_len, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = file_read(path, &text, e);

    if (r < 0)
        return r;
    *ret_text = buf_take(&text, ret_len);
    return *ret_text ? 0 : FAIL(e, ENOMEM, "out of memory");
}
