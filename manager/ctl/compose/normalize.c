#include "manager/ctl/compose/normalize.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/str.h"
#include "manager/ctl/compose/dotenv.h"
#include "manager/ctl/compose/scalar.h"

static const char SERVICE_PREFIX[] = "service:";

/* 1 where it is made for a service that named no network. */
static int add_default_network(struct load *load, struct node *service)
{
    struct arena *arena = &load->arena;
    struct node *networks = node_get(service, "networks");
    if (node_get(service, "network_mode") != NULL) {
        return 0;
    }
    if (networks == NULL) {
        networks = node_new(arena, NODE_MAP, service->at);
        if (node_put(service, "networks", networks) < 0) {
            return load_no_memory(load);
        }
    }
    if (networks->count == 0 &&
        node_put(networks, "default", node_new(arena, NODE_NULL, service->at)) < 0) {
        return load_no_memory(load);
    }
    return node_get(networks, "default") != NULL ? 1 : 0;
}

static int add_dependency(struct load *load, struct node *service)
{
    struct arena *arena = &load->arena;
    struct node *mode = node_get(service, "network_mode");
    if (mode == NULL || mode->kind != NODE_STRING || !str_starts_with(mode->text, SERVICE_PREFIX)) {
        return 0;
    }
    struct node *all = node_get(service, "depends_on");
    if (all == NULL) {
        all = node_new(arena, NODE_MAP, mode->at);
        if (node_put(service, "depends_on", all) < 0) {
            return load_no_memory(load);
        }
    }
    const char *name = mode->text + strlen(SERVICE_PREFIX);
    struct node *one = node_new(arena, NODE_MAP, mode->at);
    if (node_get(all, name) != NULL) {
        return 0;
    }
    if (one == NULL ||
        node_put(one, "condition", node_string(arena, mode->at, "service_started")) < 0 ||
        node_put(one, "restart", node_bool(arena, mode->at, true)) < 0 ||
        node_put(one, "required", node_bool(arena, mode->at, true)) < 0 ||
        node_put(all, name, one) < 0) {
        return load_no_memory(load);
    }
    return 0;
}

/* Where both are there, deploy.replicas says what scale says. */
static int copy_scale(struct load *load, struct node *service)
{
    const struct node *scale = node_get(service, "scale");
    struct node *deploy = node_get(service, "deploy");
    if (scale == NULL || deploy == NULL || deploy->kind != NODE_MAP ||
        node_get(deploy, "replicas") != NULL) {
        return 0;
    }
    return node_put(deploy, "replicas", node_copy(&load->arena, scale)) < 0 ? load_no_memory(load)
                                                                            : 0;
}

static int name_resource(struct load *load, struct node *resource, const struct step *step)
{
    if (resource->kind == NODE_NULL) {
        resource->kind = NODE_MAP;
    }
    struct node *external = node_get(resource, "external");
    int result = external == NULL ? 0 : scalar_to_bool(load, external, STEP(step, external, 0));
    if (result < 0 || node_get(resource, "name") != NULL) {
        return result;
    }
    bool own = external == NULL || !external->truth;
    struct node *name =
        own ? node_stringf(&load->arena, resource->at, "%s_%s", load->project, resource->key)
            : node_string(&load->arena, resource->at, resource->key);
    return node_put(resource, "name", name) < 0 ? load_no_memory(load) : 0;
}

static const char *const RESOURCES[] = {"networks", "volumes", "secrets", "configs"};

static int name_resources(struct load *load, struct node *model)
{
    int result = 0;
    for (size_t i = 0; i < ARRAY_SIZE(RESOURCES); i++) {
        struct node *all = node_get(model, RESOURCES[i]);
        struct node *one = all == NULL ? NULL : all->first;
        for (; one != NULL && result == 0; one = one->next) {
            result = name_resource(load, one, STEP(STEP(NULL, all, 0), one, 0));
        }
    }
    return result;
}

int normalize_model(struct load *load, struct node *model)
{
    struct arena *arena = &load->arena;
    struct node *services = node_get(model, "services");
    bool uses_default = false;
    for (struct node *s = services == NULL ? NULL : services->first; s != NULL; s = s->next) {
        int result = add_default_network(load, s);
        uses_default = uses_default || result > 0;
        if (result >= 0) {
            result = add_dependency(load, s);
        }
        if (result == 0) {
            result = copy_scale(load, s);
        }
        if (result < 0) {
            return result;
        }
    }
    struct node *networks = node_get(model, "networks");
    if (uses_default && networks == NULL) {
        networks = node_new(arena, NODE_MAP, model->at);
        if (node_put(model, "networks", networks) < 0) {
            return load_no_memory(load);
        }
    }
    if (uses_default && node_get(networks, "default") == NULL &&
        node_put(networks, "default", node_new(arena, NODE_NULL, model->at)) < 0) {
        return load_no_memory(load);
    }
    return name_resources(load, model);
}

/* --- what nobody uses ---------------------------------------------------------------------------
 */

/* In a service: networks are a mapping by name, the others lists of mappings with a source. */
static bool service_uses(const struct node *service, const char *kind, const char *name)
{
    const struct node *used = node_get(service, kind);
    if (used == NULL || used->kind == NODE_MAP) {
        return node_get(used, name) != NULL;
    }
    for (const struct node *one = used->first; one != NULL; one = one->next) {
        const char *type = node_get_text(one, "type");
        bool counts = type == NULL || str_equal(type, "volume");
        if (counts && str_equal(node_get_text(one, "source"), name)) {
            return true;
        }
    }
    return false;
}

void normalize_prune(struct node *model)
{
    const struct node *services = node_get(model, "services");
    for (size_t i = 0; i < ARRAY_SIZE(RESOURCES); i++) {
        struct node *all = node_get(model, RESOURCES[i]);
        for (struct node *one = all == NULL ? NULL : all->first, *next = NULL; one != NULL;
             one = next) {
            bool used = false;
            next = one->next;
            for (const struct node *s = services == NULL ? NULL : services->first; s != NULL;
                 s = s->next) {
                used = used || service_uses(s, RESOURCES[i], one->key);
            }
            if (!used) {
                node_remove(all, one->key);
            }
        }
    }
}

/* --- env_file -----------------------------------------------------------------------------------
 */

#define ENV_FILE_MAX_BYTES (1 << 20)

static int read_env_file(struct load *load, const struct node *file, const struct step *step,
                         const struct lookup *scopes, struct variables *out)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(ENV_FILE_MAX_BYTES);
    const struct node *required = node_get(file, "required");
    const char *format = node_get_text(file, "format");
    const char *path = load_absolute_path(load, node_get_text(file, "path"));
    struct err why = {0};
    if (path == NULL) {
        return load_no_memory(load);
    }
    if (format != NULL && !str_equal(format, "raw") && !str_equal(format, "")) {
        return load_fail(load, node_get(file, "format"), step,
                         "\"%.40s\" is no format of an env file: write raw, or leave it out",
                         format);
    }
    int result = file_read(path, &text, &why);
    if (result == -ENOENT && required != NULL && !required->truth) {
        return 0;
    }
    if (result < 0) {
        return result == -ENOMEM ? load_no_memory(load)
                                 : load_fail(load, file, step, "%s", why.msg);
    }
    if (text.len > 0 && strlen(text.data) != text.len) {
        return load_fail(load, file, step, "%s has a NUL character in it", path);
    }
    const char *content = text.data == NULL ? "" : text.data;
    return format != NULL && format[0] != '\0' ? dotenv_parse_raw(load, path, content, scopes, out)
                                               : dotenv_parse(load, path, content, scopes, out);
}

static int read_env_files(struct load *load, const struct node *files, const struct step *step,
                          const struct variables *own, struct variables *out)
{
    struct lookup scopes = {{&load->variables, own}};
    size_t index = 0;
    int result = 0;
    for (const struct node *f = files->first; f != NULL && result == 0; f = f->next, index++) {
        result = read_env_file(load, f, STEP(step, f, index), &scopes, out);
    }
    return result;
}

/* The service's own environment beats its files, which beat those before them. */
static int resolve_env_files(struct load *load, struct node *service, const struct step *step)
{
    struct variables own = {NULL};
    struct variables all = {NULL};
    struct node *files = node_get(service, "env_file");
    struct node *environment = node_get(service, "environment");
    if (files == NULL) {
        return 0;
    }
    if (environment == NULL) {
        environment = node_new(&load->arena, NODE_MAP, files->at);
        if (node_put(service, "environment", environment) < 0) {
            return load_no_memory(load);
        }
    }
    for (const struct node *v = environment->first; v != NULL; v = v->next) {
        if (v->kind == NODE_STRING && (variables_set(&own, &load->arena, v->key, v->text) < 0 ||
                                       variables_set(&all, &load->arena, v->key, v->text) < 0)) {
            return load_no_memory(load);
        }
    }
    int result = read_env_files(load, files, STEP(step, files, 0), &own, &all);
    for (const struct variable *v = all.first; v != NULL && result == 0; v = v->next) {
        if (node_get(environment, v->name) == NULL &&
            node_put(environment, v->name, node_string(&load->arena, files->at, v->value)) < 0) {
            result = load_no_memory(load);
        }
    }
    node_remove(service, "env_file");
    return result;
}

int normalize_env_files(struct load *load, struct node *model)
{
    struct node *services = node_get(model, "services");
    int result = 0;
    for (struct node *s = services == NULL ? NULL : services->first; s != NULL && result == 0;
         s = s->next) {
        result = resolve_env_files(load, s, STEP(STEP(NULL, services, 0), s, 0));
    }
    return result;
}
