#pragma once

/* All projects of this node: those that the store knows, and those that are offered. */

#include "manager/engine/events.h"
#include "manager/reconcile/project.h"

#define PROJECTS_MAX 200

struct projects;

/* `settings` are those of each project. Reads the store; a project that cannot be read is said in
 * the log and left alone. */
MUST_CHECK int projects_new(const struct project_settings *settings, struct projects **ret_projects,
                            struct err *e);
void projects_free(struct projects *projects); /* accepts NULL; the loop must run once more */

struct project *projects_find(const struct projects *projects, const char *name);
size_t projects_count(const struct projects *projects);
struct project *projects_at(const struct projects *projects, size_t index); /* by name */

/* As project_offer; makes the project where it is new and the document names it rightly. */
MUST_CHECK int projects_offer(struct projects *projects, const char *name,
                              const struct origin *origin, const char *text, size_t len,
                              struct err *e);

void projects_engine_changed(struct projects *projects);
/* Of an event: `project` "": it may concern any. `container` NULL: all of them. */
void projects_wake(struct projects *projects, const char *project, const char *container);
/* Of an event of a network, which tells no project: those that have to do with it. */
void projects_wake_network(struct projects *projects, const char *network);

/* As project_add_images(), of all. */
void projects_add_images(const struct projects *projects, bool earlier, struct image_names *names);
