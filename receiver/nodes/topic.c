#include "receiver/nodes/topic.h"

#include <string.h>

#include "common/base/str.h"

#define PREFIX "bellbuoy/nodes/"

bool node_topic_parse(const char *topic, struct node_topic *ret_topic)
{
    static const char *const kinds[] = {
        [NODE_REPORT] = "/reported", [NODE_PRESENCE] = "/presence", [NODE_PROGRESS] = "/progress"};
    if (!str_starts_with(topic, PREFIX))
        return false;
    const char *level = topic + strlen(PREFIX);
    const char *end = strchr(level, '/');
    for (size_t i = 0; end && i < ARRAY_SIZE(kinds); i++) {
        if (!str_equal(end, kinds[i]))
            continue;
        ret_topic->kind = (enum node_kind)i;
        if (!str_copy_n(ret_topic->level, sizeof(ret_topic->level), level, (size_t)(end - level)) ||
            !topic_level_is_valid(ret_topic->level))
            ret_topic->level[0] = '\0';
        return true;
    }
    return false;
}
