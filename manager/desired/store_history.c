/* The last documents that a project had. */

#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/desired/store_internal.h"

#define DIGEST_KEPT 12
#define SUFFIX      ".json"
#define US_PER_S    1000000
#define NS_PER_US   1000

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
    int r = store_path(store, project, folder, e, "history");

    if (r == 0)
        r = store_each_entry(folder, list_entry, &listing, e);
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

    return utimensat(AT_FDCWD, path, both, 0) < 0 ? store_fail_errno(e, "date", path) : 0;
}

static int forget_oldest(const struct store *store, const char *project, struct err *e)
{
    AUTO(free) struct store_entry *entries = NULL;
    size_t count = 0;
    int r = store_history(store, project, &entries, &count, e);

    for (size_t i = STORE_HISTORY; r == 0 && i < count; i++) {
        char path[PATH_MAX];

        r = store_path(store, project, path, e, "history/%" PRId64 "-%s" SUFFIX,
                       entries[i].revision, entries[i].digest);
        if (r == 0 && unlink(path) < 0 && errno != ENOENT)
            r = store_fail_errno(e, "remove", path);
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
    if ((r = store_make_project(store, project, e)) < 0 ||
        (r = store_history(store, project, &entries, &count, e)) < 0 ||
        (r = store_path(store, project, path, e, "history/%" PRId64 "-%.*s" SUFFIX, revision,
                        DIGEST_KEPT, digest)) < 0 ||
        (r = file_write_atomic(path, text, len, STORE_FILE_MODE, e)) < 0 ||
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
        r = store_path(store, project, path, e, "history/%" PRId64 "-%s" SUFFIX, revision,
                       entries[i].digest);
        return r < 0 ? r : store_read_path(path, ret_text, ret_len, e);
    }
    return FAIL(e, ENOENT, "revision %" PRId64 " of %s is not among the last %d that are kept",
                revision, project, STORE_HISTORY);
}
