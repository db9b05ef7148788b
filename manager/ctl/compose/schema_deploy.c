#include <strings.h>

#include "common/base/str.h"
#include "manager/ctl/compose/number.h"
#include "manager/ctl/compose/scalar.h"
#include "manager/ctl/compose/schema.h"

static int finish_ratio(struct load *load, struct node *node, const struct step *step)
{
    double value = node->kind == NODE_INT ? (double)node->integer : node->number;
    if (node->kind == NODE_STRING && number_parse(node->text, &value) < 0) {
        return load_fail(load, node, step, "must be a number, it is \"%.40s\"", node->text);
    }
    node->kind = NODE_FLOAT;
    node->number = number_through_float32(value);
    return 0;
}

/* "all" is -1. */
static int finish_count(struct load *load, struct node *node, const struct step *step)
{
    if (node->kind == NODE_STRING && strcasecmp(node->text, "all") == 0) {
        node->kind = NODE_INT;
        node->integer = -1;
        return 0;
    }
    return scalar_to_int(load, node, step);
}

static int finish_device_request(struct load *load, struct node *node, const struct step *step)
{
    (void)step;
    if (node_get(node, "count") != NULL || node_get(node, "device_ids") != NULL) {
        return 0;
    }
    return node_put(node, "count", node_int(&load->arena, node->at, -1)) < 0 ? load_no_memory(load)
                                                                             : 0;
}

/* Compose prints these two also when nothing is in them. */
static int finish_deploy(struct load *load, struct node *node, const struct step *step)
{
    static const char *const ALWAYS[] = {"resources", "placement"};
    (void)step;
    for (size_t i = 0; node->kind == NODE_MAP && i < ARRAY_SIZE(ALWAYS); i++) {
        if (node_get(node, ALWAYS[i]) == NULL &&
            node_put(node, ALWAYS[i], node_new(&load->arena, NODE_MAP, node->at)) < 0) {
            return load_no_memory(load);
        }
    }
    return 0;
}

static const struct shape RATIO = {
    .what = "a number", .kinds = KIND_NUMBER | NODE_STRING, .finish = finish_ratio};
static const struct shape COUNT = {
    .what = "a whole number or \"all\"", .kinds = NODE_INT | NODE_STRING, .finish = finish_count};

static const struct field DEVICE_REQUEST_FIELDS[] = {
    {"capabilities", &SHAPE_STRINGS, NULL}, {"count", &COUNT, NULL},
    {"device_ids", &SHAPE_STRINGS, NULL},   {"driver", &SHAPE_STRING, NULL},
    {"options", &SHAPE_LABELS, NULL},       {NULL, NULL, NULL},
};
static const struct shape DEVICE_REQUEST = {.what = "a mapping",
                                            .kinds = NODE_MAP,
                                            .fields = DEVICE_REQUEST_FIELDS,
                                            .finish = finish_device_request};
static const struct shape DEVICE_REQUESTS = {
    .what = "a list of devices", .kinds = NODE_LIST, .item = &DEVICE_REQUEST};

#define SWARM_ONLY "only Swarm looks at this: leave it out"

static const struct field LIMIT_FIELDS[] = {
    {"cpus", &SHAPE_CPUS, NULL},
    {"memory", &SHAPE_BYTES, NULL},
    {"pids", &SHAPE_INT, NULL},
    {NULL, NULL, NULL},
};
static const struct field RESERVATION_FIELDS[] = {
    {"cpus", &SHAPE_CPUS, NULL},
    {"memory", &SHAPE_BYTES, NULL},
    {"devices", &DEVICE_REQUESTS, NULL},
    {"generic_resources", NULL, SWARM_ONLY},
    {NULL, NULL, NULL},
};
static const struct shape LIMITS = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = LIMIT_FIELDS};
static const struct shape RESERVATIONS = {.what = "a mapping",
                                          .kinds = NODE_MAP,
                                          .flags = SHAPE_KEEP_EMPTY,
                                          .fields = RESERVATION_FIELDS};
static const struct field RESOURCE_FIELDS[] = {
    {"limits", &LIMITS, NULL},
    {"reservations", &RESERVATIONS, NULL},
    {NULL, NULL, NULL},
};
static const struct shape RESOURCES = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = RESOURCE_FIELDS};

static const struct field UPDATE_FIELDS[] = {
    {"parallelism", &SHAPE_INT_SET, NULL},
    {"delay", &SHAPE_DURATION, NULL},
    {"failure_action", &SHAPE_STRING, NULL},
    {"monitor", &SHAPE_DURATION, NULL},
    {"max_failure_ratio", &RATIO, NULL},
    {"order", &SHAPE_STRING, NULL},
    {NULL, NULL, NULL},
};
static const struct shape UPDATE = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = UPDATE_FIELDS};

static const struct field RESTART_FIELDS[] = {
    {"condition", &SHAPE_STRING, NULL},
    {"delay", &SHAPE_DURATION_SET, NULL},
    {"max_attempts", &SHAPE_INT_SET, NULL},
    {"window", &SHAPE_DURATION_SET, NULL},
    {NULL, NULL, NULL},
};
static const struct shape RESTART = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = RESTART_FIELDS};

static const struct field PREFERENCE_FIELDS[] = {
    {"spread", &SHAPE_STRING, NULL},
    {NULL, NULL, NULL},
};
static const struct shape PREFERENCE = {
    .what = "a mapping", .kinds = NODE_MAP, .fields = PREFERENCE_FIELDS};
static const struct shape PREFERENCES = {
    .what = "a list of preferences", .kinds = NODE_LIST, .item = &PREFERENCE};
static const struct shape CONSTRAINTS = {
    .what = "a list of strings", .kinds = NODE_LIST, .item = &SHAPE_STRING};
static const struct field PLACEMENT_FIELDS[] = {
    {"constraints", &CONSTRAINTS, NULL},
    {"preferences", &PREFERENCES, NULL},
    {"max_replicas_per_node", &SHAPE_INT, NULL},
    {NULL, NULL, NULL},
};
static const struct shape PLACEMENT = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = PLACEMENT_FIELDS};

static const struct field DEPLOY_FIELDS[] = {
    {"mode", &SHAPE_STRING, NULL},      {"endpoint_mode", &SHAPE_STRING, NULL},
    {"replicas", &SHAPE_INT_SET, NULL}, {"labels", &SHAPE_LABELS, NULL},
    {"rollback_config", &UPDATE, NULL}, {"update_config", &UPDATE, NULL},
    {"resources", &RESOURCES, NULL},    {"restart_policy", &RESTART, NULL},
    {"placement", &PLACEMENT, NULL},    {NULL, NULL, NULL},
};
const struct shape SHAPE_DEPLOY = {.what = "a mapping",
                                   .kinds = NODE_NULL | NODE_MAP,
                                   .flags = SHAPE_KEEP_EMPTY,
                                   .fields = DEPLOY_FIELDS,
                                   .finish = finish_deploy};
