#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/compose/mapping.h"
#include "manager/ctl/compose/scalar.h"
#include "manager/ctl/compose/schema.h"

static int put_default(struct load *load, struct node *map, const char *key, const char *text)
{
    if (node_get(map, key) != NULL) {
        return 0;
    }
    return node_put(map, key, node_string(&load->arena, map->at, text)) < 0 ? load_no_memory(load)
                                                                            : 0;
}

static int require(struct load *load, const struct node *map, const struct step *step,
                   const char *key)
{
    const struct node *value = node_get(map, key);
    return value == NULL || node_is_empty(value) ? load_fail(load, map, step, "has no \"%s\"", key)
                                                 : 0;
}

/* --- ports --------------------------------------------------------------------------------------
 */

static int lengthen_ports(struct load *load, struct node *ports, const struct step *step)
{
    struct node *list = node_new(&load->arena, NODE_LIST, ports->at);
    if (list == NULL) {
        return load_no_memory(load);
    }
    int result = 0;
    size_t index = 0;
    for (struct node *port = ports->first, *next = NULL; port != NULL && result == 0; port = next) {
        const struct step *way = STEP(step, port, index++);
        next = port->next;
        if (port->kind == NODE_MAP) {
            result = node_append(list, port);
        } else if (port->kind == NODE_STRING || port->kind == NODE_INT) {
            result = mapping_parse_port(load, port, way, list);
        } else {
            result = load_fail(load, port, way, "must be a port, as \"8080:80\", this is %s",
                               node_kind_name(port));
        }
    }
    node_become(ports, list);
    return result;
}

static int finish_port(struct load *load, struct node *port, const struct step *step)
{
    unsigned char address[16];
    const char *ip = node_get_text(port, "host_ip");
    const struct node *target = node_get(port, "target");
    if (target == NULL || target->integer < 1 || target->integer > 65535) {
        return load_fail(load, port, step, "its \"target\" must be a port from 1 to 65535");
    }
    if (ip != NULL && inet_pton(AF_INET, ip, address) != 1 &&
        inet_pton(AF_INET6, ip, address) != 1) {
        return load_fail(load, port, step, "\"host_ip\" is no IP address: \"%.40s\"", ip);
    }
    int result = put_default(load, port, "protocol", "tcp");
    return result == 0 ? put_default(load, port, "mode", "ingress") : result;
}

static const struct shape PUBLISHED = {.what = "a port or a range, as \"8080-8090\"",
                                       .kinds = NODE_STRING | NODE_INT,
                                       .finish = scalar_to_string};
static const struct field PORT_FIELDS[] = {
    {"name", &SHAPE_STRING, NULL},         {"mode", &SHAPE_STRING, NULL},
    {"host_ip", &SHAPE_STRING, NULL},      {"target", &SHAPE_INT, NULL},
    {"published", &PUBLISHED, NULL},       {"protocol", &SHAPE_STRING, NULL},
    {"app_protocol", &SHAPE_STRING, NULL}, {NULL, NULL, NULL},
};
static const struct shape PORT = {
    .what = "a port", .kinds = NODE_MAP, .fields = PORT_FIELDS, .finish = finish_port};
const struct shape SHAPE_PORTS = {
    .what = "a list of ports", .kinds = NODE_LIST, .item = &PORT, .lengthen = lengthen_ports};

/* --- volumes ------------------------------------------------------------------------------------
 */

static int clean_path_of(struct load *load, struct node *map, const char *key, bool absolute)
{
    struct node *path = node_get(map, key);
    if (path == NULL || path->text[0] == '\0') {
        return 0;
    }
    path->text =
        absolute ? load_absolute_path(load, path->text) : load_clean_path(load, path->text);
    return path->text == NULL ? load_no_memory(load) : 0;
}

static int lengthen_volume(struct load *load, struct node *node, const struct step *step)
{
    struct node *volume = NULL;
    if (node->kind != NODE_STRING) {
        return 0;
    }
    int result = mapping_parse_volume(load, node, step, &volume);
    if (result < 0) {
        return result;
    }
    node_become(node, volume);
    return clean_path_of(load, node, "target", false);
}

static bool is_one_of(const char *text, const char *const *words)
{
    while (*words != NULL && !str_equal(*words, text)) {
        words++;
    }
    return *words != NULL;
}

static int finish_volume(struct load *load, struct node *volume, const struct step *step)
{
    static const char *const TYPES[] = {"bind", "volume", "tmpfs", NULL};
    const char *type = node_get_text(volume, "type");
    if (type == NULL || !is_one_of(type, TYPES)) {
        return load_fail(load, volume, step, "its \"type\" must be bind, volume or tmpfs");
    }
    bool is_bind = str_equal(type, "bind");
    int result = require(load, volume, step, "target");
    if (result == 0 && is_bind) {
        result = require(load, volume, step, "source");
    }
    if (result == 0 && is_bind) {
        result = clean_path_of(load, volume, "source", true);
    }
    return result == 0 ? clean_path_of(load, volume, "target", false) : result;
}

/* Left out when it is true, which is what it is without it. */
static int finish_opt_out(struct load *load, struct node *node, const struct step *step)
{
    int result = scalar_to_bool(load, node, step);
    if (result == 0 && node->truth) {
        node->kind = NODE_NULL;
    }
    return result;
}

static const struct shape OPT_OUT = {.what = "true or false",
                                     .kinds = NODE_BOOL | NODE_STRING,
                                     .flags = SHAPE_KEEP_EMPTY,
                                     .finish = finish_opt_out};
static const struct shape TMPFS_MODE = {.what = "a number without quotes, as 0755",
                                        .kinds = NODE_INT};
static const struct field BIND_FIELDS[] = {
    {"propagation", &SHAPE_STRING, NULL},
    {"create_host_path", &OPT_OUT, NULL},
    {"recursive", &SHAPE_STRING, NULL},
    {"selinux", &SHAPE_STRING, NULL},
    {NULL, NULL, NULL},
};
static const struct field VOLUME_OPTION_FIELDS[] = {
    {"labels", &SHAPE_LABELS, NULL},
    {"nocopy", &SHAPE_BOOL, NULL},
    {"subpath", &SHAPE_STRING, NULL},
    {NULL, NULL, NULL},
};
static const struct field TMPFS_FIELDS[] = {
    {"size", &SHAPE_BYTES, NULL},
    {"mode", &TMPFS_MODE, NULL},
    {NULL, NULL, NULL},
};
static const struct shape BIND = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = BIND_FIELDS};
static const struct shape VOLUME_OPTIONS = {.what = "a mapping",
                                            .kinds = NODE_MAP,
                                            .flags = SHAPE_KEEP_EMPTY,
                                            .fields = VOLUME_OPTION_FIELDS};
static const struct shape TMPFS = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = TMPFS_FIELDS};
static const struct field VOLUME_FIELDS[] = {
    {"type", &SHAPE_STRING, NULL},
    {"source", &SHAPE_STRING, NULL},
    {"target", &SHAPE_STRING, NULL},
    {"read_only", &SHAPE_BOOL, NULL},
    {"consistency", &SHAPE_STRING, NULL},
    {"bind", &BIND, NULL},
    {"volume", &VOLUME_OPTIONS, NULL},
    {"tmpfs", &TMPFS, NULL},
    {"image", NULL, "nodes do not mount images: use a volume"},
    {NULL, NULL, NULL},
};
static const struct shape VOLUME = {.what = "a string or a mapping",
                                    .kinds = NODE_STRING | NODE_MAP,
                                    .fields = VOLUME_FIELDS,
                                    .lengthen = lengthen_volume,
                                    .finish = finish_volume};
const struct shape SHAPE_VOLUMES = {
    .what = "a list of volumes", .kinds = NODE_LIST, .item = &VOLUME};

/* --- devices ------------------------------------------------------------------------------------
 */

static int lengthen_device(struct load *load, struct node *node, const struct step *step)
{
    struct node *device = NULL;
    if (node->kind != NODE_STRING) {
        return 0;
    }
    int result = mapping_parse_device(load, node, step, &device);
    if (result == 0) {
        node_become(node, device);
    }
    return result;
}

static int finish_device(struct load *load, struct node *device, const struct step *step)
{
    int result = require(load, device, step, "source");
    return result == 0 ? require(load, device, step, "target") : result;
}

static const struct field DEVICE_FIELDS[] = {
    {"source", &SHAPE_STRING, NULL},
    {"target", &SHAPE_STRING, NULL},
    {"permissions", &SHAPE_STRING, NULL},
    {NULL, NULL, NULL},
};
static const struct shape DEVICE = {.what = "a string or a mapping",
                                    .kinds = NODE_STRING | NODE_MAP,
                                    .fields = DEVICE_FIELDS,
                                    .lengthen = lengthen_device,
                                    .finish = finish_device};
const struct shape SHAPE_DEVICES = {
    .what = "a list of devices", .kinds = NODE_LIST, .item = &DEVICE};

/* --- secrets and configs ------------------------------------------------------------------------
 */

static int lengthen_mount(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    if (node->kind != NODE_STRING) {
        return 0;
    }
    struct node *mount = node_new(&load->arena, NODE_MAP, node->at);
    if (mount == NULL ||
        node_put(mount, "source", node_string(&load->arena, node->at, node->text)) < 0) {
        return load_no_memory(load);
    }
    node_become(node, mount);
    return 0;
}

static int finish_config_mount(struct load *load, struct node *mount, const struct step *step)
{
    return require(load, mount, step, "source");
}

static int finish_secret_mount(struct load *load, struct node *mount, const struct step *step)
{
    int result = require(load, mount, step, "source");
    if (result < 0 || node_get(mount, "target") != NULL) {
        return result;
    }
    return node_put(mount, "target",
                    node_stringf(&load->arena, mount->at, "/run/secrets/%s",
                                 node_get_text(mount, "source"))) < 0
               ? load_no_memory(load)
               : 0;
}

/* Becomes the text of an octal number, with its 0. */
static int finish_mode(struct load *load, struct node *mode, const struct step *step)
{
    int64_t bits = mode->integer;
    if (mode->kind == NODE_STRING) {
        size_t digits = strspn(mode->text, "01234567");
        if (digits == 0 || digits > 6 || mode->text[digits] != '\0') {
            return load_fail(load, mode, step, "must be an octal number, as 0440, it is \"%.40s\"",
                             mode->text);
        }
        bits = strtol(mode->text, NULL, 8);
    }
    const struct node *text = node_stringf(&load->arena, mode->at, "0%" PRIo64, (uint64_t)bits);
    if (text == NULL) {
        return load_no_memory(load);
    }
    node_become(mode, text);
    return 0;
}

static const struct shape MODE = {
    .what = "an octal number, as 0440", .kinds = NODE_INT | NODE_STRING, .finish = finish_mode};
static const struct field MOUNT_FIELDS[] = {
    {"source", &SHAPE_STRING, NULL}, {"target", &SHAPE_STRING, NULL}, {"uid", &SHAPE_STRING, NULL},
    {"gid", &SHAPE_STRING, NULL},    {"mode", &MODE, NULL},           {NULL, NULL, NULL},
};
static const struct shape SECRET_MOUNT = {.what = "a string or a mapping",
                                          .kinds = NODE_STRING | NODE_MAP,
                                          .fields = MOUNT_FIELDS,
                                          .lengthen = lengthen_mount,
                                          .finish = finish_secret_mount};
static const struct shape CONFIG_MOUNT = {.what = "a string or a mapping",
                                          .kinds = NODE_STRING | NODE_MAP,
                                          .fields = MOUNT_FIELDS,
                                          .lengthen = lengthen_mount,
                                          .finish = finish_config_mount};
const struct shape SHAPE_SECRET_MOUNTS = {
    .what = "a list of secrets", .kinds = NODE_LIST, .item = &SECRET_MOUNT};
const struct shape SHAPE_CONFIG_MOUNTS = {
    .what = "a list of configs", .kinds = NODE_LIST, .item = &CONFIG_MOUNT};
