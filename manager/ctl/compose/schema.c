#include "manager/ctl/compose/schema.h"

#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/compose/scalar.h"

/* --- depends_on, networks, env_file -------------------------------------------------------------
 */

/* A list of names as a mapping to `nothing`, which makes the value of one. */
static int names_to_map(struct load *load, struct node *node,
                        struct node *(*make)(struct load *, struct place))
{
    struct node *map = node_new(&load->arena, NODE_MAP, node->at);
    if (map == NULL) {
        return load_no_memory(load);
    }
    for (const struct node *name = node->first; name != NULL; name = name->next) {
        if (node_put(map, name->text, make(load, name->at)) < 0) {
            return load_no_memory(load);
        }
    }
    node_become(node, map);
    return 0;
}

static int check_names(struct load *load, const struct node *list, const struct step *step)
{
    size_t index = 0;
    for (const struct node *name = list->first; name != NULL; name = name->next, index++) {
        if (name->kind != NODE_STRING) {
            return load_fail(load, name, STEP(step, name, index), "must be a name, this is %s",
                             node_kind_name(name));
        }
    }
    return 0;
}

static struct node *make_null(struct load *load, struct place at)
{
    return node_new(&load->arena, NODE_NULL, at);
}

static int put_dependency_defaults(struct load *load, struct node *dependency)
{
    struct arena *arena = &load->arena;
    bool has_condition = node_get(dependency, "condition") != NULL;
    bool has_required = node_get(dependency, "required") != NULL;
    if ((!has_condition && node_put(dependency, "condition",
                                    node_string(arena, dependency->at, "service_started")) < 0) ||
        (!has_required &&
         node_put(dependency, "required", node_bool(arena, dependency->at, true)) < 0)) {
        return load_no_memory(load);
    }
    return 0;
}

static struct node *make_dependency(struct load *load, struct place at)
{
    struct node *dependency = node_new(&load->arena, NODE_MAP, at);
    return dependency == NULL || put_dependency_defaults(load, dependency) < 0 ? NULL : dependency;
}

static int lengthen_depends_on(struct load *load, struct node *node, const struct step *step)
{
    if (node->kind == NODE_LIST) {
        int result = check_names(load, node, step);
        return result < 0 ? result : names_to_map(load, node, make_dependency);
    }
    return 0;
}

static int lengthen_dependency(struct load *load, struct node *node, const struct step *step)
{
    if (node_get(node, "condition") == NULL) {
        return load_fail(load, node, step,
                         "has no \"condition\": service_started, service_healthy or "
                         "service_completed_successfully");
    }
    return put_dependency_defaults(load, node);
}

static int finish_dependency(struct load *load, struct node *node, const struct step *step)
{
    static const char *const CONDITIONS[] = {"service_started", "service_healthy",
                                             "service_completed_successfully"};
    const struct node *condition = node_get(node, "condition");
    for (size_t i = 0; i < ARRAY_SIZE(CONDITIONS); i++) {
        if (str_equal(condition->text, CONDITIONS[i])) {
            return 0;
        }
    }
    return load_fail(load, condition, STEP(step, condition, 0),
                     "\"%.40s\" is none of %s, %s and %s", condition->text, CONDITIONS[0],
                     CONDITIONS[1], CONDITIONS[2]);
}

static const struct field DEPENDENCY_FIELDS[] = {
    {"condition", &SHAPE_STRING, NULL},
    {"restart", &SHAPE_BOOL, NULL},
    {"required", &SHAPE_BOOL_SET, NULL},
    {NULL, NULL, NULL},
};
static const struct shape DEPENDENCY = {.what = "a mapping with a \"condition\"",
                                        .kinds = NODE_MAP,
                                        .fields = DEPENDENCY_FIELDS,
                                        .lengthen = lengthen_dependency,
                                        .finish = finish_dependency};
static const struct shape DEPENDS_ON = {.what = "a list of services or a mapping",
                                        .kinds = NODE_LIST | NODE_MAP,
                                        .flags = SHAPE_UNIQUE,
                                        .item = &DEPENDENCY,
                                        .lengthen = lengthen_depends_on};

static int lengthen_networks(struct load *load, struct node *node, const struct step *step)
{
    if (node->kind == NODE_LIST) {
        int result = check_names(load, node, step);
        return result < 0 ? result : names_to_map(load, node, make_null);
    }
    return 0;
}

static const struct field NETWORK_FIELDS[] = {
    {"aliases", &SHAPE_STRINGS, NULL},        {"interface_name", &SHAPE_STRING, NULL},
    {"ipv4_address", &SHAPE_STRING, NULL},    {"ipv6_address", &SHAPE_STRING, NULL},
    {"link_local_ips", &SHAPE_STRINGS, NULL}, {"mac_address", &SHAPE_STRING, NULL},
    {"driver_opts", &SHAPE_OPTIONS, NULL},    {"priority", &SHAPE_INT, NULL},
    {"gw_priority", &SHAPE_INT, NULL},        {NULL, NULL, NULL},
};
static const struct shape NETWORK = {
    .what = "a mapping", .kinds = NODE_NULL | NODE_MAP, .fields = NETWORK_FIELDS};
static const struct shape NETWORKS = {.what = "a list of networks or a mapping",
                                      .kinds = NODE_LIST | NODE_MAP,
                                      .flags = SHAPE_UNIQUE,
                                      .item = &NETWORK,
                                      .lengthen = lengthen_networks};

static int lengthen_env_file(struct load *load, struct node *node, const struct step *step)
{
    struct arena *arena = &load->arena;
    if (node->kind == NODE_STRING) {
        struct node *file = node_new(arena, NODE_MAP, node->at);
        if (file == NULL || node_put(file, "path", node_string(arena, node->at, node->text)) < 0) {
            return load_no_memory(load);
        }
        node_become(node, file);
    }
    if (node_get_text(node, "path") == NULL) {
        return load_fail(load, node, step, "has no \"path\"");
    }
    return 0;
}

static const struct field ENV_FILE_FIELDS[] = {
    {"path", &SHAPE_STRING, NULL},
    {"required", &SHAPE_BOOL_SET, NULL},
    {"format", &SHAPE_STRING, NULL},
    {NULL, NULL, NULL},
};
/* Compose drops empty ones, which a variable without a value leaves. */
static int lengthen_dns(struct load *load, struct node *node, const struct step *step)
{
    int result = scalar_to_list(load, node, step);
    struct node *server = node->first;
    node_clear(node);
    for (struct node *next = NULL; server != NULL; server = next) {
        next = server->next;
        if (!node_is_empty(server)) {
            node_move(node, server);
        }
    }
    return result;
}

static const struct shape DNS = {.what = "a string or a list of strings",
                                 .kinds = NODE_STRING | NODE_LIST,
                                 .flags = SHAPE_UNIQUE,
                                 .item = &SHAPE_STRING,
                                 .lengthen = lengthen_dns};

static const struct shape ENV_FILE = {.what = "a path or a mapping with a \"path\"",
                                      .kinds = NODE_STRING | NODE_MAP,
                                      .fields = ENV_FILE_FIELDS,
                                      .lengthen = lengthen_env_file};
static const struct shape ENV_FILES = {.what = "a path or a list of them",
                                       .kinds = NODE_STRING | NODE_LIST,
                                       .item = &ENV_FILE,
                                       .lengthen = scalar_to_list};

/* --- healthcheck, logging, ulimits --------------------------------------------------------------
 */

static int finish_test(struct load *load, struct node *node, const struct step *step)
{
    if (node->kind == NODE_STRING) {
        struct node *list = node_new(&load->arena, NODE_LIST, node->at);
        if (list == NULL ||
            node_append(list, node_string(&load->arena, node->at, "CMD-SHELL")) < 0 ||
            node_append(list, node_string(&load->arena, node->at, node->text)) < 0) {
            return load_no_memory(load);
        }
        node_become(node, list);
    }
    const char *first = node->first == NULL ? "NONE" : node->first->text;
    if (!str_equal(first, "CMD") && !str_equal(first, "CMD-SHELL") && !str_equal(first, "NONE")) {
        return load_fail(load, node, step,
                         "must begin with CMD, CMD-SHELL or NONE, as [\"CMD\", \"%.40s\"]", first);
    }
    return 0;
}

static const struct shape TEST = {.what = "a string or a list of strings",
                                  .kinds = NODE_STRING | NODE_LIST,
                                  .item = &SHAPE_STRING,
                                  .finish = finish_test};
static const struct field HEALTHCHECK_FIELDS[] = {
    {"test", &TEST, NULL},
    {"interval", &SHAPE_DURATION_SET, NULL},
    {"timeout", &SHAPE_DURATION_SET, NULL},
    {"retries", &SHAPE_INT_SET, NULL},
    {"start_period", &SHAPE_DURATION_SET, NULL},
    {"start_interval", &SHAPE_DURATION_SET, NULL},
    {"disable", &SHAPE_BOOL, NULL},
    {NULL, NULL, NULL},
};
static const struct shape HEALTHCHECK = {.what = "a mapping",
                                         .kinds = NODE_MAP,
                                         .flags = SHAPE_KEEP_EMPTY,
                                         .fields = HEALTHCHECK_FIELDS};

static const struct field LOGGING_FIELDS[] = {
    {"driver", &SHAPE_STRING, NULL},
    {"options", &SHAPE_OPTIONS, NULL},
    {NULL, NULL, NULL},
};
static const struct shape LOGGING = {
    .what = "a mapping", .kinds = NODE_MAP, .flags = SHAPE_KEEP_EMPTY, .fields = LOGGING_FIELDS};

/* One number stays one; Compose prints {} for 0. */
static int finish_ulimit(struct load *load, struct node *node, const struct step *step)
{
    int result = 0;
    if (node->kind != NODE_MAP) {
        result = scalar_to_int(load, node, step);
        if (result == 0 && node->integer == 0) {
            node->kind = NODE_MAP;
            node_clear(node);
        }
    } else if (node_get(node, "soft") == NULL || node_get(node, "hard") == NULL) {
        result = load_fail(load, node, step, "must have \"soft\" and \"hard\", or be one number");
    }
    return result;
}

static const struct field ULIMIT_FIELDS[] = {
    {"soft", &SHAPE_INT, NULL},
    {"hard", &SHAPE_INT, NULL},
    {NULL, NULL, NULL},
};
static const struct shape ULIMIT = {.what = "a number or a mapping of \"soft\" and \"hard\"",
                                    .kinds = NODE_INT | NODE_STRING | NODE_MAP,
                                    .fields = ULIMIT_FIELDS,
                                    .finish = finish_ulimit};
static const struct shape ULIMITS = {
    .what = "a mapping of limits", .kinds = NODE_MAP, .item = &ULIMIT};

static int finish_pull_policy(struct load *load, struct node *node, const struct step *step)
{
    static const char *const POLICIES[] = {"always", "never", "missing"};
    if (str_equal(node->text, "if_not_present")) {
        node->text = "missing";
    }
    for (size_t i = 0; i < ARRAY_SIZE(POLICIES); i++) {
        if (str_equal(node->text, POLICIES[i])) {
            return 0;
        }
    }
    return load_fail(load, node, step, "must be always, missing or never, it is \"%.40s\"",
                     node->text);
}

static const struct shape PULL_POLICY = {
    .what = "always, missing or never", .kinds = NODE_STRING, .finish = finish_pull_policy};

/* --- services and the whole ---------------------------------------------------------------------
 */

#define NOT_YET "nodes do not take this key yet: leave it out"
#define LINKS   "services find each other by name: put them into one network and leave this out"

static const struct field SERVICE_FIELDS[] = {
    {"cap_add", &SHAPE_STRINGS, NULL},
    {"cap_drop", &SHAPE_STRINGS, NULL},
    {"command", &SHAPE_COMMAND, NULL},
    {"configs", &SHAPE_CONFIG_MOUNTS, NULL},
    {"container_name", &SHAPE_STRING, NULL},
    {"cpu_shares", &SHAPE_INT, NULL},
    {"cpus", &SHAPE_CPUS, NULL},
    {"cpuset", &SHAPE_STRING, NULL},
    {"depends_on", &DEPENDS_ON, NULL},
    {"deploy", &SHAPE_DEPLOY, NULL},
    {"devices", &SHAPE_DEVICES, NULL},
    {"dns", &DNS, NULL},
    {"dns_opt", &SHAPE_STRINGS, NULL},
    {"dns_search", &SHAPE_STRING_OR_LIST, NULL},
    {"entrypoint", &SHAPE_COMMAND, NULL},
    {"env_file", &ENV_FILES, NULL},
    {"environment", &SHAPE_ENVIRONMENT, NULL},
    {"expose", &SHAPE_WORDS, NULL},
    {"extra_hosts", &SHAPE_HOSTS, NULL},
    {"group_add", &SHAPE_WORDS, NULL},
    {"healthcheck", &HEALTHCHECK, NULL},
    {"hostname", &SHAPE_STRING, NULL},
    {"image", &SHAPE_STRING, NULL},
    {"init", &SHAPE_BOOL_SET, NULL},
    {"labels", &SHAPE_LABELS, NULL},
    {"logging", &LOGGING, NULL},
    {"mem_limit", &SHAPE_BYTES, NULL},
    {"mem_reservation", &SHAPE_BYTES, NULL},
    {"mem_swappiness", &SHAPE_BYTES, NULL},
    {"memswap_limit", &SHAPE_BYTES, NULL},
    {"network_mode", &SHAPE_STRING, NULL},
    {"networks", &NETWORKS, NULL},
    {"oom_kill_disable", &SHAPE_BOOL, NULL},
    {"oom_score_adj", &SHAPE_INT, NULL},
    {"pids_limit", &SHAPE_INT, NULL},
    {"platform", &SHAPE_STRING, NULL},
    {"ports", &SHAPE_PORTS, NULL},
    {"privileged", &SHAPE_BOOL, NULL},
    {"pull_policy", &PULL_POLICY, NULL},
    {"read_only", &SHAPE_BOOL, NULL},
    {"restart", &SHAPE_STRING, NULL},
    {"scale", &SHAPE_INT_SET, NULL},
    {"secrets", &SHAPE_SECRET_MOUNTS, NULL},
    {"security_opt", &SHAPE_STRINGS, NULL},
    {"shm_size", &SHAPE_BYTES, NULL},
    {"stdin_open", &SHAPE_BOOL, NULL},
    {"stop_grace_period", &SHAPE_DURATION_SET, NULL},
    {"stop_signal", &SHAPE_STRING, NULL},
    {"sysctls", &SHAPE_LABELS, NULL},
    {"tmpfs", &SHAPE_STRING_OR_LIST, NULL},
    {"tty", &SHAPE_BOOL, NULL},
    {"ulimits", &ULIMITS, NULL},
    {"user", &SHAPE_STRING, NULL},
    {"volumes", &SHAPE_VOLUMES, NULL},
    {"working_dir", &SHAPE_STRING, NULL},
    {"annotations", NULL, NOT_YET},
    {"attach", NULL, "nobody is attached to a node's containers: leave it out"},
    {"blkio_config", NULL, NOT_YET},
    {"build", NULL, "nodes build no images: build it, push it and name it in \"image\""},
    {"cgroup", NULL, NOT_YET},
    {"cgroup_parent", NULL, NOT_YET},
    {"cpu_count", NULL, "this is for Windows: use \"cpus\""},
    {"cpu_percent", NULL, "this is for Windows: use \"cpus\""},
    {"cpu_period", NULL, "use \"cpus\""},
    {"cpu_quota", NULL, "use \"cpus\""},
    {"cpu_rt_period", NULL, NOT_YET},
    {"cpu_rt_runtime", NULL, NOT_YET},
    {"credential_spec", NULL, "this is for Windows: leave it out"},
    {"develop", NULL, "this is for development on one machine: leave it out"},
    {"device_cgroup_rules", NULL, NOT_YET},
    {"domainname", NULL, NOT_YET},
    {"extends", NULL,
     "not supported: use an anchor and `<<: *name`, or a second file with -f, to share settings"},
    {"external_links", NULL, LINKS},
    {"gpus", NULL, NOT_YET},
    {"ipc", NULL, NOT_YET},
    {"isolation", NULL, "this is for Windows: leave it out"},
    {"label_file", NULL, "not supported: write the labels in \"labels\""},
    {"links", NULL, LINKS},
    {"mac_address", NULL, NOT_YET},
    {"models", NULL, NOT_YET},
    {"pid", NULL, NOT_YET},
    {"post_start", NULL, NOT_YET},
    {"pre_start", NULL, NOT_YET},
    {"pre_stop", NULL, NOT_YET},
    {"profiles", NULL,
     "not supported, as a node has no profiles: put these services into a file of their own and "
     "name it with -f where they shall run"},
    {"provider", NULL, NOT_YET},
    {"runtime", NULL, NOT_YET},
    {"storage_opt", NULL, NOT_YET},
    {"use_api_socket", NULL, "a container is not given the node's engine: leave it out"},
    {"userns_mode", NULL, NOT_YET},
    {"uts", NULL, NOT_YET},
    {"volumes_from", NULL, "not supported: name the volumes in both services"},
    {NULL, NULL, NULL},
};
/* Compose prints these two also when they are not there. */
static int finish_service(struct load *load, struct node *node, const struct step *step)
{
    static const char *const ALWAYS[] = {"command", "entrypoint"};
    (void)step;
    for (size_t i = 0; i < ARRAY_SIZE(ALWAYS); i++) {
        if (node_get(node, ALWAYS[i]) == NULL &&
            node_put(node, ALWAYS[i], make_null(load, node->at)) < 0) {
            return load_no_memory(load);
        }
    }
    return 0;
}

const struct shape SHAPE_SERVICE = {.what = "a mapping",
                                    .kinds = NODE_MAP,
                                    .flags = SHAPE_EXTENSIONS,
                                    .fields = SERVICE_FIELDS,
                                    .finish = finish_service};

static const struct shape SERVICES = {.what = "a mapping of services",
                                      .kinds = NODE_MAP,
                                      .flags = SHAPE_KEEP_EMPTY,
                                      .item = &SHAPE_SERVICE,
                                      .lengthen = scalar_check_names};
static const struct field MODEL_FIELDS[] = {
    {"name", &SHAPE_STRING, NULL},
    {"services", &SERVICES, NULL},
    {"networks", &SHAPE_NETWORKS, NULL},
    {"volumes", &SHAPE_VOLUME_RESOURCES, NULL},
    {"secrets", &SHAPE_SECRETS, NULL},
    {"configs", &SHAPE_CONFIGS, NULL},
    {"include", NULL, "not supported: name both files, -f compose.yaml -f other.yaml"},
    {"models", NULL, NOT_YET},
    {NULL, NULL, NULL},
};
const struct shape SHAPE_MODEL = {.what = "a mapping with \"services\"",
                                  .kinds = NODE_MAP,
                                  .flags = SHAPE_EXTENSIONS,
                                  .fields = MODEL_FIELDS};
