#include "common/base/str.h"
#include "manager/ctl/compose/scalar.h"
#include "manager/ctl/compose/schema.h"

/* `external: {name: x}` of old as `external: true` and `name: x`. */
static int lengthen_external(struct load *load, struct node *node, const struct step *step)
{
    struct node *external = node_get(node, "external");
    if (external == NULL || external->kind != NODE_MAP) {
        return 0;
    }
    struct node *name = node_get(external, "name");
    const char *own = node_get_text(node, "name");
    if (name != NULL && own != NULL && !str_equal(own, node_get_text(external, "name"))) {
        return load_fail(load, external, step,
                         "\"name\" and \"external.name\" differ: leave the latter out");
    }
    int result = load_warn(
        load, "%s.external.name is deprecated: write `name:` and `external: true`", node->key);
    external->kind = NODE_BOOL;
    external->truth = true;
    node_clear(external);
    if (result == 0 && name != NULL && own == NULL) {
        const char *key = name->key;
        result = node_put(node, key, name) < 0 ? load_no_memory(load) : 0;
    }
    return result;
}

static int make_absolute(struct load *load, struct node *path)
{
    if (path == NULL || path->kind != NODE_STRING) {
        return 0;
    }
    path->text = load_absolute_path(load, path->text);
    return path->text == NULL ? load_no_memory(load) : 0;
}

/* A local volume that is a bind mount in truth. */
static int finish_volume_resource(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    const struct node *options = node_get(node, "driver_opts");
    bool is_bind = str_equal(node_get_text(node, "driver"), "local") &&
                   str_equal(node_get_text(options, "o"), "bind");
    return is_bind ? make_absolute(load, node_get(options, "device")) : 0;
}

static int finish_file_resource(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    return make_absolute(load, node_get(node, "file"));
}

/* Compose prints it also when nothing is in it. */
static int finish_network(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    if (node->kind != NODE_MAP || node_get(node, "ipam") != NULL) {
        return 0;
    }
    return node_put(node, "ipam", node_new(&load->arena, NODE_MAP, node->at)) < 0
               ? load_no_memory(load)
               : 0;
}

static const struct shape EXTERNAL = {
    .what = "true or false", .kinds = NODE_BOOL | NODE_STRING, .finish = scalar_to_bool};
static const struct shape ADDRESSES = {
    .what = "a mapping of strings", .kinds = NODE_MAP, .item = &SHAPE_STRING};

static const struct field POOL_FIELDS[] = {
    {"subnet", &SHAPE_STRING, NULL},
    {"ip_range", &SHAPE_STRING, NULL},
    {"gateway", &SHAPE_STRING, NULL},
    {"aux_addresses", &ADDRESSES, NULL},
    {NULL, NULL, NULL},
};
static const struct shape POOL = {.what = "a mapping", .kinds = NODE_MAP, .fields = POOL_FIELDS};
static const struct shape POOLS = {.what = "a list of subnets", .kinds = NODE_LIST, .item = &POOL};
static const struct field IPAM_FIELDS[] = {
    {"driver", &SHAPE_STRING, NULL},
    {"config", &POOLS, NULL},
    {"options", NULL, "Compose drops this: leave it out"},
    {NULL, NULL, NULL},
};
static const struct shape IPAM = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = IPAM_FIELDS};
static const struct field NETWORK_FIELDS[] = {
    {"name", &SHAPE_STRING, NULL},
    {"driver", &SHAPE_STRING, NULL},
    {"driver_opts", &SHAPE_OPTIONS, NULL},
    {"ipam", &IPAM, NULL},
    {"external", &EXTERNAL, NULL},
    {"internal", &SHAPE_BOOL, NULL},
    {"attachable", &SHAPE_BOOL, NULL},
    {"labels", &SHAPE_LABELS, NULL},
    {"enable_ipv4", &SHAPE_BOOL_SET, NULL},
    {"enable_ipv6", &SHAPE_BOOL_SET, NULL},
    {NULL, NULL, NULL},
};
static const struct shape NETWORK = {.what = "a mapping",
                                     .kinds = NODE_NULL | NODE_MAP,
                                     .fields = NETWORK_FIELDS,
                                     .lengthen = lengthen_external,
                                     .finish = finish_network};
const struct shape SHAPE_NETWORKS = {.what = "a mapping of networks",
                                     .kinds = NODE_MAP,
                                     .item = &NETWORK,
                                     .lengthen = scalar_check_names};

static const struct field VOLUME_FIELDS[] = {
    {"name", &SHAPE_STRING, NULL},         {"driver", &SHAPE_STRING, NULL},
    {"driver_opts", &SHAPE_OPTIONS, NULL}, {"external", &EXTERNAL, NULL},
    {"labels", &SHAPE_LABELS, NULL},       {NULL, NULL, NULL},
};
static const struct shape VOLUME = {.what = "a mapping",
                                    .kinds = NODE_NULL | NODE_MAP,
                                    .fields = VOLUME_FIELDS,
                                    .lengthen = lengthen_external,
                                    .finish = finish_volume_resource};
const struct shape SHAPE_VOLUME_RESOURCES = {.what = "a mapping of volumes",
                                             .kinds = NODE_MAP,
                                             .item = &VOLUME,
                                             .lengthen = scalar_check_names};

#define DRIVER_REFUSED "nodes have no secret drivers: use \"file\""

static const struct field SECRET_FIELDS[] = {
    {"name", &SHAPE_STRING, NULL},
    {"environment", &SHAPE_STRING, NULL},
    {"file", &SHAPE_STRING, NULL},
    {"external", &EXTERNAL, NULL},
    {"labels", &SHAPE_LABELS, NULL},
    {"driver", NULL, DRIVER_REFUSED},
    {"driver_opts", NULL, DRIVER_REFUSED},
    {"template_driver", NULL, DRIVER_REFUSED},
    {NULL, NULL, NULL},
};
static const struct shape SECRET = {.what = "a mapping",
                                    .kinds = NODE_MAP,
                                    .fields = SECRET_FIELDS,
                                    .lengthen = lengthen_external,
                                    .finish = finish_file_resource};
const struct shape SHAPE_SECRETS = {.what = "a mapping of secrets",
                                    .kinds = NODE_MAP,
                                    .item = &SECRET,
                                    .lengthen = scalar_check_names};

static const struct field CONFIG_FIELDS[] = {
    {"name", &SHAPE_STRING, NULL},
    {"environment", &SHAPE_STRING, NULL},
    {"file", &SHAPE_STRING, NULL},
    {"content", &SHAPE_STRING, NULL},
    {"external", &EXTERNAL, NULL},
    {"labels", &SHAPE_LABELS, NULL},
    {"template_driver", NULL, DRIVER_REFUSED},
    {NULL, NULL, NULL},
};
static const struct shape CONFIG = {.what = "a mapping",
                                    .kinds = NODE_MAP,
                                    .fields = CONFIG_FIELDS,
                                    .lengthen = lengthen_external,
                                    .finish = finish_file_resource};
const struct shape SHAPE_CONFIGS = {.what = "a mapping of configs",
                                    .kinds = NODE_MAP,
                                    .item = &CONFIG,
                                    .lengthen = scalar_check_names};
