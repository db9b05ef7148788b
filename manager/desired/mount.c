#include "manager/desired/mount.h"

#include <string.h>

#include "common/base/buf.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/desired/body.h"

static const char *const types[] = {"", "bind", "volume", "tmpfs", NULL};
static const char *const propagations[] = {"",        "private", "rprivate", "shared",
                                           "rshared", "slave",   "rslave",   NULL};
static const char *const relabelings[] = {"", "z", "Z", NULL};

/* ---- reading ---- */

/* A number, or octal digits as text. */
static int read_mode(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    if (cJSON_IsString(value)) {
        const char *digits = value->valuestring;
        int mode = 0;

        if (!digits[0] || strlen(digits) > 5 || strspn(digits, "01234567") != strlen(digits))
            return reading_fail_value(r, at, value, "a mode such as \"1777\"");
        for (; *digits; digits++)
            mode = mode * 8 + (*digits - '0');
        *ret_canonical = cJSON_CreateNumber(mode);
        return *ret_canonical ? 0 : reading_fail_memory(r);
    }
    return value_read_integer(r, at, key, value, ret_canonical);
}

static const struct key bind_keys[] = {
    {.name = "create_host_path", .read = value_read_bool, .unset = 1},
    {.name = "propagation", .read = value_read_choice, .choices = propagations},
    {.name = "selinux", .read = value_read_choice, .choices = relabelings},
    {.name = "recursive", .refused = "every mount below the folder comes along"},
    {.name = NULL},
};

static const struct key volume_keys[] = {
    {.name = "nocopy", .read = value_read_bool},
    {.name = "subpath", .refused = "engines before 26 would mount the whole volume"},
    {.name = "labels", .read = value_read_labels},
    {.name = NULL},
};

static const struct key tmpfs_keys[] = {
    {.name = "size", .read = value_read_size},
    {.name = "mode", .read = read_mode, .min = 0, .max = 07777},
    {.name = NULL},
};

const struct key mount_keys[] = {
    {.name = "type", .read = value_read_choice, .choices = types, .required = true},
    {.name = "source", .read = value_read_string},
    {.name = "target", .read = value_read_path, .required = true},
    {.name = "read_only", .read = value_read_bool},
    {.name = "bind", .read = key_read_options, .keys = bind_keys},
    {.name = "volume", .read = key_read_options, .keys = volume_keys},
    {.name = "tmpfs", .read = key_read_options, .keys = tmpfs_keys},
    {.name = "consistency", .refused = "it tells nothing to an engine on Linux"},
    {.name = "image", .refused = "images are not mounted; copy what is needed into the image"},
    {.name = NULL},
};

static const char *text_of(const cJSON *object, const char *name)
{
    const cJSON *value = json_member(object, name);

    return value ? value->valuestring : "";
}

static bool is_true(const cJSON *object, const char *name)
{
    return object && cJSON_IsTrue(json_member(object, name));
}

/* Options of another type would go unheeded. */
static int check_options(const struct reading *r, const struct place *at, const cJSON *mount)
{
    const char *type = text_of(mount, "type");

    for (size_t i = 1; types[i]; i++)
        if (strcmp(types[i], type) != 0 && json_member(mount, types[i]))
            return reading_fail(r, REASON_SCHEMA, &(struct place){at, types[i], 0},
                                "does not belong to a mount of type \"%s\"", type);
    return 0;
}

static int check_bind(const struct reading *r, const struct place *at, const cJSON *mount)
{
    const char *source = text_of(mount, "source");
    const struct place place = {at, "source", 0};
    const cJSON *options = json_member(mount, "bind");

    if (source[0] != '/')
        return reading_fail(r, REASON_SCHEMA, &place,
                            "must be an absolute path on the node, it is \"%.80s\"", source);
    if (text_of(options, "selinux")[0] && options && json_member(options, "create_host_path"))
        return reading_fail(r, REASON_SCHEMA, at,
                            "has \"selinux\", which the engine takes only without "
                            "\"create_host_path\": false");
    return reading_require_bind(r, &place, source);
}

static int check_mount(const struct reading *r, const struct place *at, const cJSON *mount)
{
    const char *type = text_of(mount, "type");
    int ret = check_options(r, at, mount);

    if (ret < 0)
        return ret;
    if (strcmp(type, "bind") == 0)
        return check_bind(r, at, mount);
    if (strcmp(type, "tmpfs") == 0 && text_of(mount, "source")[0])
        return reading_fail(r, REASON_SCHEMA, &(struct place){at, "source", 0},
                            "does not belong to a mount of type \"tmpfs\"");
    return 0;
}

int mount_read_all(const struct reading *r, const struct place *at, const struct key *key,
                   const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *canonical = NULL;
    const cJSON *mount;
    size_t index = 0;
    int ret = key_read_array(r, at, key, value, &canonical);

    if (ret < 0)
        return ret;
    cJSON_ArrayForEach(mount, canonical)
    {
        ret = check_mount(r, &(struct place){at, NULL, index++}, mount);
        if (ret < 0)
            return ret;
    }
    *ret_canonical = TAKE(canonical);
    return 0;
}

int mount_read_tmpfs(const struct reading *r, const struct place *at, const struct key *key,
                     const cJSON *value, cJSON **ret_canonical)
{
    AUTO(cJSON_Delete) cJSON *list = NULL;
    AUTO(cJSON_Delete) cJSON *map = cJSON_CreateObject();
    const cJSON *item;
    size_t index = 0;
    int ret = value_read_strings(r, at, key, value, &list);

    if (ret < 0)
        return ret;
    if (!map)
        return reading_fail_memory(r);
    cJSON_ArrayForEach(item, list)
    {
        const struct place place = {at, NULL, index++};
        char *colon = strchr(item->valuestring, ':');
        const char *options = colon ? colon + 1 : "";

        if (item->valuestring[0] != '/')
            return reading_fail_value(r, &place, item,
                                      "an absolute path, with options as in \"/tmp:size=64m\"");
        if (colon)
            *colon = '\0';
        if (json_member(map, item->valuestring))
            return reading_fail(r, REASON_SCHEMA, &place, "is there twice");
        if (!cJSON_AddStringToObject(map, item->valuestring, options))
            return reading_fail_memory(r);
    }
    if (map->child)
        *ret_canonical = TAKE(map);
    return 0;
}

/* ---- writing ---- */

/* "Binds" alone makes a host's folder that is not there, and labels for SELinux; its text has no
 * room for a colon in a path. */
static bool write_bind_text(struct body *body, const cJSON *mount)
{
    const cJSON *options = json_member(mount, "bind");
    AUTO(buf_deinit) struct buf text = BUF_INIT(DOCUMENT_MAX_BYTES);
    cJSON *binds = body_array(body, "HostConfig/Binds");

    buf_appendf(&text, "%s:%s:%s", text_of(mount, "source"), text_of(mount, "target"),
                is_true(mount, "read_only") ? "ro" : "rw");
    for (size_t i = 0; i < 2; i++) {
        const char *option = text_of(options, i == 0 ? "selinux" : "propagation");

        if (option[0])
            buf_appendf(&text, ",%s", option);
    }
    return binds && !buf_failed(&text) && key_add(binds, NULL, cJSON_CreateString(text.data));
}

static cJSON *mount_make(struct body *body, const char *type, const char *source,
                         const cJSON *mount)
{
    cJSON *mounts = body_array(body, "HostConfig/Mounts");
    cJSON *made = cJSON_CreateObject();

    if (!mounts) {
        cJSON_Delete(made);
        return NULL;
    }
    if (!key_add(mounts, NULL, made) || !cJSON_AddStringToObject(made, "Type", type) ||
        (source[0] && !cJSON_AddStringToObject(made, "Source", source)) ||
        !cJSON_AddStringToObject(made, "Target", text_of(mount, "target")) ||
        (is_true(mount, "read_only") && !cJSON_AddTrueToObject(made, "ReadOnly")))
        return NULL;
    return made;
}

/* An option of Compose and its name in the engine's API. */
struct option {
    const char *name, *field;
};

static const struct option bind_options[] = {{"propagation", "Propagation"}, {NULL, NULL}};
static const struct option volume_options[] = {
    {"nocopy", "NoCopy"}, {"labels", "Labels"}, {NULL, NULL}};
static const struct option tmpfs_options[] = {
    {"size", "SizeBytes"}, {"mode", "Mode"}, {NULL, NULL}};

static bool write_options(cJSON *made, const char *field, const cJSON *options,
                          const struct option *option)
{
    cJSON *target = options ? cJSON_AddObjectToObject(made, field) : NULL;

    if (!options)
        return true;
    if (!target)
        return false;
    for (; option->name; option++) {
        const cJSON *value = json_member(options, option->name);

        if (value && !key_add(target, option->field, cJSON_Duplicate(value, true)))
            return false;
    }
    return true;
}

static bool write_bind(struct body *body, const cJSON *mount)
{
    const cJSON *options = json_member(mount, "bind");
    bool must_exist = options && json_member(options, "create_host_path");
    const char *source = text_of(mount, "source");
    cJSON *made;

    if (!must_exist && !strchr(source, ':') && !strchr(text_of(mount, "target"), ':'))
        return write_bind_text(body, mount);
    made = mount_make(body, "bind", source, mount);
    return made && write_options(made, "BindOptions", options, bind_options);
}

static bool write_volume(struct body *body, const cJSON *mount)
{
    const char *key = text_of(mount, "source");
    const struct resource *volume = document_volume(body->document, key);
    cJSON *made = mount_make(body, "volume", volume ? volume->name : "", mount);

    return made &&
           write_options(made, "VolumeOptions", json_member(mount, "volume"), volume_options);
}

static bool write_tmpfs(struct body *body, const cJSON *mount)
{
    cJSON *made = mount_make(body, "tmpfs", "", mount);

    return made && write_options(made, "TmpfsOptions", json_member(mount, "tmpfs"), tmpfs_options);
}

bool mount_write_all(struct body *body, const struct key *key, const cJSON *canonical)
{
    const cJSON *mount;

    (void)key;
    cJSON_ArrayForEach(mount, canonical)
    {
        const char *type = text_of(mount, "type");
        bool written = strcmp(type, "bind") == 0     ? write_bind(body, mount)
                       : strcmp(type, "volume") == 0 ? write_volume(body, mount)
                                                     : write_tmpfs(body, mount);

        if (!written)
            return false;
    }
    return true;
}

bool mount_add_file(struct body *body, const char *source, const char *target)
{
    AUTO(cJSON_Delete) cJSON *mount = cJSON_CreateObject();

    return mount && cJSON_AddStringToObject(mount, "target", target) &&
           cJSON_AddTrueToObject(mount, "read_only") && mount_make(body, "bind", source, mount);
}
