#include "receiver/nodes/registry.h"

#include <string.h>
#include <utlist.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "receiver/nodes/presence.h"
#include "receiver/nodes/registry_internal.h"
#include "receiver/nodes/report.h"

/* The largest object of a node: two messages and progress. */
#define ITEM_MAX_BYTES ((size_t)64 << 20)

const char *node_state_name(enum node_state state)
{
    static const char *const names[] = {
        [NODE_UNKNOWN] = "unknown", [NODE_ONLINE] = "online", [NODE_OFFLINE] = "offline"};
    return names[state];
}

/* ---- what is shown, under the lock ---- */

static void begin_epoch(struct registry *registry)
{
    const struct random_source *random = registry->settings.random;
    uint32_t drawn = (uint32_t)random->next(random->context);
    /* Never 0: that is the epoch of a watcher that has nothing yet. */
    registry->epoch = drawn > 0 ? drawn : 1;
}

void registry_show(struct registry *registry, struct node *node)
{
    if (node->version > 0)
        DL_DELETE2(registry->oldest, node, older, newer);
    DL_APPEND2(registry->oldest, node, older, newer);
    node->version = ++registry->version;
}

void registry_hide(struct registry *registry, struct node *node)
{
    if (node->version > 0) {
        DL_DELETE2(registry->oldest, node, older, newer);
        begin_epoch(registry);
        registry->version++;
    }
    registry->bytes -= node_progress_bytes(node);
    HASH_DEL(registry->nodes, node);
    node_free(node);
}

struct node *registry_node(struct registry *registry, const char *level)
{
    struct node *node;
    HASH_FIND_STR(registry->nodes, level, node);
    return node;
}

/* ---- what the journal keeps ---- */

static int parse_row(const char *level, enum node_kind kind, const struct journal_node_text *row,
                     struct node_text **ret_text, struct err *e)
{
    if (!row->text)
        return 0;
    int r = kind == NODE_REPORT ? report_parse(level, row->text, row->len, ret_text, e)
                                : presence_parse(level, row->text, row->len, ret_text, e);
    if (r == 0)
        (*ret_text)->came_us = row->at_us;
    return r;
}

/* In the rows' order, which is that of the levels: no need to look for its place. */
static int add_restored(struct registry *registry, const char *level, struct node_facts *facts,
                        struct err *e)
{
    struct node *node = calloc(1, sizeof(*node));
    if (!node || !str_copy(node->level, sizeof(node->level), level)) {
        free(node);
        return FAIL(e, ENOMEM, "out of memory");
    }
    node->shown = *facts;
    node->next = *facts;
    *facts = (struct node_facts){0};
    node_note_stored(node, &node->shown);
    registry->bytes += node_facts_bytes(&node->shown);
    pthread_mutex_lock(&registry->lock);
    HASH_ADD_STR(registry->nodes, level, node);
    registry_show(registry, node);
    pthread_mutex_unlock(&registry->lock);
    return 0;
}

static int restore(void *context, const struct journal_node *row)
{
    struct registry *registry = context;
    struct node_facts facts = {0};
    struct err e = {0};
    int r = parse_row(row->node, NODE_REPORT, &row->report, &facts.report, &e);
    if (r == 0)
        r = parse_row(row->node, NODE_PRESENCE, &row->presence, &facts.presence, &e);
    if (r == 0)
        r = add_restored(registry, row->node, &facts, &e);
    node_text_free(facts.report);
    node_text_free(facts.presence);
    if (r == -EINVAL)
        log_warning("nodes", "what is kept of a node is not understood, and left out",
                    LOG_STR("node", row->node), LOG_STR("reason", e.msg));
    return r == -ENOMEM ? r : 0;
}

void registry_open_empty(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    registry->is_open = true;
    pthread_mutex_unlock(&registry->lock);
    registry->changed(registry->context);
}

int registry_open(struct registry *registry, struct journal_reader *reader, struct err *e)
{
    int r = journal_read_nodes(reader, restore, registry, e);
    if (r == 0)
        registry_open_empty(registry);
    return r;
}

/* ---- who asks ---- */

bool registry_is_open(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    bool is_open = registry->is_open;
    pthread_mutex_unlock(&registry->lock);
    return is_open;
}

struct cursor registry_last(struct registry *registry)
{
    pthread_mutex_lock(&registry->lock);
    struct cursor last = {registry->epoch, registry->version};
    pthread_mutex_unlock(&registry->lock);
    return last;
}

static int give(struct registry *registry, const struct node *node,
                int (*each)(void *context, const struct registry_item *item), void *context)
{
    struct buf *json = &registry->item;
    buf_reset(json);
    node_append_json(json, node);
    if (buf_failed(json))
        return -ENOMEM;
    const struct registry_item item = {
        node->level, {registry->epoch, node->version}, json->data, json->len};
    return each(context, &item);
}

/* The first node of a level behind that one. */
static const struct node *first_after(struct registry *registry, const char *level)
{
    const struct node *node = registry_node(registry, level);
    if (node)
        return node->hh.next;
    node = registry->nodes;
    while (node && strcmp(node->level, level) <= 0)
        node = node->hh.next;
    return node;
}

int registry_each(struct registry *registry, const char *after,
                  int (*each)(void *context, const struct registry_item *item), void *context)
{
    int r = 0;
    pthread_mutex_lock(&registry->lock);
    const struct node *node = first_after(registry, after);
    for (; node && r == 0; node = node->hh.next)
        if (node->version > 0)
            r = give(registry, node, each, context);
    pthread_mutex_unlock(&registry->lock);
    return r < 0 ? r : r > 0;
}

int registry_find(struct registry *registry, const char *level,
                  int (*found)(void *context, const struct registry_item *item), void *context)
{
    pthread_mutex_lock(&registry->lock);
    const struct node *node = registry_node(registry, level);
    int r = node && node->version > 0 ? give(registry, node, found, context) : -ENOENT;
    pthread_mutex_unlock(&registry->lock);
    return r < 0 ? r : 0;
}

/* Those that follow the changes live are near the newest, those that begin are at the oldest. */
static const struct node *first_changed(const struct registry *registry, uint64_t after)
{
    const struct node *node = registry->oldest;
    if (!node || node->version > after)
        return node;
    node = registry->oldest->older; /* the newest: the list's head knows its tail */
    if (node->version <= after)
        return NULL;
    while (node->older->version > after)
        node = node->older;
    return node;
}

int registry_each_change(struct registry *registry, uint64_t after,
                         int (*each)(void *context, const struct registry_item *item),
                         void *context)
{
    int r = 0;
    pthread_mutex_lock(&registry->lock);
    const struct node *node = first_changed(registry, after);
    for (; node && r == 0; node = node->newer)
        r = give(registry, node, each, context);
    pthread_mutex_unlock(&registry->lock);
    return r < 0 ? r : r > 0;
}

/* ---- life ---- */

static double count_state(struct registry *registry, enum node_state state)
{
    const struct node *node;
    unsigned count = 0;
    pthread_mutex_lock(&registry->lock);
    for (node = registry->oldest; node; node = node->newer)
        count += node_facts_state(&node->shown) == state;
    pthread_mutex_unlock(&registry->lock);
    return count;
}

static double count_online(void *context)
{
    return count_state(context, NODE_ONLINE);
}

static double count_offline(void *context)
{
    return count_state(context, NODE_OFFLINE);
}

static double count_unknown(void *context)
{
    return count_state(context, NODE_UNKNOWN);
}

static void make_metrics(struct registry *registry)
{
    static const char nodes[] = "bellbuoy_nodes";
    static const char nodes_help[] = "Nodes by what is known of their presence.";
    static const char messages[] = "bellbuoy_node_messages_total";
    static const char messages_help[] = "Messages of nodes, by what became of them.";
    struct metrics *m = registry->settings.metrics;
    metrics_callback(m, nodes, "state=\"online\"", nodes_help, count_online, registry);
    metrics_callback(m, nodes, "state=\"offline\"", nodes_help, count_offline, registry);
    metrics_callback(m, nodes, "state=\"unknown\"", nodes_help, count_unknown, registry);
    registry->m_outcomes[NODE_TAKEN] =
        metrics_counter(m, messages, "outcome=\"taken\"", messages_help);
    registry->m_outcomes[NODE_LATE] =
        metrics_counter(m, messages, "outcome=\"late\"", messages_help);
    registry->m_outcomes[NODE_REFUSED] =
        metrics_counter(m, messages, "outcome=\"quarantined\"", messages_help);
}

static void ignore_change(void *context)
{
    (void)context;
}

int registry_new(const struct registry_settings *settings, struct registry **ret_registry)
{
    struct registry *registry = calloc(1, sizeof(*registry));
    if (!registry)
        return -ENOMEM;
    registry->settings = *settings;
    registry->changed = ignore_change;
    registry->item = BUF_INIT(ITEM_MAX_BYTES);
    pthread_mutex_init(&registry->lock, NULL);
    begin_epoch(registry);
    make_metrics(registry);
    *ret_registry = registry;
    return 0;
}

void registry_on_change(struct registry *registry, void (*changed)(void *context), void *context)
{
    registry->changed = changed ? changed : ignore_change;
    registry->context = context;
}

void registry_free(struct registry *registry)
{
    struct node *node, *following;
    if (!registry)
        return;
    HASH_ITER(hh, registry->nodes, node, following)
    {
        HASH_DEL(registry->nodes, node);
        node_free(node);
    }
    buf_deinit(&registry->item);
    pthread_mutex_destroy(&registry->lock);
    free(registry);
}
