#include "manager/ctl/fleet.h"

#include <stdlib.h>
#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/ctl/view.h"

#define LEVEL_OF_NODE 2 /* bellbuoy/nodes/<node>/... */
#define LEVEL_OF_KIND 3
#define NEAREST_OF    256

static void node_free(struct node *node)
{
    cJSON_Delete(node->presence_payload);
    cJSON_Delete(node->report);
    cJSON_Delete(node->progress);
    free(node);
}

void fleet_deinit(struct fleet *fleet)
{
    for (size_t i = 0; i < fleet->count; i++)
        node_free(fleet->nodes[i]);
    free(fleet->nodes);
    *fleet = (struct fleet){0};
}

struct node *fleet_find(const struct fleet *fleet, const char *name)
{
    char level[TOPIC_LEVEL_SIZE];

    topic_level_format(level, name);
    for (size_t i = 0; i < fleet->count; i++) {
        if (strcmp(fleet->nodes[i]->level, level) == 0)
            return fleet->nodes[i];
    }
    return NULL;
}

static struct node *insert(struct fleet *fleet, struct node *node)
{
    struct node **nodes = realloc(fleet->nodes, (fleet->count + 1) * sizeof(struct node *));
    size_t at = fleet->count;

    if (!nodes) {
        node_free(node);
        return NULL;
    }
    fleet->nodes = nodes;
    for (; at > 0 && strcmp(nodes[at - 1]->level, node->level) > 0; at--)
        nodes[at] = nodes[at - 1];
    nodes[at] = node;
    fleet->count++;
    return node;
}

struct node *fleet_add(struct fleet *fleet, const char *name)
{
    struct node *node = fleet_find(fleet, name);

    if (node)
        return node;
    node = calloc(1, sizeof *node);
    if (!node)
        return NULL;
    topic_level_format(node->level, name);
    node->name = node->level;
    return insert(fleet, node);
}

const char *fleet_nearest(const struct fleet *fleet, const char *name)
{
    const char *names[NEAREST_OF];
    size_t count = 0;

    for (size_t i = 0; i < fleet->count && count < NEAREST_OF; i++) {
        if (fleet->nodes[i]->presence != PRESENCE_UNKNOWN || fleet->nodes[i]->report)
            names[count++] = fleet->nodes[i]->name;
    }
    return str_nearest(name, names, count);
}

static void take_name(struct node *node, const cJSON *payload)
{
    char level[TOPIC_LEVEL_SIZE];
    const char *name = view_string(payload, "node");

    topic_level_format(level, name);
    node->name = strcmp(level, node->level) == 0 ? name : node->level;
}

static void replace(struct node *node, cJSON **kept, cJSON *payload)
{
    cJSON *old = *kept;

    *kept = payload;
    take_name(node, payload); /* before the text that it may point to goes */
    cJSON_Delete(old);
    node->changes++;
}

static bool take_presence(struct node *node, cJSON *payload)
{
    bool online = view_bool(payload, "online");
    int64_t session = view_int(payload, "session");

    if (!online && session < node->session) {
        cJSON_Delete(payload);
        return false;
    }
    node->session = session > node->session ? session : node->session;
    node->presence = online ? PRESENCE_ONLINE : PRESENCE_OFFLINE;
    replace(node, &node->presence_payload, payload);
    return true;
}

static bool take(struct node *node, const char *kind, cJSON *payload)
{
    if (str_equal(kind, "presence"))
        return take_presence(node, payload);
    if (str_equal(kind, "reported")) {
        int64_t session = view_int(payload, "session");
        if (session > node->session && node->presence == PRESENCE_OFFLINE)
            node->presence = PRESENCE_UNKNOWN; /* it was a late will: nothing is known yet */
        node->session = session > node->session ? session : node->session;
        replace(node, &node->report, payload);
        return true;
    }
    replace(node, &node->progress, payload);
    return true;
}

bool fleet_take(struct fleet *fleet, const char *topic, const char *payload, size_t size)
{
    static const char *const filters[] = {"bellbuoy/nodes/+/presence", "bellbuoy/nodes/+/reported",
                                          "bellbuoy/nodes/+/progress"};
    char level[TOPIC_LEVEL_SIZE];
    char kind[TOPIC_LEVEL_SIZE];
    cJSON *json = NULL;
    bool ours = false;

    for (size_t i = 0; i < ARRAY_SIZE(filters); i++)
        ours = ours || topic_matches(filters[i], topic);
    if (!ours || !topic_level(topic, LEVEL_OF_NODE, level, sizeof level) ||
        !topic_level(topic, LEVEL_OF_KIND, kind, sizeof kind) ||
        json_parse(payload, size, JSON_MAX_DEPTH, &json, NULL) < 0)
        return false;
    struct node *node = cJSON_IsObject(json) ? fleet_add(fleet, level) : NULL;
    if (!node) {
        cJSON_Delete(json);
        return false;
    }
    return take(node, kind, json);
}

const char *presence_name(enum presence presence)
{
    static const char *const names[] = {"unknown", "offline", "online"};

    return names[presence];
}

const cJSON *node_project(const struct node *node, const char *project)
{
    const cJSON *projects = view_object(node->report, "projects");

    return view_object(projects, project);
}

const cJSON *node_group(const struct node *node, const char *group)
{
    const cJSON *groups = view_member(node->report, "groups");

    for (const cJSON *g = cJSON_IsArray(groups) ? groups->child : NULL; g; g = g->next) {
        if (strcmp(view_string(g, "name"), group) == 0)
            return g;
    }
    return NULL;
}
