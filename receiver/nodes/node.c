#include "receiver/nodes/node.h"

#include <inttypes.h>
#include <utlist.h>

#include "common/base/clock.h"

int64_t node_facts_session(const struct node_facts *facts)
{
    int64_t report = facts->report ? facts->report->session : -1;
    int64_t presence = facts->presence ? facts->presence->session : -1;
    return report > presence ? report : presence;
}

enum node_state node_facts_state(const struct node_facts *facts)
{
    if (!facts->presence)
        return NODE_UNKNOWN;
    return facts->presence->is_online ? NODE_ONLINE : NODE_OFFLINE;
}

const char *node_facts_name(const struct node_facts *facts)
{
    return facts->report ? facts->report->name : facts->presence ? facts->presence->name : "";
}

size_t node_facts_bytes(const struct node_facts *facts)
{
    return node_text_bytes(facts->report) + node_text_bytes(facts->presence);
}

size_t node_progress_bytes(const struct node *node)
{
    const struct progress *progress;
    size_t bytes = 0;
    LL_FOREACH(node->progress, progress)
    {
        bytes += node_text_bytes(progress->text);
    }
    return bytes;
}

void node_note_stored(struct node *node, const struct node_facts *facts)
{
    node->stored.report = node_text_digest(facts->report);
    node->stored.presence = node_text_digest(facts->presence);
    node->stored.came_us = facts->report ? facts->report->came_us : 0;
    node->stored.exists = facts->report || facts->presence;
}

static void append_time(struct buf *out, const char *name, const struct node_text *text)
{
    char time[CLOCK_TEXT_SIZE];
    if (!text) {
        buf_appendf(out, "\"%s\":null", name);
        return;
    }
    clock_format_us(text->came_us, time);
    buf_appendf(out, "\"%s\":\"%s\"", name, time);
}

static void append_text(struct buf *out, const char *name, const struct node_text *text)
{
    buf_appendf(out, ",\"%s\":", name);
    if (text)
        buf_append(out, text->json, text->len);
    else
        buf_append_str(out, "null");
}

/* The message with the time at which it came before all else: it is an object with members. */
static void append_progress(struct buf *out, const struct progress *progress)
{
    buf_append_char(out, '{');
    append_time(out, "received", progress->text);
    buf_append_char(out, ',');
    buf_append(out, progress->text->json + 1, progress->text->len - 1);
}

void node_append_json(struct buf *out, const struct node *node)
{
    const struct node_facts *facts = &node->shown;
    const struct progress *progress;
    buf_append_str(out, "{\"node\":");
    buf_append_json(out, node_facts_name(facts));
    buf_appendf(out, ",\"level\":\"%s\",\"session\":%" PRId64 ",\"state\":\"%s\",", node->level,
                node_facts_session(facts), node_state_name(node_facts_state(facts)));
    append_time(out, "reported", facts->report);
    append_text(out, "presence", facts->presence);
    append_text(out, "report", facts->report);
    buf_append_str(out, ",\"progress\":[");
    LL_FOREACH(node->progress, progress)
    {
        if (progress != node->progress)
            buf_append_char(out, ',');
        append_progress(out, progress);
    }
    buf_append_str(out, "]}");
}

void node_free(struct node *node)
{
    struct progress *progress, *following;
    LL_FOREACH_SAFE(node->progress, progress, following)
    {
        progress_free(progress);
    }
    if (node->next.report != node->shown.report)
        node_text_free(node->next.report);
    if (node->next.presence != node->shown.presence)
        node_text_free(node->next.presence);
    node_text_free(node->shown.report);
    node_text_free(node->shown.presence);
    free(node);
}
