#include "manager/ctl/publish.h"

#include "manager/ctl/revision.h"

static int format(const char *kind, const char *name, const char *project,
                  char topic[static TOPIC_SIZE], struct err *e)
{
    const char *const levels[] = {"bellbuoy", kind, name, "desired", project, NULL};

    return topic_format(topic, TOPIC_SIZE, levels) == 0
               ? 0
               : FAIL(e, EINVAL, "'%.64s' and '%.64s' must have letters, digits, '-' and '_' only",
                      name, project);
}

int publish_node_topic(const struct node *node, const char *project, char topic[static TOPIC_SIZE],
                       struct err *e)
{
    return format("nodes", node->level, project, topic, e);
}

int publish_group_topic(const char *group, const char *project, char topic[static TOPIC_SIZE],
                        struct err *e)
{
    return format("groups", group, project, topic, e);
}

int64_t publish_next_revision(const struct console *console, const char *topic,
                              struct node *const *nodes, size_t count, const char *project)
{
    int64_t highest = revision_published(console_retained(console, topic));

    for (size_t i = 0; i < count; i++) {
        int64_t reported = revision_reported(nodes[i], project);
        highest = reported > highest ? reported : highest;
    }
    return highest + 1;
}
