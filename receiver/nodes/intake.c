/* A message's way in: it is taken with those of its batch, made durable, and only then shown. */

#include <string.h>
#include <utlist.h>

#include "common/base/str.h"
#include "receiver/nodes/presence.h"
#include "receiver/nodes/registry_internal.h"
#include "receiver/nodes/report.h"

/* A row that differs by its time alone is written again so seldom. */
#define REFRESH_US (INT64_C(600) * 1000000)

static int by_level(const struct node *a, const struct node *b)
{
    return strcmp(a->level, b->level);
}

/* -EINVAL where there is no room for another. */
static int find_or_add(struct registry *registry, const char *level, struct node **ret_node,
                       struct err *e)
{
    struct node *node = registry_node(registry, level);
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
    return FAIL(e, EINVAL, "node '%s' has the topics of node '%s': rename one of them", text->name,
                known);
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
    struct node *node = NULL;
    int r = m->topic.kind == NODE_REPORT ? report_parse(level, m->payload, m->size, &text, e)
                                         : presence_parse(level, m->payload, m->size, &text, e);
    if (r == 0)
        r = check_room(registry, text, e);
    if (r == 0)
        r = find_or_add(registry, level, &node, e);
    if (r == 0)
        r = check_name(node, text, e);
    if (r != 0)
        return r;
    if (text->session < node_facts_session(&node->next))
        return NODE_LATE;
    text->came_us = m->is_retained && text->said_us > 0 && text->said_us < m->now_us ? text->said_us
                                                                                     : m->now_us;
    take_text(registry, node, m->topic.kind, TAKE(text));
    return NODE_TAKEN;
}

static int take_nothing(struct registry *registry, const struct registry_message *m)
{
    struct node *node = registry_node(registry, m->topic.level);
    if (node && m->topic.kind != NODE_PROGRESS)
        take_text(registry, node, m->topic.kind, NULL);
    return NODE_TAKEN;
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
    struct node *node = registry_node(registry, m->topic.level);
    int r = progress_parse(m->topic.level, m->payload, m->size, &progress, e);
    if (r == 0)
        r = check_room(registry, progress->text, e);
    if (r == 0 && node)
        r = check_name(node, progress->text, e);
    if (r < 0)
        return r;
    if (!node || progress->text->session < node_facts_session(&node->next))
        return NODE_LATE;
    progress->text->came_us = m->now_us;
    pthread_mutex_lock(&registry->lock);
    put_progress(registry, node, TAKE(progress));
    if (node->version > 0)
        registry_show(registry, node);
    pthread_mutex_unlock(&registry->lock);
    registry->changed(registry->context);
    return NODE_TAKEN;
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
        metric_add(registry->m_outcomes[r < 0 ? NODE_REFUSED : r], 1);
    return r < 0 ? r : 0;
}

size_t registry_taken_bytes(const struct registry *registry)
{
    return registry->taken_bytes;
}

/* ---- the end of a batch ---- */

static bool differs_from_stored(const struct node *node, bool all)
{
    const struct node_facts *next = &node->next;
    if (!next->report && !next->presence)
        return node->stored.exists;
    int64_t age_us = (next->report ? next->report->came_us : 0) - node->stored.came_us;
    return !node->stored.exists || node_text_digest(next->report) != node->stored.report ||
           node_text_digest(next->presence) != node->stored.presence ||
           age_us >= (all ? 1 : REFRESH_US);
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

static void commit_node(struct registry *registry, struct node *node)
{
    if (node->is_to_store) {
        node_note_stored(node, &node->next);
    }
    set_shown(registry, &node->shown.report, node->next.report);
    set_shown(registry, &node->shown.presence, node->next.presence);
    if (!node->shown.report && !node->shown.presence) {
        registry_hide(registry, node);
        return;
    }
    drop_past_progress(registry, node);
    registry_show(registry, node);
}

static void drop_node(struct registry *registry, struct node *node)
{
    release_next(registry, &node->next.report, node->shown.report);
    release_next(registry, &node->next.presence, node->shown.presence);
    if (!node->shown.report && !node->shown.presence)
        registry_hide(registry, node);
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
