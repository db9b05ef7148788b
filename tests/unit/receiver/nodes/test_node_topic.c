#include <string.h>

#include "receiver/nodes/topic.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#define LEVEL_128                                                                                  \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"                             \
    "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"

static void test_topics(void **state)
{
    static const struct {
        const char *topic;
        bool is;
        enum node_kind kind;
        const char *level;
    } cases[] = {
        {"bellbuoy/nodes/press-7/reported", true, NODE_REPORT, "press-7"},
        {"bellbuoy/nodes/press-7/presence", true, NODE_PRESENCE, "press-7"},
        {"bellbuoy/nodes/press-7/progress", true, NODE_PROGRESS, "press-7"},
        {"bellbuoy/nodes/" LEVEL_128 "/reported", true, NODE_REPORT, LEVEL_128},
        {"bellbuoy/nodes/" LEVEL_128 "x/reported", true, NODE_REPORT, ""},
        {"bellbuoy/nodes/a.b/reported", true, NODE_REPORT, ""},
        {"bellbuoy/nodes//presence", true, NODE_PRESENCE, ""},
        {"bellbuoy/nodes/a/command", false, 0, NULL},
        {"bellbuoy/nodes/a/desired/reported", false, 0, NULL},
        {"bellbuoy/nodes/a/reported/x", false, 0, NULL},
        {"bellbuoy/nodes/reported", false, 0, NULL},
        {"bellbuoy/nodes/", false, 0, NULL},
        {"bellbuoy/events/a/hello", false, 0, NULL},
        {"", false, 0, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct node_topic topic;
        if (node_topic_parse(cases[i].topic, &topic) != cases[i].is)
            fail_msg("%s", cases[i].topic);
        if (cases[i].is &&
            (topic.kind != cases[i].kind || strcmp(topic.level, cases[i].level) != 0))
            fail_msg("%s: %d '%s'", cases[i].topic, (int)topic.kind, topic.level);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_topics)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
