#include "manager/engine/registry_auth.h"

#include <openssl/evp.h>
#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/str.h"

#define FILE_MAX   (256 << 10)
#define SECRET_MAX 8192 /* a token; as base64 in a header of at most 16 KiB */

/* "https://reg.example/v2/" is the same as "reg.example". */
static bool key_is_of(const char *key, const char *registry)
{
    if (str_equal(registry, "docker.io") &&
        (str_equal(key, "https://index.docker.io/v1/") || str_equal(key, "index.docker.io")))
        return true;
    if (str_starts_with(key, "https://"))
        key += strlen("https://");
    else if (str_starts_with(key, "http://"))
        key += strlen("http://");
    size_t len = strcspn(key, "/");
    return len == strlen(registry) && memcmp(key, registry, len) == 0;
}

static const cJSON *find_entry(const cJSON *auths, const char *registry)
{
    const cJSON *exact = json_member(auths, registry);
    const cJSON *entry;

    if (exact)
        return exact;
    cJSON_ArrayForEach(entry, auths)
    {
        if (key_is_of(entry->string, registry))
            return entry;
    }
    return NULL;
}

/* "user:password" of base64. */
static int decode_pair(const char *base64, struct buf *pair)
{
    unsigned char bytes[SECRET_MAX];
    size_t len = strlen(base64);
    size_t padding = len - strcspn(base64, "=");

    if (len == 0 || len % 4 != 0 || len / 4 * 3 > sizeof(bytes) || padding > 2)
        return -EINVAL;
    int decoded = EVP_DecodeBlock(bytes, (const unsigned char *)base64, (int)len);
    if (decoded < 0)
        return -EINVAL;
    buf_append(pair, bytes, (size_t)decoded - padding);
    return !buf_failed(pair) && str_is_utf8(pair->data, pair->len, NULL) &&
                   !memchr(pair->data, '\0', pair->len) && strchr(pair->data, ':')
               ? 0
               : -EINVAL;
}

static void append_login(struct buf *json, const char *user, size_t user_len, const char *password,
                         const char *registry)
{
    buf_append_str(json, "{\"username\":");
    buf_append_json_n(json, user, user_len);
    buf_append_str(json, ",\"password\":");
    buf_append_json(json, password);
    buf_append_str(json, ",\"serveraddress\":");
    buf_append_json(json, registry);
    buf_append_str(json, "}");
}

/* 0 or REGISTRY_AUTH_NONE for an entry without credentials, as helpers leave it. */
static int append_auth(struct buf *json, const cJSON *entry, const char *at, const char *registry,
                       struct err *e)
{
    const char *auth = "", *user = "", *password = "", *token = "";

    if (json_get_string(entry, at, "auth", &auth, e) < 0 ||
        json_get_string(entry, at, "username", &user, e) < 0 ||
        json_get_string(entry, at, "password", &password, e) < 0 ||
        json_get_string(entry, at, "identitytoken", &token, e) < 0)
        return -EINVAL;
    if (*token) {
        buf_append_str(json, "{\"identitytoken\":");
        buf_append_json(json, token);
        buf_append_str(json, "}");
    } else if (*auth) {
        AUTO(buf_deinit) struct buf pair = BUF_INIT(SECRET_MAX);
        if (decode_pair(auth, &pair) < 0)
            return FAIL(e, EINVAL, "%s/auth must be base64 of user:password", at);
        size_t user_len = strcspn(pair.data, ":");
        append_login(json, pair.data, user_len, pair.data + user_len + 1, registry);
    } else if (*user) {
        append_login(json, user, strlen(user), password, registry);
    } else {
        return REGISTRY_AUTH_NONE;
    }
    return buf_failed(json) ? FAIL(e, EINVAL, "%s is longer than %d bytes", at, SECRET_MAX) : 0;
}

static int append_base64url(struct buf *out, const struct buf *json, struct err *e)
{
    AUTO(free) unsigned char *text = malloc(json->len / 3 * 4 + 5);

    if (!text)
        return FAIL(e, ENOMEM, "out of memory");
    int len = EVP_EncodeBlock(text, (const unsigned char *)json->data, (int)json->len);
    for (int i = 0; i < len; i++)
        text[i] = text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i];
    buf_append(out, text, (size_t)len);
    return buf_failed(out) ? FAIL(e, ENOMEM, "out of memory") : 0;
}

static int find(const struct buf *text, const char *registry, struct buf *out, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *root = NULL;
    AUTO(buf_deinit) struct buf json = BUF_INIT(SECRET_MAX);
    AUTO(buf_deinit) struct buf at = BUF_INIT(IMAGE_NAME_MAX + 64);
    const cJSON *auths = NULL;

    int r = json_parse(text->len > 0 ? text->data : "", text->len, JSON_MAX_DEPTH, &root, e);
    if (r < 0)
        return r;
    if (!cJSON_IsObject(root))
        return FAIL(e, EINVAL, "it must be a JSON object");
    r = json_get_object(root, "", "auths", &auths, e);
    if (r != 0)
        return r == JSON_ABSENT ? REGISTRY_AUTH_NONE : r;
    const cJSON *entry = find_entry(auths, registry);
    if (!entry)
        return REGISTRY_AUTH_NONE;
    buf_appendf(&at, "/auths/%s", registry);
    if (!cJSON_IsObject(entry))
        return FAIL(e, EINVAL, "%s must be an object", at.data);
    r = append_auth(&json, entry, at.data, registry, e);
    return r == 0 ? append_base64url(out, &json, e) : r;
}

int registry_auth_find(const char *path, const struct image_ref *ref, struct buf *out,
                       struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(FILE_MAX);

    int r = file_read(path, &text, e);
    if (r == -ENOENT)
        return REGISTRY_AUTH_NONE;
    if (r < 0)
        return r;
    r = find(&text, ref->registry, out, e);
    if (r < 0)
        err_context(e, "%s", path);
    return r;
}
