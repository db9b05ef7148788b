#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/compose/mapping.h"
#include "manager/ctl/compose/merge.h"

/* What an entry is about, such as a variable's name; NULL in *ret_id where its kind is wrong, which
 * the check of the shapes says better. */
typedef int identify_fn(struct load *load, const struct node *entry, const struct step *step,
                        const char **ret_id);

static int keep_text(struct load *load, const char *text, size_t len, const char **ret_id)
{
    *ret_id = arena_copy(&load->arena, text, len);
    return *ret_id == NULL ? load_no_memory(load) : 0;
}

static int identify_name(struct load *load, const struct node *entry, const struct step *step,
                         const char **ret_id)
{
    (void)step;
    if (entry->kind != NODE_STRING) {
        return 0;
    }
    return keep_text(load, entry->text, strcspn(entry->text, "="), ret_id);
}

static int identify_word(struct load *load, const struct node *entry, const struct step *step,
                         const char **ret_id)
{
    (void)step;
    if (entry->kind != NODE_STRING && entry->kind != NODE_INT) {
        return 0;
    }
    *ret_id = node_print(&load->arena, entry);
    return *ret_id == NULL ? load_no_memory(load) : 0;
}

static int identify_volume(struct load *load, const struct node *entry, const struct step *step,
                           const char **ret_id)
{
    struct node *volume = NULL;
    int result = entry->kind == NODE_STRING ? mapping_parse_volume(load, entry, step, &volume) : 0;
    *ret_id = node_get_text(volume == NULL ? entry : volume, "target");
    return result;
}

static int identify_device(struct load *load, const struct node *entry, const struct step *step,
                           const char **ret_id)
{
    struct node *device = NULL;
    int result = entry->kind == NODE_STRING ? mapping_parse_device(load, entry, step, &device) : 0;
    *ret_id = node_get_text(device == NULL ? entry : device, "target");
    return result;
}

static int identify_mount(struct load *load, const struct node *entry, const char *folder,
                          const char **ret_id)
{
    const char *target = node_get_text(entry, "target");
    const char *source = entry->kind == NODE_STRING ? entry->text : node_get_text(entry, "source");
    if (target != NULL || source == NULL) {
        *ret_id = target;
        return 0;
    }
    const struct node *id = node_stringf(&load->arena, entry->at, "%s/%s", folder, source);
    *ret_id = id == NULL ? NULL : id->text;
    return id == NULL ? load_no_memory(load) : 0;
}

static int identify_secret(struct load *load, const struct node *entry, const struct step *step,
                           const char **ret_id)
{
    (void)step;
    return identify_mount(load, entry, "/run/secrets", ret_id);
}

static int identify_config(struct load *load, const struct node *entry, const struct step *step,
                           const char **ret_id)
{
    (void)step;
    return identify_mount(load, entry, "", ret_id);
}

static const char *print_or(struct load *load, const struct node *map, const char *key,
                            const char *otherwise)
{
    const struct node *value = node_get(map, key);
    return value == NULL ? otherwise : node_print(&load->arena, value);
}

static int identify_port(struct load *load, const struct node *entry, const struct step *step,
                         const char **ret_id)
{
    if (entry->kind != NODE_MAP) {
        return identify_word(load, entry, step, ret_id);
    }
    const char *host = print_or(load, entry, "host_ip", "0.0.0.0");
    const char *published = print_or(load, entry, "published", "");
    const char *target = print_or(load, entry, "target", "");
    const char *protocol = print_or(load, entry, "protocol", "tcp");
    if (host == NULL || published == NULL || target == NULL || protocol == NULL) {
        return load_no_memory(load);
    }
    const struct node *id =
        node_stringf(&load->arena, entry->at, "%s:%s:%s/%s", host, published, target, protocol);
    *ret_id = id == NULL ? NULL : id->text;
    return id == NULL ? load_no_memory(load) : 0;
}

static int identify_env_file(struct load *load, const struct node *entry, const struct step *step,
                             const char **ret_id)
{
    (void)load;
    (void)step;
    *ret_id = entry->kind == NODE_STRING ? entry->text : node_get_text(entry, "path");
    return 0;
}

static const struct {
    const char *pattern;
    identify_fn *identify;
} UNIQUE[] = {
    {"networks.*.labels", identify_name},
    {"services.*.cap_add", identify_name},
    {"services.*.cap_drop", identify_name},
    {"services.*.configs", identify_config},
    {"services.*.deploy.labels", identify_name},
    {"services.*.devices", identify_device},
    {"services.*.dns", identify_name},
    {"services.*.dns_opt", identify_name},
    {"services.*.dns_search", identify_name},
    {"services.*.env_file", identify_env_file},
    {"services.*.environment", identify_name},
    {"services.*.expose", identify_word},
    {"services.*.labels", identify_name},
    {"services.*.networks.*.aliases", identify_name},
    {"services.*.networks.*.link_local_ips", identify_name},
    {"services.*.ports", identify_port},
    {"services.*.secrets", identify_secret},
    {"services.*.sysctls", identify_name},
    {"services.*.tmpfs", identify_name},
    {"services.*.volumes", identify_volume},
};

static int make_unique(struct load *load, struct node *list, const struct step *step,
                       identify_fn *identify)
{
    const char **ids = arena_alloc(&load->arena, (list->count + 1) * sizeof(const char *));
    struct node **entries = arena_alloc(&load->arena, (list->count + 1) * sizeof(struct node *));
    if (ids == NULL || entries == NULL) {
        return load_no_memory(load);
    }
    size_t count = 0;
    size_t index = 0;
    for (struct node *entry = list->first; entry != NULL; entry = entry->next, index++) {
        const char *id = NULL;
        int result = identify(load, entry, STEP(step, entry, index), &id);
        if (result < 0) {
            return result;
        }
        size_t at = 0;
        while (at < count && (id == NULL || !str_equal(ids[at], id))) {
            at++;
        }
        ids[at] = id;
        entries[at] = entry;
        count += at == count ? 1 : 0;
    }
    node_clear(list);
    for (size_t i = 0; i < count; i++) {
        node_move(list, entries[i]);
    }
    return 0;
}

static int enforce(struct load *load, struct node *node, const struct step *step)
{
    int result = 0;
    if (node->kind == NODE_LIST) {
        for (size_t i = 0; i < ARRAY_SIZE(UNIQUE); i++) {
            if (step_matches(step, UNIQUE[i].pattern)) {
                return make_unique(load, node, step, UNIQUE[i].identify);
            }
        }
        return 0;
    }
    for (struct node *child = node->first; child != NULL && result == 0; child = child->next) {
        result = enforce(load, child, STEP(step, child, 0));
    }
    return result;
}

int merge_enforce_unique(struct load *load, struct node *model)
{
    return enforce(load, model, NULL);
}
