#include "manager/engine/image_ref.h"

#include <ctype.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"

#define DEFAULT_REGISTRY "docker.io"
#define DIGEST_HEX_MIN   32
#define IMAGE_ID_HEX     64

static bool is_lower_alnum(char c)
{
    return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');
}

static bool is_hex(const char *s, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (!(s[i] >= '0' && s[i] <= '9') && !(s[i] >= 'a' && s[i] <= 'f'))
            return false;
    }
    return true;
}

/* Bytes of the separator that a path's component may have inside: . _ __ or any number of - */
static size_t separator_length(const char *s, size_t len)
{
    size_t run = 0;

    while (run < len && s[run] == s[0])
        run++;
    if (s[0] == '-' || (s[0] == '.' && run == 1) || (s[0] == '_' && run <= 2))
        return run;
    return 0;
}

static bool is_component(const char *s, size_t len)
{
    bool after_alnum = false;

    for (size_t i = 0; i < len;) {
        if (is_lower_alnum(s[i])) {
            after_alnum = true;
            i++;
            continue;
        }
        size_t separator = after_alnum ? separator_length(s + i, len - i) : 0;
        if (separator == 0)
            return false;
        after_alnum = false;
        i += separator;
    }
    return after_alnum;
}

static bool is_path(const char *path)
{
    for (;;) {
        size_t len = strcspn(path, "/");
        if (!is_component(path, len))
            return false;
        if (path[len] == '\0')
            return true;
        path += len + 1;
    }
}

static bool is_port(const char *s, size_t len)
{
    return len >= 2 && s[0] == ':' && strspn(s + 1, "0123456789") >= len - 1;
}

/* Host name, IPv4 address or [IPv6 address], each with or without :port. */
static bool is_registry(const char *s)
{
    static const char host_characters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                          "0123456789-.";
    static const char ipv6_characters[] = "0123456789abcdefABCDEF:";
    bool is_ipv6 = s[0] == '[';
    size_t host = is_ipv6 ? 1 + strspn(s + 1, ipv6_characters) : strspn(s, host_characters);

    if (is_ipv6 && s[host++] != ']')
        return false;
    if (host == 0 || s[0] == '-' || s[0] == '.')
        return false;
    return s[host] == '\0' || is_port(s + host, strlen(s + host));
}

static bool is_tag(const char *tag)
{
    if (tag[0] == '.' || tag[0] == '-' || tag[0] == '\0')
        return false;
    for (; *tag; tag++) {
        if (!isalnum((unsigned char)*tag) && !strchr("_.-", *tag))
            return false;
    }
    return true;
}

static bool is_digest(const char *digest)
{
    size_t algorithm = strspn(digest, "abcdefghijklmnopqrstuvwxyz0123456789+._-");
    if (algorithm == 0 || digest[algorithm] != ':')
        return false;
    const char *hex = digest + algorithm + 1;
    size_t len = strlen(hex);
    return len >= DIGEST_HEX_MIN && is_hex(hex, len) &&
           (!str_starts_with(digest, "sha256:") || len == IMAGE_ID_HEX);
}

/* What is before the first / is a registry only if it looks like one: else "library/busybox" would
 * be asked of a host named library. */
static size_t registry_length(const char *name)
{
    size_t len = strcspn(name, "/");
    bool looks_like_one = memchr(name, '.', len) || memchr(name, ':', len) ||
                          (len == strlen("localhost") && memcmp(name, "localhost", len) == 0);

    for (size_t i = 0; i < len; i++)
        looks_like_one = looks_like_one || isupper((unsigned char)name[i]);
    return name[len] == '/' && looks_like_one ? len : 0;
}

static bool split_name(const char *name, struct image_ref *ref)
{
    size_t len = registry_length(name);
    const char *path = len > 0 ? name + len + 1 : name;

    if (strlen(name) > IMAGE_NAME_MAX - strlen(DEFAULT_REGISTRY "/library/"))
        return false;
    (void)snprintf(ref->registry, sizeof(ref->registry), "%.*s", (int)len, name);
    if (len == 0 || str_equal(ref->registry, "index.docker.io"))
        (void)snprintf(ref->registry, sizeof(ref->registry), DEFAULT_REGISTRY);
    bool is_official = str_equal(ref->registry, DEFAULT_REGISTRY) && !strchr(path, '/');
    int path_len =
        snprintf(ref->path, sizeof(ref->path), "%s%s", is_official ? "library/" : "", path);
    return path_len > 0 && (size_t)path_len < sizeof(ref->path);
}

static int check(const char *text, const struct image_ref *ref, struct err *e)
{
    if (!is_registry(ref->registry))
        return FAIL(e, EINVAL, "'%.300s' is no reference of an image: '%s' is no registry", text,
                    ref->registry);
    if (!is_path(ref->path))
        return FAIL(e, EINVAL,
                    "'%.300s' is no reference of an image: a name has lower-case letters and "
                    "digits, with single . or _ or - between, in parts separated by /",
                    text);
    if (strlen(text) == IMAGE_ID_HEX && is_hex(text, IMAGE_ID_HEX))
        return FAIL(e, EINVAL, "'%.300s' is an image's id: a name is needed, such as app:1.4",
                    text);
    return 0;
}

int image_ref_parse(const char *text, struct image_ref *ret_ref, struct err *e)
{
    struct image_ref ref = {0};
    char name[IMAGE_NAME_MAX + 1];
    const char *digest = strchr(text, '@');
    size_t len = digest ? (size_t)(digest - text) : strlen(text);
    const char *slash = memrchr(text, '/', len);
    const char *last = slash ? slash + 1 : text; /* a : before it is a port's */
    const char *tag = memchr(last, ':', len - (size_t)(last - text));
    size_t name_len = tag ? (size_t)(tag - text) : len;

    if (digest && (!str_copy(ref.digest, sizeof(ref.digest), digest + 1) || !is_digest(ref.digest)))
        return FAIL(e, EINVAL,
                    "'%.300s' is no reference of an image: behind @ stands a digest, such as "
                    "sha256: and 64 hexadecimal digits",
                    text);
    if (tag &&
        (!str_copy_n(ref.tag, sizeof(ref.tag), tag + 1, len - name_len - 1) || !is_tag(ref.tag)))
        return FAIL(e, EINVAL,
                    "'%.300s' is no reference of an image: a tag has up to %d letters, digits and "
                    "_ . -, and does not begin with . or -",
                    text, IMAGE_TAG_MAX);
    if (!tag && !digest)
        (void)snprintf(ref.tag, sizeof(ref.tag), "latest");
    if (!str_copy_n(name, sizeof(name), text, name_len) || !split_name(name, &ref))
        return FAIL(e, EINVAL, "'%.300s' is no reference of an image: its name is too long", text);
    int r = check(text, &ref, e);
    if (r == 0)
        *ret_ref = ref;
    return r;
}
