#include "manager/ctl/revision.h"

#include "manager/ctl/view.h"

static int64_t at_least_0(int64_t revision)
{
    return revision > 0 ? revision : 0;
}

int64_t revision_published(const cJSON *document)
{
    return at_least_0(view_int(document, "revision"));
}

int64_t revision_reported(const struct node *node, const char *project)
{
    static const char *const members[] = {"desired", "applied", "lastGood"};
    const cJSON *reported = node_project(node, project);
    int64_t highest = 0;

    for (size_t i = 0; i < ARRAY_SIZE(members); i++) {
        int64_t revision = revision_published(view_object(reported, members[i]));
        highest = revision > highest ? revision : highest;
    }
    return highest;
}
