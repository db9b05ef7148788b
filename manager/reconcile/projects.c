#include "manager/reconcile/projects.h"

#include <string.h>

#include "common/base/log.h"
#include "common/base/str.h"

struct projects {
    struct project_settings settings;
    struct project *list[PROJECTS_MAX]; /* by name */
    size_t count;
};

struct project *projects_find(const struct projects *projects, const char *name)
{
    for (size_t i = 0; i < projects->count; i++)
        if (str_equal(project_name(projects->list[i]), name))
            return projects->list[i];
    return NULL;
}

size_t projects_count(const struct projects *projects)
{
    return projects->count;
}

struct project *projects_at(const struct projects *projects, size_t index)
{
    return projects->list[index];
}

static int add(struct projects *projects, const char *name, struct project **ret_project,
               struct err *e)
{
    struct project *project;
    size_t place;

    if (projects->count == PROJECTS_MAX)
        return FAIL(e, ENOSPC, "a node has %d projects at most", PROJECTS_MAX);
    int r = project_new(&projects->settings, name, &project, e);
    if (r < 0)
        return r;
    for (place = projects->count;
         place > 0 && strcmp(project_name(projects->list[place - 1]), name) > 0; place--)
        projects->list[place] = projects->list[place - 1];
    projects->list[place] = project;
    projects->count++;
    *ret_project = project;
    return 0;
}

int projects_offer(struct projects *projects, const char *name, const struct origin *origin,
                   const char *text, size_t len, struct err *e)
{
    struct project *project = projects_find(projects, name);

    if (!project && len == 0)
        return 0; /* nothing was ever said of it */
    int r = project ? 0 : add(projects, name, &project, e);
    if (r == -ENOSPC || r == -EINVAL) {
        log_warning("manager", "a desired state is refused", LOG_STR("project", name),
                    LOG_STR("reason", e->msg));
        return 0;
    }
    return r < 0 ? r : project_offer(project, origin, text, len, e);
}

void projects_engine_changed(struct projects *projects)
{
    for (size_t i = 0; i < projects->count; i++)
        project_engine_changed(projects->list[i]);
}

void projects_wake(struct projects *projects, const char *project, const char *container)
{
    for (size_t i = 0; i < projects->count; i++)
        if (project[0] == '\0' || str_equal(project_name(projects->list[i]), project))
            project_wake(projects->list[i], container);
}

void projects_wake_network(struct projects *projects, const char *network)
{
    for (size_t i = 0; i < projects->count; i++)
        if (project_uses_network(projects->list[i], network))
            project_wake(projects->list[i], NULL);
}

void projects_add_images(const struct projects *projects, bool earlier, struct image_names *names)
{
    for (size_t i = 0; i < projects->count; i++)
        project_add_images(projects->list[i], earlier, names);
}

static int load(struct projects *projects, char **names, struct err *e)
{
    struct project *project;

    for (size_t i = 0; names[i]; i++) {
        int r = add(projects, names[i], &project, e);
        if (r == -ENOMEM)
            return r;
        if (r < 0)
            log_error("manager", "a project is left alone", LOG_STR("project", names[i]),
                      LOG_STR("reason", e->msg));
    }
    return 0;
}

int projects_new(const struct project_settings *settings, struct projects **ret_projects,
                 struct err *e)
{
    struct projects *projects = calloc(1, sizeof(*projects));
    char **names = NULL;

    if (!projects)
        return FAIL(e, ENOMEM, "out of memory");
    projects->settings = *settings;
    int r = store_projects(settings->store, &names, e);
    if (r == 0)
        r = load(projects, names, e);
    for (size_t i = 0; names && names[i]; i++)
        free(names[i]);
    free(names);
    if (r < 0)
        projects_free(TAKE(projects));
    *ret_projects = projects;
    return r;
}

void projects_free(struct projects *projects)
{
    if (!projects)
        return;
    for (size_t i = 0; i < projects->count; i++)
        project_free(projects->list[i]);
    free(projects);
}
