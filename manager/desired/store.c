#include "manager/desired/store.h"

#include <dirent.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/desired/value.h"

#define FILE_MAX_BYTES (4 << 20)
#define FILE_MODE      0600 /* documents carry environments */
#define FOLDER_MODE    0700
#define SESSION_MAX    ((int64_t)1 << 53)
#define DIGEST_KEPT    12
#define SUFFIX         ".json"
#define TEMPORARY      ".tmp" /* what common/base/file writes beside, when the power goes */
#define US_PER_S       1000000
#define NS_PER_US      1000

struct store {
    char folder[PATH_MAX];
    int lock;
};

static void folder_close(DIR *folder)
{
    if (folder)
        closedir(folder);
}
DEFINE_CLEANUP(DIR *, folder_close);

static const char *const file_names[] = {
    [STORE_DESIRED] = "desired.json",
    [STORE_LAST_GOOD] = "last-good.json",
    [STORE_STATE] = "state.json",
};

/* ---- paths ---- */

static int fail_errno(struct err *e, const char *verb, const char *path)
{
    int code = errno;

    return err_set(e, code, "cannot %s %s: %s", verb, path, strerror(code));
}

/* "FOLDER/projects/PROJECT" and then "/" and `fmt`, which may be "". */
static int path_make(const struct store *store, const char *project, char path[static PATH_MAX],
                     struct err *e, const char *fmt, ...) FORMAT(5, 6);

static int path_make(const struct store *store, const char *project, char path[static PATH_MAX],
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

static int sync_folder(const char *path, struct err *e)
{
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    int r = fd < 0 || fsync(fd) < 0 ? fail_errno(e, "sync the folder", path) : 0;

    if (fd >= 0)
        close(fd);
    return r;
}

/* Makes the folder if it is not there; its entry is durable then. */
static int make_folder(const char *path, struct err *e)
{
    char parent[PATH_MAX];
    const char *slash = strrchr(path, '/');

    if (mkdir(path, FOLDER_MODE) < 0)
        return errno == EEXIST ? 0 : fail_errno(e, "make the folder", path);
    if (!slash || !str_copy_n(parent, sizeof parent, path, (size_t)(slash - path)))
        return FAIL(e, EINVAL, "the folder %s must be an absolute path", path);
    return sync_folder(parent, e);
}

static int make_project(const struct store *store, const char *project, struct err *e)
{
    char path[PATH_MAX];
    int r;

    if ((r = path_make(store, project, path, e, "%s", "")) < 0 || (r = make_folder(path, e)) < 0 ||
        (r = path_make(store, project, path, e, "history")) < 0)
        return r;
    return make_folder(path, e);
}

/* ---- folders ---- */

static bool ends_with(const char *name, const char *suffix)
{
    size_t len = strlen(name);

    return len >= strlen(suffix) && strcmp(name + len - strlen(suffix), suffix) == 0;
}

/* Calls `visit` with each entry but "." and ".."; a folder that is not there has none. Ends at the
 * first that returns < 0. */
static int each_entry(const char *folder, int (*visit)(void *context, const char *name),
                      void *context, struct err *e)
{
    AUTO(folder_close) DIR *dir = opendir(folder);
    const struct dirent *entry;

    if (!dir)
        return errno == ENOENT ? 0 : fail_errno(e, "read the folder", folder);
    while ((errno = 0, entry = readdir(dir))) {
        int r = 0;

        if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
            r = visit(context, entry->d_name);
        if (r < 0)
            return r;
    }
    return errno != 0 ? fail_errno(e, "read the folder", folder) : 0;
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
        return fail_errno(removal->e, "remove", path);
    return 0;
}

static int remove_files(const char *folder, const char *suffix, struct err *e)
{
    struct removal removal = {folder, suffix, e};

    return each_entry(folder, remove_entry, &removal, e);
}

/* ---- opening ---- */

/* What a power cut left half written. */
static int sweep(const struct store *store, struct err *e)
{
    char **names = NULL;
    int r = store_projects(store, &names, e);

    for (size_t i = 0; names && names[i]; i++) {
        char path[PATH_MAX];

        if (r == 0 && (r = path_make(store, names[i], path, e, "%s", "")) == 0)
            r = remove_files(path, TEMPORARY, e);
        if (r == 0 && (r = path_make(store, names[i], path, e, "history")) == 0)
            r = remove_files(path, TEMPORARY, e);
        free(names[i]);
    }
    free(names);
    return r < 0 ? r : remove_files(store->folder, TEMPORARY, e);
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
    if ((r = make_folder(path, e)) < 0 || (r = sweep(store, e)) < 0)
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

static int read_path(const char *path, char **ret_text, size_t *ret_len, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FILE_MAX_BYTES);
    int r = file_read(path, &text, e);

    if (r < 0)
        return r;
    *ret_text = buf_take(&text, ret_len);
    return *ret_text ? 0 : FAIL(e, ENOMEM, "out of memory");
}

int store_read(const struct store *store, const char *project, enum store_file file,
               char **ret_text, size_t *ret_len, struct err *e)
{
    char path[PATH_MAX];
    int r = path_make(store, project, path, e, "%s", file_names[file]);

    return r < 0 ? r : read_path(path, ret_text, ret_len, e);
}

int store_write(struct store *store, const char *project, enum store_file file, const char *text,
                size_t len, struct err *e)
{
    char path[PATH_MAX];
    int r = path_make(store, project, path, e, "%s", file_names[file]);

    if (r < 0 || (r = make_project(store, project, e)) < 0)
        return r;
    return file_write_atomic(path, text, len, FILE_MODE, e);
}

/* ---- history ---- */

/* Entries being listed. */
struct listing {
    const char *folder;
    struct store_entry *entries;
    size_t count, capacity;
    struct err *e;
};

/* "42-9f2c00112233.json" */
static bool parse_entry(const char *name, struct store_entry *ret_entry)
{
    char revision[24];
    const char *dash = strchr(name, '-');

    return dash && str_copy_n(revision, sizeof revision, name, (size_t)(dash - name)) &&
           str_parse_int(revision, 1, INT64_MAX, &ret_entry->revision) == 0 &&
           strspn(dash + 1, "0123456789abcdef") == DIGEST_KEPT &&
           strcmp(dash + 1 + DIGEST_KEPT, SUFFIX) == 0 &&
           str_copy_n(ret_entry->digest, sizeof ret_entry->digest, dash + 1, DIGEST_KEPT);
}

static int list_entry(void *context, const char *name)
{
    struct listing *listing = context;
    struct store_entry entry;
    char path[PATH_MAX];
    struct stat st;

    if (!parse_entry(name, &entry))
        return 0;
    if (snprintf(path, sizeof path, "%s/%s", listing->folder, name) >= (int)sizeof path ||
        stat(path, &st) < 0)
        return 0;
    entry.taken_us = (int64_t)st.st_mtim.tv_sec * US_PER_S + st.st_mtim.tv_nsec / NS_PER_US;
    if (listing->count == listing->capacity) {
        size_t capacity = 2 * listing->capacity + STORE_HISTORY + 1;
        struct store_entry *entries =
            realloc(listing->entries, capacity * sizeof *listing->entries);

        if (!entries)
            return FAIL(listing->e, ENOMEM, "out of memory");
        listing->entries = entries;
        listing->capacity = capacity;
    }
    listing->entries[listing->count++] = entry;
    return 0;
}

static int compare_newest(const void *a, const void *b)
{
    const struct store_entry *x = a;
    const struct store_entry *y = b;

    if (x->taken_us != y->taken_us)
        return x->taken_us > y->taken_us ? -1 : 1;
    return x->revision == y->revision ? 0 : x->revision > y->revision ? -1 : 1;
}

int store_history(const struct store *store, const char *project, struct store_entry **ret_entries,
                  size_t *ret_count, struct err *e)
{
    char folder[PATH_MAX];
    struct listing listing = {.folder = folder, .e = e};
    int r = path_make(store, project, folder, e, "history");

    if (r == 0)
        r = each_entry(folder, list_entry, &listing, e);
    if (r < 0) {
        free(listing.entries);
        return r;
    }
    if (listing.count > 0)
        qsort(listing.entries, listing.count, sizeof *listing.entries, compare_newest);
    *ret_entries = listing.entries;
    *ret_count = listing.count;
    return 0;
}

/* The order in which they were taken is that of their files' times, also where the clock went
 * back. */
static int64_t next_time_us(const struct store_entry *entries, size_t count)
{
    int64_t now_us = clock_wall_us();

    return count > 0 && entries[0].taken_us >= now_us ? entries[0].taken_us + 1 : now_us;
}

static int set_time(const char *path, int64_t time_us, struct err *e)
{
    const struct timespec time = {.tv_sec = (time_t)(time_us / US_PER_S),
                                  .tv_nsec = (long)(time_us % US_PER_S) * NS_PER_US};
    const struct timespec both[] = {time, time};

    return utimensat(AT_FDCWD, path, both, 0) < 0 ? fail_errno(e, "date", path) : 0;
}

static int forget_oldest(const struct store *store, const char *project, struct err *e)
{
    AUTO(free) struct store_entry *entries = NULL;
    size_t count = 0;
    int r = store_history(store, project, &entries, &count, e);

    for (size_t i = STORE_HISTORY; r == 0 && i < count; i++) {
        char path[PATH_MAX];

        r = path_make(store, project, path, e, "history/%" PRId64 "-%s" SUFFIX, entries[i].revision,
                      entries[i].digest);
        if (r == 0 && unlink(path) < 0 && errno != ENOENT)
            r = fail_errno(e, "remove", path);
    }
    return r;
}

int store_remember(struct store *store, const char *project, int64_t revision, const char *digest,
                   const char *text, size_t len, struct err *e)
{
    AUTO(free) struct store_entry *entries = NULL;
    char path[PATH_MAX];
    size_t count = 0;
    int r;

    if (strlen(digest) < DIGEST_KEPT)
        return FAIL(e, EINVAL, "\"%s\" is no digest", digest);
    if ((r = make_project(store, project, e)) < 0 ||
        (r = store_history(store, project, &entries, &count, e)) < 0 ||
        (r = path_make(store, project, path, e, "history/%" PRId64 "-%.*s" SUFFIX, revision,
                       DIGEST_KEPT, digest)) < 0 ||
        (r = file_write_atomic(path, text, len, FILE_MODE, e)) < 0 ||
        (r = set_time(path, next_time_us(entries, count), e)) < 0)
        return r;
    return forget_oldest(store, project, e);
}

int store_read_history(const struct store *store, const char *project, int64_t revision,
                       const char *digest, char **ret_text, size_t *ret_len, struct err *e)
{
    AUTO(free) struct store_entry *entries = NULL;
    size_t count = 0;
    int r = store_history(store, project, &entries, &count, e);

    if (r < 0)
        return r;
    for (size_t i = 0; i < count; i++) {
        char path[PATH_MAX];

        if (entries[i].revision != revision ||
            (digest && strncmp(entries[i].digest, digest, DIGEST_KEPT) != 0))
            continue;
        r = path_make(store, project, path, e, "history/%" PRId64 "-%s" SUFFIX, revision,
                      entries[i].digest);
        return r < 0 ? r : read_path(path, ret_text, ret_len, e);
    }
    return FAIL(e, ENOENT, "revision %" PRId64 " of %s is not among the last %d that are kept",
                revision, project, STORE_HISTORY);
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
        r = each_entry(folder, list_name, &names, e);
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
    if ((r = path_make(store, project, path, e, "%s", file_names[STORE_DESIRED])) < 0)
        return r;
    if (unlink(path) < 0 && errno != ENOENT)
        return fail_errno(e, "remove", path);
    if ((r = path_make(store, project, path, e, "history")) < 0 ||
        (r = remove_files(path, "", e)) < 0)
        return r;
    if (rmdir(path) < 0 && errno != ENOENT)
        return fail_errno(e, "remove", path);
    if ((r = path_make(store, project, path, e, "%s", "")) < 0 ||
        (r = remove_files(path, "", e)) < 0)
        return r;
    if (rmdir(path) < 0 && errno != ENOENT)
        return fail_errno(e, "remove", path);
    snprintf(path, sizeof path, "%.2048s/projects", store->folder);
    return sync_folder(path, e);
}

/* ---- session ---- */

int store_next_session(struct store *store, int64_t *ret_session, struct err *e)
{
    char path[PATH_MAX];
    AUTO(buf_deinit) struct buf text = BUF_INIT(64);
    char line[32];
    int64_t session = 0;
    int len;
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
    session++;
    len = snprintf(line, sizeof line, "%" PRId64 "\n", session);
    r = file_write_atomic(path, line, (size_t)len, FILE_MODE, e);
    if (r == 0)
        *ret_session = session;
    return r;
}
