#include "manager/config.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "common/base/str.h"

#define AT(member) offsetof(struct manager_config, member)

static const struct option node_table[] = {
    {.name = "node",
     .type = OPTION_STRING,
     .offset = AT(node),
     .value_name = "NAME",
     .help = "This node's name (default: the host's name)."},
    {.name = "group",
     .type = OPTION_LIST,
     .offset = AT(group_texts),
     .fallback = "",
     .value_name = "NAME:PRIORITY,...",
     .help =
         "Groups whose desired states it follows; the highest priority wins, its own over all."},
    {.name = "state-dir",
     .type = OPTION_STRING,
     .offset = AT(state_dir),
     .fallback = "/var/lib/bellbuoy/manager",
     .value_name = "FOLDER",
     .help = "Where it keeps what it was told, so that it goes on without the broker."},
};

static const struct option engine_table[] = {
    {.name = "docker-socket",
     .type = OPTION_STRING,
     .offset = AT(docker_socket),
     .fallback = "/var/run/docker.sock",
     .value_name = "FILE",
     .help = "The Docker engine whose containers it manages."},
    {.name = "registry-config",
     .type = OPTION_STRING,
     .offset = AT(registry_config),
     .value_name = "FILE",
     .help = "Credentials of registries, like Docker's config.json (\"auths\")."},
    {.name = "image-gc-interval",
     .type = OPTION_DURATION,
     .offset = AT(image_gc_interval_ms),
     .fallback = "24h",
     .max = INT64_C(30) * 24 * 3600 * 1000,
     .value_name = "DURATION",
     .help = "How often it removes images that it pulled and nothing needs; 0 for never."},
    {.name = "image-gc-min-age",
     .type = OPTION_DURATION,
     .offset = AT(image_gc_min_age_ms),
     .fallback = "24h",
     .max = INT64_C(365) * 24 * 3600 * 1000,
     .value_name = "DURATION",
     .help = "How long nothing has needed an image that is removed, unless the disk is short."},
};

static const struct option safety_table[] = {
    {.name = "allow",
     .type = OPTION_LIST,
     .offset = AT(allow),
     .fallback = "",
     .value_name = "WORD,...",
     .help = "What documents may ask for beyond the harmless; see docs/security.md."},
    {.name = "allow-bind",
     .type = OPTION_LIST,
     .offset = AT(allow_bind),
     .fallback = "",
     .value_name = "FOLDER,...",
     .help = "Folders of the node that containers may mount, with all below them."},
    {.name = "secrets-dir",
     .type = OPTION_STRING,
     .offset = AT(secrets_dir),
     .value_name = "FOLDER",
     .help = "Where the files of external secrets and configs are."},
};

static int fill_node(struct manager_config *c, struct err *e)
{
    size_t len;

    if (!c->node) {
        if (gethostname(c->host_name, sizeof(c->host_name)) < 0)
            return FAIL(e, EINVAL, "the host has no name: give --node");
        c->host_name[sizeof(c->host_name) - 1] = '\0';
        c->node = c->host_name;
    }
    len = strspn(c->node, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789-._");
    if (len == 0 || len >= NODE_NAME_SIZE || c->node[len] != '\0')
        return FAIL(e, EINVAL,
                    "--node '%.120s' must have 1 to %d characters of letters, digits, '-', '.' and "
                    "'_'",
                    c->node, NODE_NAME_SIZE - 1);
    return 0;
}

static int parse_group(struct manager_config *c, const char *text, struct err *e)
{
    struct report_group *group = &c->groups[c->group_count];
    char *name = c->group_names[c->group_count];
    const char *colon = strrchr(text, ':');
    int64_t priority = 0;

    if (!colon || !str_copy_n(name, TOPIC_LEVEL_SIZE, text, (size_t)(colon - text)) ||
        !topic_level_is_valid(name) || str_parse_int(colon + 1, 0, 1000000, &priority) < 0)
        return FAIL(e, EINVAL,
                    "--group '%s' must be NAME:PRIORITY, a name of letters, digits, '-' and '_' "
                    "and a number from 0 to 1000000",
                    text);
    for (size_t i = 0; i < c->group_count; i++)
        if (c->groups[i].priority == priority || str_equal(c->groups[i].name, name))
            return FAIL(e, EINVAL,
                        "--group '%s' and '%s:%d' have the same %s: nothing would tell which wins",
                        text, c->groups[i].name, c->groups[i].priority,
                        c->groups[i].priority == priority ? "priority" : "name");
    *group = (struct report_group){name, (int)priority};
    c->group_count++;
    return 0;
}

static int fill_groups(struct manager_config *c, struct err *e)
{
    if (c->group_texts.count > GROUPS_MAX)
        return FAIL(e, EINVAL, "--group has %zu groups, %d are possible", c->group_texts.count,
                    GROUPS_MAX);
    for (size_t i = 0; i < c->group_texts.count; i++) {
        int r = parse_group(c, c->group_texts.items[i], e);
        if (r < 0)
            return r;
    }
    return 0;
}

static void fill_client_id(struct manager_config *c)
{
    char level[TOPIC_LEVEL_SIZE];

    if (c->mqtt.client_id)
        return;
    topic_level_format(level, c->node);
    (void)snprintf(c->client_id, sizeof(c->client_id), "bellbuoy-manager-%s", level);
    c->mqtt.client_id = c->client_id;
}

static int check(struct manager_config *c, struct err *e)
{
    int r = fill_node(c, e);
    if (r == 0)
        r = fill_groups(c, e);
    if (r < 0)
        return r;
    fill_client_id(c);
    c->safety = (struct safety){c->allow.items, c->allow_bind.items, c->secrets_dir};
    r = safety_check(&c->safety, e);
    if (r == 0)
        r = mqtt_options_check(&c->mqtt, &c->mqtt_address, e);
    if (r == 0)
        r = admin_options_check(&c->admin, e);
    return r;
}

int config_load(int argc, char **argv, char **environment, struct manager_config *ret_config,
                struct options **ret_options, struct err *e)
{
    const struct option_group groups[] = {
        {"Node", node_table, ARRAY_SIZE(node_table), ret_config},
        {"Engine", engine_table, ARRAY_SIZE(engine_table), ret_config},
        {"Safety", safety_table, ARRAY_SIZE(safety_table), ret_config},
        {"Broker", mqtt_option_table, mqtt_option_count, &ret_config->mqtt},
        {"Administration", admin_option_table, admin_option_count, &ret_config->admin},
        {"Log", log_option_table, log_option_count, &ret_config->log},
    };
    const struct options_program program = {
        .name = "manager",
        .summary = "Keeps a node's Docker containers as the desired states at the broker say.",
        .groups = groups,
        .group_count = ARRAY_SIZE(groups),
    };

    int r = options_load(&program, argc, argv, environment, ret_options, e);
    if (r != OPTIONS_RUN && r != OPTIONS_HEALTHCHECK)
        return r;
    int checked = check(ret_config, e);
    if (checked < 0)
        options_free(TAKE(*ret_options));
    return checked < 0 ? checked : r;
}
