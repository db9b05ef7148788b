#include "receiver/nodes/registry.h"

#include <pthread.h>
#include <string.h>
#include <utlist.h>

#include "common/base/log.h"
#include "common/base/str.h"
#include "receiver/nodes/node.h"
#include "receiver/nodes/presence.h"
#include "receiver/nodes/report.h"

/* A row that differs by its time alone is written again so seldom. */
#define REFRESH_US (INT64_C(600) * 1000000)
/* The largest object of a node: two messages and progress. */
#define ITEM_MAX_BYTES ((size_t)64 << 20)

enum outcome { TAKEN, LATE, REFUSED };

struct registry {
    struct registry_settings settings;
    void (*changed)(void *context);
    void *context;
    struct metric *m_outcomes[REFUSED + 1];

    /* the ingest thread's */
    struct node *touched;
    size_t bytes;       /* of all texts, those of the batch among them */
    size_t taken_bytes; /* of the batch */

    pthread_mutex_t lock; /* of what follows, and of what is shown of each node */
    struct node *nodes;   /* by level */
    struct node *oldest;  /* by version */
    uint32_t epoch;
    uint64_t version; /* of the newest change */
    bool is_open;
    struct buf item; /* where objects are written for who asks */
};

const char *node_state_name(enum node_state state)
{
    static const char *const names[] = {
        [NODE_UNKNOWN] = "unknown", [NODE_ONLINE] = "online", [NODE_OFFLINE] = "offline"};
    return names[state];
}

static size_t facts_bytes(const struct node_facts *facts)
{
    return node_text_bytes(facts->report) + node_text_bytes(facts->presence);
}

/* ---- what is shown, under the lock ---- */

static void begin_epoch(struct registry *registry)
{
    registry->epoch = (uint32_t)registry->settings.random->next(registry->settings.random->context);
}

static void show(struct registry *registry, struct node *node)
{
    if (node->version > 0)
        DL_DELETE2(registry->oldest, node, older, newer);
    DL_APPEND2(registry->oldest, node, older, newer);
    node->version = ++registry->version;
}

static void hide(struct registry *registry, struct node *node)
{
    if (node->version > 0) {
        DL_DELETE2(registry->oldest, node, older, newer);
        begin_epoch(registry);
        registry->version++;
    }
    HASH_DEL(registry->nodes, node);
    node_free(node);
}

static int by_level(const struct node *a, const struct node *b)
{
    return strcmp(a->level, b->level);
}

static struct node *find(struct registry *registry, const char *level)
{
    struct node *node;
    HASH_FIND_STR(registry->nodes, level, node);
    return node;
}

/* ---- a message's way in ---- */

/* -EINVAL where there is no room for another. */
static int find_or_add(struct registry *registry, const char *level, struct node **ret_node,
                       struct err *e)
{
    struct node *node = find(registry, level);
    if (!node && HASH_COUNT(registry->nodes) >= registry->settings.max_nodes)
        return FAIL(e, EINVAL, "there is no room for another node: %zu are known",
                    registry->settings.max_nodes);
    if (!node) {
        node = calloc(1, sizeof(*node));
        if (!node)
            return FAIL(e, ENOMEM, "out of memory");
        memcpy(node->level, level, strlen(level) + 1);
        pthread_mutex_lock(&registry->lock);
        HASH_ADD_INORDER(hh, registry->nodes, level[0], strlen(level), node, by_level);
        pthread_mutex_unlock(&registry->lock);
    }
    *ret_node = node;
    return 0;
}

static void touch(struct registry *registry, struct node *node)
{
    if (node->is_touched)
        return;
    node->is_touched = true;
    LL_PREPEND2(registry->touched, node, next_touched);
}

static void release_next(struct registry *registry, struct node_text **next,
                         struct node_text *shown)
{
    if (*next == shown)
        return;
    registry->bytes -= node_text_bytes(*next);
    node_text_free(*next);
    *next = shown;
}

static void set_next(struct registry *registry, struct node_text **next, struct node_text *shown,
                     struct node_text *text)
{
    release_next(registry, next, shown);
    *next = text;
    registry->bytes += node_text_bytes(text);
    registry->taken_bytes += node_text_bytes(text);
}

static int check_name(const struct node *node, const struct node_text *text, struct err *e)
{
    const char *known = node_facts_name(&node->next);
    if (*known == '\0' || str_equal(known, text->name))
        return 0;
    return FAIL(e, EINVAL, "node '%.100s' has the topics of node '%.100s': rename one of them",
                text->name, known);
}

static int check_room(const struct registry *registry, const struct node_text *text, struct err *e)
{
    if (registry->bytes + node_text_bytes(text) <= registry->settings.max_bytes)
        return 0;
    return FAIL(e, EINVAL, "there is no room: what all nodes said takes %zu of %zu bytes",
                registry->bytes, registry->settings.max_bytes);
}

static void take_text(struct registry *registry, struct node *node, enum node_kind kind,
                      struct node_text *text)
{
    struct node_facts *next = &node->next;
    touch(registry, node);
    if (kind == NODE_PRESENCE) {
        set_next(registry, &next->presence, node->shown.presence, text);
        return;
    }
    set_next(registry, &next->report, node->shown.report, text);
    if (text && next->presence && next->presence->session < text->session)
        set_next(registry, &next->presence, node->shown.presence, NULL);
}

static int take_lasting(struct registry *registry, const struct registry_message *m, struct err *e)
{
    AUTO(node_text_free) struct node_text *text = NULL;
    const char *level = m->topic.level;
    struct node *node;
    int r = m->topic.kind == NODE_REPORT ? report_parse(level, m->payload, m->size, &text, e)
                                         : presence_parse(level, m->payload, m->size, &text, e);
    if (r == 0)
        r = check_room(registry, text, e);
    if (r == 0)
        r = find_or_add(registry, level, &node, e);
    if (r == 0)
        r = check_name(node, text, e);
    if (r < 0)
        return r;
    if (text->session < node_facts_session(&node->next))
        return LATE;
    text->came_us = m->is_retained && text->said_us > 0 && text->said_us < m->now_us ? text->said_us
                                                                                     : m->now_us;
    take_text(registry, node, m->topic.kind, TAKE(text));
    return TAKEN;
}

static int take_nothing(struct registry *registry, const struct registry_message *m)
{
    struct node *node = find(registry, m->topic.level);
    if (node && m->topic.kind != NODE_PROGRESS)
        take_text(registry, node, m->topic.kind, NULL);
    return TAKEN;
}

/* In the place of what was known of that project. */
static void put_progress(struct registry *registry, struct node *node, struct progress *progress)
{
    struct progress *known, *following;
    unsigned count = 0;
    LL_FOREACH_SAFE(node->progress, known, following)
    {
        if (!str_equal(known->project, progress->project) && ++count < PROGRESS_PER_NODE)
            continue;
        LL_DELETE(node->progress, known);
        registry->bytes -= node_text_bytes(known->text);
        progress_free(known);
    }
    registry->bytes += node_text_bytes(progress->text);
    LL_PREPEND(node->progress, progress);
}

/* Shown at once, for it is not kept; of a node only that has said what it is. */
static int take_progress(struct registry *registry, const struct registry_message *m, struct err *e)
{
    AUTO(progress_free) struct progress *progress = NULL;
    struct node *node = find(registry, m->topic.level);
    int r = progress_parse(m->topic.level, m->payload, m->size, &progress, e);
    if (r == 0)
        r = check_room(registry, progress->text, e);
    if (r == 0 && node)
        r = check_name(node, progress->text, e);
    if (r < 0)
        return r;
    if (!node || progress->text->session < node_facts_session(&node->next))
        return LATE;
    progress->text->came_us = m->now_us;
    pthread_mutex_lock(&registry->lock);
    put_progress(registry, node, TAKE(progress));
    if (node->version > 0)
        show(registry, node);
    pthread_mutex_unlock(&registry->lock);
    registry->changed(registry->context);
    return TAKEN;
}

static int take(struct registry *registry, const struct registry_message *m, struct err *e)
{
    if (m->topic.level[0] == '\0')
        return FAIL(e, EINVAL, "the topic's level for the node must be 1 to %d of A-Za-z0-9_-",
                    TOPIC_LEVEL_SIZE - 1);
    if (m->size > registry->settings.max_payload_bytes)
        return FAIL(e, EINVAL, "the payload is %zu bytes long, at most %zu are taken", m->size,
                    registry->settings.max_payload_bytes);
    if (m->size == 0)
        return take_nothing(registry, m);
    return m->topic.kind == NODE_PROGRESS ? take_progress(registry, m, e)
                                          : take_lasting(registry, m, e);
}

int registry_take(struct registry *registry, const struct registry_message *message, struct err *e)
{
    int r = take(registry, message, e);
    if (r != -ENOMEM)
        metric_add(registry->m_outcomes[r < 0 ? REFUSED : r], 1);
    return r < 0 ? r : 0;
}

size_t registry_taken_bytes(const struct registry *registry)
{
    return registry->taken_bytes;
}

/* ---- the end of a batch ---- */

static uint64_t digest(const struct node_text *text)
{
    return text ? text->digest : 0;
}

static bool differs_from_stored(const struct node *node, bool all)
{
    const struct node_facts *next = &node->next;
    if (!next->report && !next->presence)
        return node->stored.exists;
    int64_t age_us = (next->report ? next->report->came_us : 0) - node->stored.came_us;
    return !node->stored.exists || digest(next->report) != node->stored.report ||
           digest(next->presence) != node->stored.presence || age_us >= (all ? 1 : REFRESH_US);
}

static struct journal_node_text row_text(const struct node_text *text)
{
    if (!text)
        return (struct journal_node_text){0};
    return (struct journal_node_text){text->json, text->len, text->came_us};
}

static int store(struct registry *registry, struct journal *journal, bool all, struct err *e)
{
    struct node *node;
    size_t count = 0;
    LL_COUNT2(registry->touched, node, count, next_touched);
    if (count == 0)
        return 0;
    struct journal_node *rows AUTO(free) = calloc(count, sizeof(*rows));
    if (!rows)
        return FAIL(e, ENOMEM, "out of memory");
    count = 0;
    LL_FOREACH2(registry->touched, node, next_touched)
    {
        node->is_to_store = differs_from_stored(node, all);
        if (node->is_to_store)
            rows[count++] = (struct journal_node){node->level, row_text(node->next.report),
                                                  row_text(node->next.presence)};
    }
    return count == 0 ? 0 : journal_put_nodes(journal, rows, count, e);
}

/* Of former sessions, and of projects for which nothing is being done. */
static void drop_past_progress(struct registry *registry, struct node *node)
{
    struct progress *progress, *following;
    LL_FOREACH_SAFE(node->progress, progress, following)
    {
        const struct node_text *report = node->shown.report;
        if (progress->text->session >= node_facts_session(&node->shown) &&
            !(report && report_is_settled(report, progress->project)))
            continue;
        LL_DELETE(node->progress, progress);
        registry->bytes -= node_text_bytes(progress->text);
        progress_free(progress);
    }
}

static void set_shown(struct registry *registry, struct node_text **shown, struct node_text *next)
{
    if (*shown == next)
        return;
    registry->bytes -= node_text_bytes(*shown);
    node_text_free(*shown);
    *shown = next;
}

static void note_stored(struct node *node, const struct node_facts *facts)
{
    node->stored.report = digest(facts->report);
    node->stored.presence = digest(facts->presence);
    node->stored.came_us = facts->report ? facts->report->came_us : 0;
    node->stored.exists = facts->report || facts->presence;
}

static void commit_node(struct registry *registry, struct node *node)
{
    if (node->is_to_store) {
        note_stored(node, &node->next);
    }
    set_shown(registry, &node->shown.report, node->next.report);
    set_shown(registry, &node->shown.presence, node->next.presence);
    if (!node->shown.report && !node->shown.presence) {
        hide(registry, node);
        return;
    }
    drop_past_progress(registry, node);
    show(registry, node);
}

static void drop_node(struct registry *registry, struct node *node)
{
    release_next(registry, &node->next.report, node->shown.report);
    release_next(registry, &node->next.presence, node->shown.presence);
    if (!node->shown.report && !node->shown.presence)
        hide(registry, node);
}

/* Ends the batch of each node, one way or the other. */
static void end_batch(struct registry *registry, bool is_good)
{
    struct node *node, *following;
    pthread_mutex_lock(&registry->lock);
    LL_FOREACH_SAFE2(registry->touched, node, following, next_touched)
    {
        node->is_touched = false;
        node->next_touched = NULL;
        if (is_good)
            commit_node(registry, node);
        else
            drop_node(registry, node);
    }
    pthread_mutex_unlock(&registry->lock);
    registry->touched = NULL;
    registry->taken_bytes = 0;
}

static void touch_all(struct registry *registry)
{
    struct node *node, *following;
    HASH_ITER(hh, registry->nodes, node, following)
    {
        touch(registry, node);
    }
}

int registry_commit(struct registry *registry, struct journal *journal, bool all, struct err *e)
{
    if (all)
        touch_all(registry);
    if (!registry->touched)
        return 0;
    int r = store(registry, journal, all, e);
    end_batch(registry, r == 0);
    registry->changed(registry->context);
    return r;
}

void registry_drop(struct registry *registry)
{
    end_batch(registry, false);
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
    note_stored(node, &node->shown);
    registry->bytes += facts_bytes(&node->shown);
    pthread_mutex_lock(&registry->lock);
    HASH_ADD_STR(registry->nodes, level, node);
    show(registry, node);
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
    const struct node *node = find(registry, level);
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
    const struct node *node = find(registry, level);
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
    registry->m_outcomes[TAKEN] = metrics_counter(m, messages, "outcome=\"taken\"", messages_help);
    registry->m_outcomes[LATE] = metrics_counter(m, messages, "outcome=\"late\"", messages_help);
    registry->m_outcomes[REFUSED] =
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
