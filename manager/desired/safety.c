#include "manager/desired/safety.h"

#include <limits.h>
#include <string.h>

#include "common/base/str.h"

const char *const safety_words[] = {
    "privileged",        /* privileged: true */
    "host-network",      /* network_mode: host */
    "container-network", /* network_mode: container:X */
    "security-opt",      /* any but no-new-privileges */
    "sysctls",           /* those that are not the container's own */
    "volume-driver",     /* drivers of volumes other than local */
    "volume-options",    /* mounts by a volume's driver_opts, but for tmpfs, NFS and CIFS */
    NULL,
};

/* Words with a part of their own behind the colon. */
static const char *const word_prefixes[] = {"cap:", "device:"};

/* Through one of these a container is root on the node: a folder of --allow-bind does not let it
 * in, only its own name does. */
static const char *const sockets[] = {
    "/var/run/docker.sock",
    "/run/docker.sock",
    "/run/containerd/containerd.sock",
    "/var/run/containerd/containerd.sock",
};

/* The name in --allow-bind and in a document may differ by this link alone. */
static const char *without_var(const char *path)
{
    return str_starts_with(path, "/var/run/") ? path + strlen("/var") : path;
}

/* The path without "//", "." and ".."; ".." at the root stays there. False: not absolute, or too
 * long. */
static bool path_normal(const char *path, char out[static PATH_MAX])
{
    size_t len = 0;

    if (path[0] != '/' || strlen(path) >= PATH_MAX)
        return false;
    while (*path) {
        size_t part = strcspn(path, "/");

        if (part == 2 && path[0] == '.' && path[1] == '.') {
            while (len > 0 && out[--len] != '/')
                ;
        } else if (part > 0 && !(part == 1 && path[0] == '.')) {
            out[len++] = '/';
            memcpy(out + len, path, part);
            len += part;
        }
        path += part;
        path += *path == '/';
    }
    if (len == 0)
        out[len++] = '/';
    out[len] = '\0';
    return true;
}

static bool is_known_word(const char *word)
{
    for (size_t i = 0; safety_words[i]; i++)
        if (strcmp(safety_words[i], word) == 0)
            return true;
    for (size_t i = 0; i < ARRAY_SIZE(word_prefixes); i++)
        if (str_starts_with(word, word_prefixes[i]) && word[strlen(word_prefixes[i])])
            return true;
    return false;
}

static int check_word(const char *word, struct err *e)
{
    const char *nearest;

    if (is_known_word(word))
        return 0;
    nearest = str_nearest(word, safety_words, ARRAY_SIZE(safety_words) - 1);
    return nearest ? FAIL(e, EINVAL, "--allow %s is not known; did you mean \"%s\"?", word, nearest)
                   : FAIL(e, EINVAL,
                          "--allow %s is not known; known are privileged, host-network, "
                          "container-network, security-opt, sysctls, volume-driver, "
                          "volume-options, cap:NAME and device:PATH",
                          word);
}

static int check_folder(const char *folder, struct err *e)
{
    char normal[PATH_MAX];

    if (!path_normal(folder, normal))
        return FAIL(e, EINVAL, "--allow-bind %s must be an absolute path", folder);
    if (strcmp(normal, folder) != 0)
        return FAIL(e, EINVAL, "--allow-bind %s must be written %s", folder, normal);
    return 0;
}

int safety_check(const struct safety *safety, struct err *e)
{
    for (const char *const *word = safety->allow; word && *word; word++) {
        int r = check_word(*word, e);

        if (r < 0)
            return r;
    }
    for (const char *const *folder = safety->allow_bind; folder && *folder; folder++) {
        int r = check_folder(*folder, e);

        if (r < 0)
            return r;
    }
    if (safety->secrets_dir && safety->secrets_dir[0] != '/')
        return FAIL(e, EINVAL, "--secrets-dir %s must be an absolute path", safety->secrets_dir);
    return 0;
}

bool safety_allows(const struct safety *safety, const char *word)
{
    for (const char *const *allowed = safety->allow; allowed && *allowed; allowed++)
        if (strcmp(*allowed, word) == 0)
            return true;
    return false;
}

static bool is_socket(const char *path)
{
    for (size_t i = 0; i < ARRAY_SIZE(sockets); i++)
        if (strcmp(sockets[i], path) == 0)
            return true;
    return false;
}

static bool lies_in(const char *path, const char *folder)
{
    size_t len = strlen(folder);

    if (strcmp(folder, "/") == 0)
        return true;
    return strncmp(path, folder, len) == 0 && (path[len] == '\0' || path[len] == '/');
}

bool safety_allows_bind(const struct safety *safety, const char *source)
{
    char path[PATH_MAX];

    if (!path_normal(source, path))
        return false;
    for (const char *const *folder = safety->allow_bind; folder && *folder; folder++) {
        if (strcmp(without_var(path), without_var(*folder)) == 0)
            return true;
        if (!is_socket(path) && lies_in(path, *folder))
            return true;
    }
    return false;
}
