#include <math.h>
#include <string.h>

#include "common/base/str.h"
#include "manager/ctl/compose/normalize.h"

struct check {
    struct load *load;
    const struct node *model, *service;
    const struct step *step; /* of the service */
};

#define FAIL_KEY(c, key_node, ...)                                                                 \
    load_fail((c)->load, (key_node), STEP((c)->step, (key_node), 0), __VA_ARGS__)

static const struct node *below(const struct node *node, const char *a, const char *b)
{
    return node_get(node_get(node, a), b);
}

/* "web" of `services` and the like must be there; `key` is the service's that names it, at `at`. */
static int check_reference(const struct check *c, const struct node *key, const struct node *at,
                           const char *kind, const char *name)
{
    const struct node *all = node_get(c->model, kind);
    if (node_get(all, name) != NULL) {
        return 0;
    }
    const char *names[64];
    size_t count = 0;
    for (const struct node *one = all == NULL ? NULL : all->first; one != NULL && count < 64;
         one = one->next) {
        names[count++] = one->key;
    }
    const char *nearest = str_nearest(name, names, count);
    return load_fail(c->load, at, STEP(c->step, key, 0), "\"%s\" is not in the file's \"%s\"%s%s%s",
                     name, kind, nearest == NULL ? "" : ", did you mean \"",
                     nearest == NULL ? "" : nearest, nearest == NULL ? "" : "\"?");
}

static int check_named(const struct check *c, const char *key, const char *kind)
{
    const struct node *all = node_get(c->service, key);
    int result = 0;
    for (const struct node *one = all == NULL ? NULL : all->first; one != NULL && result == 0;
         one = one->next) {
        result = check_reference(c, all, one, kind, one->key);
    }
    return result;
}

static int check_sources(const struct check *c, const char *key, const char *kind)
{
    const struct node *all = node_get(c->service, key);
    int result = 0;
    for (const struct node *one = all == NULL ? NULL : all->first; one != NULL && result == 0;
         one = one->next) {
        const char *source = node_get_text(one, "source");
        const char *type = node_get_text(one, "type");
        if (source != NULL && source[0] != '\0' && (type == NULL || str_equal(type, "volume"))) {
            result = check_reference(c, all, one, kind, source);
        }
    }
    return result;
}

static int check_references(const struct check *c)
{
    const struct node *mode = node_get(c->service, "network_mode");
    const struct node *networks = node_get(c->service, "networks");
    if (mode != NULL && networks != NULL && networks->count > 0) {
        return FAIL_KEY(c, mode, "\"network_mode\" and \"networks\" exclude each other");
    }
    int result = 0;
    if (mode != NULL && str_starts_with(mode->text, "service:")) {
        result = check_reference(c, mode, mode, "services", mode->text + strlen("service:"));
    }
    if (result == 0) {
        result = check_named(c, "networks", "networks");
    }
    if (result == 0) {
        result = check_named(c, "depends_on", "services");
    }
    if (result == 0) {
        result = check_sources(c, "volumes", "volumes");
    }
    if (result == 0) {
        result = check_sources(c, "secrets", "secrets");
    }
    return result == 0 ? check_sources(c, "configs", "configs") : result;
}

static int check_scale(const struct check *c)
{
    const struct node *scale = node_get(c->service, "scale");
    const struct node *replicas = below(c->service, "deploy", "replicas");
    if (scale != NULL && replicas != NULL && scale->integer != replicas->integer) {
        return FAIL_KEY(c, scale, "\"scale\" and \"deploy.replicas\" differ: leave one out");
    }
    const struct node *count = scale != NULL ? scale : replicas;
    if (count != NULL && count->integer < 0) {
        return FAIL_KEY(c, count, "must be 0 or more");
    }
    const struct node *name = node_get(c->service, "container_name");
    if (count != NULL && count->integer > 1 && name != NULL) {
        return FAIL_KEY(c, name, "only one container can have a \"container_name\": leave it out");
    }
    return 0;
}

/* The older key and its like in deploy.resources, where it is there, must say the same. */
static int check_limits(const struct check *c)
{
    static const struct {
        const char *key, *group, *name;
    } PAIRS[] = {
        {"cpus", "limits", "cpus"},
        {"mem_limit", "limits", "memory"},
        {"pids_limit", "limits", "pids"},
        {"mem_reservation", "reservations", "memory"},
    };
    const struct node *resources = below(c->service, "deploy", "resources");
    for (size_t i = 0; i < ARRAY_SIZE(PAIRS); i++) {
        const struct node *own = node_get(c->service, PAIRS[i].key);
        const struct node *group = node_get(resources, PAIRS[i].group);
        const struct node *other = node_get(group, PAIRS[i].name);
        bool differ = own != NULL && !node_is_empty(own) && group != NULL &&
                      (other == NULL || !node_equal(own, other));
        if (differ) {
            return FAIL_KEY(c, own, "differs from \"deploy.resources.%s.%s\": leave one out",
                            PAIRS[i].group, PAIRS[i].name);
        }
    }
    return 0;
}

/* A tmpfs has options behind a colon. */
static size_t target_of(const struct node *mount, const char **ret_target)
{
    bool is_tmpfs = mount->kind == NODE_STRING;
    *ret_target = is_tmpfs ? mount->text : node_get_text(mount, "target");
    return is_tmpfs ? strcspn(*ret_target, ":") : strlen(*ret_target);
}

/* How many of `mounts`, up to `end`, are at the same place as that one. */
static size_t count_same(const struct node *mounts, const struct node *end)
{
    const char *target = NULL;
    const char *other = NULL;
    size_t len = target_of(end, &target);
    size_t count = 0;
    const struct node *first = mounts == NULL ? NULL : mounts->first;
    for (const struct node *m = first; m != NULL && m != end; m = m->next) {
        count += target_of(m, &other) == len && memcmp(other, target, len) == 0 ? 1 : 0;
    }
    return count;
}

static int check_mounts(const struct check *c)
{
    static const char *const KEYS[] = {"tmpfs", "volumes"};
    const struct node *tmpfs = node_get(c->service, "tmpfs");
    for (size_t i = 0; i < ARRAY_SIZE(KEYS); i++) {
        const struct node *mounts = node_get(c->service, KEYS[i]);
        const struct node *first = mounts == NULL ? NULL : mounts->first;
        for (const struct node *m = first; m != NULL; m = m->next) {
            if (count_same(mounts, m) + (mounts == tmpfs ? 0 : count_same(tmpfs, m)) > 0) {
                const char *target = NULL;
                int len = (int)target_of(m, &target);
                return load_fail(c->load, m, STEP(c->step, mounts, 0),
                                 "something is mounted at %.*s already", len, target);
            }
        }
    }
    return 0;
}

static int check_service(const struct check *c)
{
    const struct node *image = node_get(c->service, "image");
    if (image == NULL || node_is_empty(image)) {
        return load_fail(c->load, c->service, c->step, "has no \"image\"");
    }
    int result = check_references(c);
    if (result == 0) {
        result = check_scale(c);
    }
    if (result == 0) {
        result = check_limits(c);
    }
    return result == 0 ? check_mounts(c) : result;
}

/* --- cycles -------------------------------------------------------------------------------------
 */

enum visit { VISIT_NEVER, VISIT_NOW, VISIT_DONE };

/* `visits` has one for each service, in their order. Services are at most NODE_MAX_KEYS, a way
 * through them is at most as long. */
static int visit(struct load *load, const struct node *services, const struct node *service,
                 unsigned char *visits, unsigned depth)
{
    size_t index = 0;
    for (const struct node *s = services->first; s != NULL && s != service; s = s->next) {
        index++;
    }
    const struct step *step = STEP(STEP(NULL, services, 0), service, 0);
    if (visits[index] == VISIT_NOW || depth > 1000) {
        return load_fail(load, service, step, "depends on itself, over its \"depends_on\"");
    }
    if (visits[index] == VISIT_DONE) {
        return 0;
    }
    visits[index] = VISIT_NOW;
    const struct node *all = node_get(service, "depends_on");
    int result = 0;
    for (const struct node *one = all == NULL ? NULL : all->first; one != NULL && result == 0;
         one = one->next) {
        const struct node *other = node_get(services, one->key);
        result = other == NULL ? 0 : visit(load, services, other, visits, depth + 1);
    }
    visits[index] = VISIT_DONE;
    return result;
}

static int check_cycles(struct load *load, const struct node *services)
{
    unsigned char *visits = arena_alloc(&load->arena, services->count + 1);
    int result = 0;
    if (visits == NULL) {
        return load_no_memory(load);
    }
    for (const struct node *s = services->first; s != NULL && result == 0; s = s->next) {
        result = visit(load, services, s, visits, 0);
    }
    return result;
}

/* --- secrets, configs, volumes ------------------------------------------------------------------
 */

static bool is_external(const struct node *resource)
{
    const struct node *external = node_get(resource, "external");
    return external != NULL && external->truth;
}

static int check_content(struct load *load, const struct node *resource, const struct step *step)
{
    static const char *const WAYS[] = {"file", "environment", "content"};
    size_t count = 0;
    for (size_t i = 0; i < ARRAY_SIZE(WAYS); i++) {
        count += node_get(resource, WAYS[i]) != NULL ? 1 : 0;
    }
    if (count > 1 || (count == 0 && !is_external(resource))) {
        return load_fail(load, resource, step,
                         "must have one of \"file\", \"environment\" and (configs) \"content\", "
                         "or be `external: true`");
    }
    return 0;
}

static int check_external(struct load *load, const struct node *resource, const struct step *step)
{
    for (const struct node *key = resource->first; is_external(resource) && key != NULL;
         key = key->next) {
        if (!str_equal(key->key, "external") && !str_equal(key->key, "name") &&
            !str_starts_with(key->key, "x-")) {
            return load_fail(load, key, STEP(step, key, 0),
                             "what is external is made elsewhere: leave this out");
        }
    }
    return 0;
}

static int check_resources(struct load *load, const struct node *model, const char *kind,
                           int (*check)(struct load *, const struct node *, const struct step *))
{
    const struct node *all = node_get(model, kind);
    int result = 0;
    for (const struct node *one = all == NULL ? NULL : all->first; one != NULL && result == 0;
         one = one->next) {
        result = check(load, one, STEP(STEP(NULL, all, 0), one, 0));
    }
    return result;
}

int normalize_check(struct load *load, const struct node *model)
{
    const struct node *services = node_get(model, "services");
    int result = check_resources(load, model, "volumes", check_external);
    if (result == 0) {
        result = check_resources(load, model, "secrets", check_content);
    }
    if (result == 0) {
        result = check_resources(load, model, "configs", check_content);
    }
    for (const struct node *s = services == NULL ? NULL : services->first; s != NULL && result == 0;
         s = s->next) {
        struct check c = {load, model, s, STEP(STEP(NULL, services, 0), s, 0)};
        result = check_service(&c);
    }
    return result == 0 && services != NULL ? check_cycles(load, services) : result;
}
