#include "manager/ctl/compose/merge.h"

#include <string.h>

#include "common/base/str.h"

typedef int merge_rule(struct load *load, struct node *base, struct node *over,
                       const struct step *step);

static int merge_node(struct load *load, struct node *base, struct node *over,
                      const struct step *step);

static int merge_maps(struct load *load, struct node *base, struct node *over,
                      const struct step *step)
{
    int result = 0;
    for (struct node *entry = over->first, *next = NULL; entry != NULL && result == 0;
         entry = next) {
        struct node *present = node_get(base, entry->key);
        next = entry->next;
        result = present == NULL ? node_append(base, entry)
                                 : merge_node(load, present, entry, STEP(step, entry, 0));
    }
    return result;
}

static int fail_kinds(struct load *load, const struct node *base, const struct node *over,
                      const struct step *step)
{
    return load_fail(load, over, step, "this is %s, and in line %zu of %s it is %s",
                     node_kind_name(over), base->at.line, base->at.file, node_kind_name(base));
}

static int replace(struct load *load, struct node *base, struct node *over, const struct step *step)
{
    (void)load;
    (void)step;
    node_become(base, over);
    return 0;
}

/* --- NAME=VALUE ---------------------------------------------------------------------------------
 */

/* "NAME=VALUE", and "NAME" where there is none. */
static int append_pair(struct load *load, struct node *list, const char *name,
                       const struct node *value)
{
    if (value->kind == NODE_NULL) {
        return node_append(list, node_string(&load->arena, value->at, name));
    }
    const char *text = node_print(&load->arena, value);
    if (text == NULL) {
        return -ENOMEM;
    }
    return node_append(list, node_stringf(&load->arena, value->at, "%s=%s", name, text));
}

static int map_to_list(struct load *load, const struct node *map, struct node *list)
{
    for (const struct node *entry = map->first; entry != NULL; entry = entry->next) {
        int result = 0;
        if (entry->kind == NODE_LIST) {
            for (struct node *item = entry->first; item != NULL && result == 0; item = item->next) {
                result = append_pair(load, list, entry->key, item);
            }
        } else {
            result = append_pair(load, list, entry->key, entry);
        }
        if (result < 0) {
            return load_no_memory(load);
        }
    }
    return node_sort(&load->arena, list) < 0 ? load_no_memory(load) : 0;
}

/* A mapping, a list or a string as a list. */
static int to_list(struct load *load, struct node *node, const struct step *step)
{
    int result = 0;
    struct node *list = node_new(&load->arena, NODE_LIST, node->at);
    if (list == NULL) {
        return load_no_memory(load);
    }
    if (node->kind == NODE_LIST) {
        return 0;
    }
    if (node->kind == NODE_MAP) {
        result = map_to_list(load, node, list);
    } else if (node->kind == NODE_STRING) {
        result = node_append(list, node_string(&load->arena, node->at, node->text));
    } else {
        result = load_fail(load, node, step, "this is %s, it must be a list or a mapping",
                           node_kind_name(node));
    }
    node_become(node, list);
    return result;
}

static void join(struct node *base, struct node *over)
{
    for (struct node *item = over->first, *next = NULL; item != NULL; item = next) {
        next = item->next;
        node_move(base, item);
    }
}

static int join_lists(struct load *load, struct node *base, struct node *over,
                      const struct step *step)
{
    int result = to_list(load, base, step);
    if (result == 0) {
        result = to_list(load, over, step);
    }
    if (result == 0) {
        join(base, over);
    }
    return result;
}

/* The same, without what `base` has already. */
static int join_hosts(struct load *load, struct node *base, struct node *over,
                      const struct step *step)
{
    int result = to_list(load, base, step);
    if (result == 0) {
        result = to_list(load, over, step);
    }
    for (struct node *item = over->first, *next = NULL; item != NULL && result == 0; item = next) {
        bool present = false;
        next = item->next;
        for (const struct node *other = base->first; other != NULL; other = other->next) {
            present = present || node_equal(item, other);
        }
        result = present ? 0 : node_append(base, item);
    }
    return result;
}

/* --- the rest -----------------------------------------------------------------------------------
 */

/* A list of names as a mapping; of depends_on the defaults come with a name. */
static int to_map(struct load *load, struct node *node, const struct step *step, bool dependency)
{
    struct arena *arena = &load->arena;
    if (node->kind == NODE_MAP) {
        return 0;
    }
    if (node->kind != NODE_LIST) {
        return load_fail(load, node, step, "this is %s, it must be a list or a mapping",
                         node_kind_name(node));
    }
    struct node *map = node_new(arena, NODE_MAP, node->at);
    if (map == NULL) {
        return load_no_memory(load);
    }
    for (const struct node *name = node->first; name != NULL; name = name->next) {
        if (name->kind != NODE_STRING) {
            return load_fail(load, name, step, "this is %s, it must be a name",
                             node_kind_name(name));
        }
        struct node *value = node_new(arena, dependency ? NODE_MAP : NODE_NULL, name->at);
        if (node_put(map, name->text, value) < 0 ||
            (dependency &&
             (node_put(value, "condition", node_string(arena, name->at, "service_started")) < 0 ||
              node_put(value, "required", node_bool(arena, name->at, true)) < 0))) {
            return load_no_memory(load);
        }
    }
    node_become(node, map);
    return 0;
}

static int merge_named(struct load *load, struct node *base, struct node *over,
                       const struct step *step, bool dependency)
{
    int result = to_map(load, base, step, dependency);
    if (result == 0) {
        result = to_map(load, over, step, dependency);
    }
    return result == 0 ? merge_maps(load, base, over, step) : result;
}

static int merge_networks(struct load *load, struct node *base, struct node *over,
                          const struct step *step)
{
    return merge_named(load, base, over, step, false);
}

static int merge_depends_on(struct load *load, struct node *base, struct node *over,
                            const struct step *step)
{
    return merge_named(load, base, over, step, true);
}

/* Options of another driver are not mixed in. */
static int merge_logging(struct load *load, struct node *base, struct node *over,
                         const struct step *step)
{
    if (base->kind != NODE_MAP || over->kind != NODE_MAP) {
        return fail_kinds(load, base, over, step);
    }
    const char *driver = node_get_text(base, "driver");
    const char *other = node_get_text(over, "driver");
    if (driver == NULL || other == NULL || str_equal(driver, other)) {
        return merge_maps(load, base, over, step);
    }
    node_become(base, over);
    return 0;
}

static struct node *find_subnet(struct node *pools, const struct node *pool)
{
    const char *subnet = node_get_text(pool, "subnet");
    for (struct node *other = pools->first; other != NULL; other = other->next) {
        if (str_equal(node_get_text(other, "subnet"), subnet)) {
            return other;
        }
    }
    return NULL;
}

/* As Compose does it: a pool of a subnet that `base` has is merged into that one, and the pools of
 * `base` that `over` does not name are dropped. */
static int merge_pools(struct load *load, struct node *base, struct node *over,
                       const struct step *step)
{
    struct node *pools = node_new(&load->arena, NODE_LIST, base->at);
    if (base->kind != NODE_LIST || over->kind != NODE_LIST || pools == NULL) {
        return pools == NULL ? load_no_memory(load) : fail_kinds(load, base, over, step);
    }
    int result = 0;
    for (struct node *pool = over->first, *next = NULL; pool != NULL && result == 0; pool = next) {
        struct node *same = find_subnet(base, pool);
        next = pool->next;
        if (pool->kind != NODE_MAP) {
            result = fail_kinds(load, base, pool, step);
        } else if (same != NULL) {
            result = merge_maps(load, same, pool, step);
            node_become(pool, same);
        }
        node_move(pools, pool);
    }
    node_become(base, pools);
    return result;
}

static const struct {
    const char *pattern;
    merge_rule *rule;
} RULES[] = {
    {"networks.*.ipam.config", merge_pools},
    {"networks.*.labels", join_lists},
    {"volumes.*.labels", join_lists},
    {"services.*.command", replace},
    {"services.*.depends_on", merge_depends_on},
    {"services.*.deploy.labels", join_lists},
    {"services.*.dns", join_lists},
    {"services.*.dns_opt", join_lists},
    {"services.*.dns_search", join_lists},
    {"services.*.entrypoint", replace},
    {"services.*.env_file", join_lists},
    {"services.*.environment", join_lists},
    {"services.*.extra_hosts", join_hosts},
    {"services.*.healthcheck.test", replace},
    {"services.*.labels", join_lists},
    {"services.*.logging", merge_logging},
    {"services.*.networks", merge_networks},
    {"services.*.sysctls", join_lists},
    {"services.*.tmpfs", join_lists},
    {"services.*.ulimits.*", replace},
};

static int merge_node(struct load *load, struct node *base, struct node *over,
                      const struct step *step)
{
    for (size_t i = 0; i < ARRAY_SIZE(RULES); i++) {
        if (step_matches(step, RULES[i].pattern)) {
            return RULES[i].rule(load, base, over, step);
        }
    }
    if (over->kind == NODE_NULL) {
        return 0;
    }
    if (base->kind != NODE_MAP && base->kind != NODE_LIST) {
        node_become(base, over);
        return 0;
    }
    if (base->kind != over->kind) {
        return fail_kinds(load, base, over, step);
    }
    if (base->kind == NODE_MAP) {
        return merge_maps(load, base, over, step);
    }
    join(base, over);
    return 0;
}

int merge_model(struct load *load, struct node *base, struct node *over)
{
    return merge_maps(load, base, over, NULL);
}
