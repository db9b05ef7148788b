#include "manager/desired/file_reference.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "manager/desired/body.h"
#include "manager/desired/mount.h"

#define OWNER "the file's own owner and mode hold; set them in the node's --secrets-dir"
#define STORE                                                                                      \
    "documents go over the broker, which is no place for secrets: put a file of that name into "   \
    "the node's --secrets-dir and say \"external\": true"

static int read_external(const struct reading *r, const struct place *at, const struct key *key,
                         const cJSON *value, cJSON **ret_canonical)
{
    (void)key;
    if (!cJSON_IsTrue(value))
        return reading_fail(r, REASON_SCHEMA, at,
                            "must be true: secrets and configs are files of the node's "
                            "--secrets-dir");
    *ret_canonical = cJSON_CreateTrue();
    return *ret_canonical ? 0 : reading_fail_memory(r);
}

const struct key file_object_keys[] = {
    {.name = "name", .read = value_read_name},
    {.name = "external", .read = read_external, .required = true},
    {.name = "file", .refused = STORE},
    {.name = "content", .refused = STORE},
    {.name = "environment", .refused = STORE},
    {.name = "driver", .refused = STORE},
    {.name = "driver_opts", .refused = STORE},
    {.name = "template_driver", .refused = STORE},
    {.name = "labels", .refused = "a file has no labels"},
    {.name = NULL},
};

int file_object_read(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    if (!value_is_engine_name(at->name))
        return reading_fail(r, REASON_SCHEMA, at, "is no name: letters, digits, '_', '.' and '-'");
    return key_read_object(r, at, key, value, ret_canonical);
}

const struct key file_reference_keys[] = {
    {.name = "source", .read = value_read_string, .required = true},
    {.name = "target", .read = value_read_string},
    {.name = "uid", .refused = OWNER},
    {.name = "gid", .refused = OWNER},
    {.name = "mode", .refused = OWNER},
    {.name = NULL},
};

/* Sets the target to the absolute path that it stands for. */
static int complete_target(const struct reading *r, const struct place *at, const char *folder,
                           cJSON *reference)
{
    AUTO(buf_deinit) struct buf target = BUF_INIT(4096);
    const cJSON *given = json_member(reference, "target");
    const char *name = given ? given->valuestring : json_member(reference, "source")->valuestring;
    cJSON *text;

    buf_appendf(&target, "%s%s", name[0] == '/' ? "" : folder, name);
    if (buf_failed(&target))
        return reading_fail(r, REASON_SCHEMA, at, "has a target of more than 4096 bytes");
    text = cJSON_CreateString(target.data);
    if (!text)
        return reading_fail_memory(r);
    cJSON_DeleteItemFromObjectCaseSensitive(reference, "target");
    return key_add(reference, "target", text) ? 0 : reading_fail_memory(r);
}

static int read_references(const struct reading *r, const struct place *at, const struct key *key,
                           const cJSON *value, const char *folder, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    cJSON *reference;
    size_t index = 0;
    int ret = key_read_array(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(reference, canonical)
    {
        const struct place place = {at, NULL, index++};

        if (r->safety && !r->safety->secrets_dir)
            return reading_fail(r, REASON_NOT_ALLOWED, &place,
                                "is a file of a folder that this node does not have: its manager "
                                "has no --secrets-dir");
        ret = complete_target(r, &place, folder, reference);
        if (ret < 0)
            return ret;
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}

int file_reference_read_secrets(const struct reading *r, const struct place *at,
                                const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    return read_references(r, at, key, value, "/run/secrets/", ret_canonical);
}

int file_reference_read_configs(const struct reading *r, const struct place *at,
                                const struct key *key, const cJSON *value, cJSON **ret_canonical)
{
    return read_references(r, at, key, value, "/", ret_canonical);
}

const char *file_object_name(const cJSON *objects, const char *key)
{
    const cJSON *object = json_member(objects, key);
    const cJSON *name = json_member(object, "name");

    return name ? name->valuestring : key;
}

bool file_reference_write(struct body *body, const struct key *key, const cJSON *canonical)
{
    const cJSON *objects = json_member(body->document->canonical, key->name);
    const char *folder = body->origin->secrets_dir ? body->origin->secrets_dir : "";
    const cJSON *reference;

    cJSON_ArrayForEach(reference, canonical)
    {
        AUTO(buf_deinit) struct buf source = BUF_INIT(8192);
        const char *name = file_object_name(objects, json_member(reference, "source")->valuestring);

        buf_appendf(&source, "%s/%s", folder, name);
        if (buf_failed(&source) ||
            !mount_add_file(body, source.data, json_member(reference, "target")->valuestring))
            return false;
    }
    return true;
}
