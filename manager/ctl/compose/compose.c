#include "manager/ctl/compose/compose.h"

#include <string.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/str.h"
#include "manager/ctl/compose/interpolate.h"
#include "manager/ctl/compose/merge.h"
#include "manager/ctl/compose/normalize.h"
#include "manager/ctl/compose/schema.h"
#include "manager/ctl/compose/settings.h"
#include "manager/ctl/compose/yaml.h"

/* All documents of all files, in their order. */
static int read_files(struct load *load, const struct node *files, struct node *documents)
{
    for (const struct node *file = files->first; file != NULL; file = file->next) {
        AUTO(buf_deinit) struct buf text = BUF_INIT(COMPOSE_MAX_BYTES);
        struct node *found = NULL;
        int result = file_read(file->text, &text, load->e);
        if (result < 0) {
            return result;
        }
        const char *content = text.data == NULL ? "" : text.data;
        result = yaml_parse(load, file->text, content, text.len, &found);
        if (result < 0 || found == NULL) {
            return result;
        }
        for (struct node *document = found->first, *next = NULL; document != NULL;
             document = next) {
            next = document->next;
            node_move(documents, document);
        }
    }
    return 0;
}

/* The last `name:` that is said. */
static const struct node *find_name(const struct node *documents)
{
    const struct node *found = NULL;
    for (const struct node *document = documents->first; document != NULL;
         document = document->next) {
        const struct node *name = node_get(document, "name");
        if (name != NULL && name->kind == NODE_STRING && name->text[0] != '\0') {
            found = name;
        }
    }
    return found;
}

static int drop_version(struct load *load, struct node *document)
{
    const struct node *version = node_get(document, "version");
    if (version == NULL) {
        return 0;
    }
    node_remove(document, "version");
    return load_warn(load, "%s:%zu: \"version\" is obsolete and means nothing: leave it out",
                     version->at.file, version->at.line);
}

static int add_document(struct load *load, struct node *model, struct node *document)
{
    if (document->kind != NODE_MAP) {
        return load_fail(load, document, NULL, "must be a mapping with \"services\", this is %s",
                         node_kind_name(document));
    }
    int result = drop_version(load, document);
    if (result == 0) {
        result = interpolate_node(load, document, NULL);
    }
    if (result == 0) {
        result = merge_model(load, model, document);
    }
    if (result == 0) {
        result = merge_enforce_unique(load, model);
    }
    if (result == 0) {
        result = shape_check(load, model, NULL, &SHAPE_MODEL);
    }
    return result == 0 ? merge_enforce_unique(load, model) : result;
}

/* What all files say together, finished. */
static int complete(struct load *load, struct node *model)
{
    int result = normalize_model(load, model);
    if (result == 0) {
        result = shape_finish(load, model, NULL, &SHAPE_MODEL);
    }
    if (result == 0) {
        result = normalize_check(load, model);
    }
    if (result == 0) {
        normalize_prune(model);
        result = normalize_env_files(load, model);
    }
    if (result == 0 && node_get(model, "services") == NULL &&
        node_put(model, "services", node_new(&load->arena, NODE_MAP, model->at)) < 0) {
        result = load_no_memory(load);
    }
    if (result == 0 &&
        node_put(model, "name", node_string(&load->arena, model->at, load->project)) < 0) {
        result = load_no_memory(load);
    }
    return result;
}

static int build_model(struct load *load, const struct compose_settings *settings,
                       struct node **ret_model)
{
    struct node *files = NULL;
    int result = settings_resolve(load, settings, &files);
    if (result < 0) {
        return result;
    }
    struct place start = {files->first->text, 1, 1};
    struct node *documents = node_new(&load->arena, NODE_LIST, start);
    struct node *model = node_new(&load->arena, NODE_MAP, start);
    if (documents == NULL || model == NULL) {
        return load_no_memory(load);
    }
    result = read_files(load, files, documents);
    if (result == 0) {
        result = settings_name(load, settings, find_name(documents));
    }
    for (struct node *document = documents->first, *next = NULL; document != NULL && result == 0;
         document = next) {
        next = document->next;
        result = add_document(load, model, document);
    }
    if (result == 0 && model->count == 0) {
        result = load_fail(load, model, NULL, "is empty: it must have \"services\"");
    }
    if (result == 0) {
        result = complete(load, model);
    }
    *ret_model = model;
    return result;
}

static int make_project(struct load *load, const struct node *model,
                        struct compose_project **ret_project)
{
    AUTO(compose_project_free) struct compose_project *project = calloc(1, sizeof *project);
    if (project == NULL) {
        return load_no_memory(load);
    }
    project->name = strdup(load->project);
    project->model = shape_to_json(model, &SHAPE_MODEL);
    project->warnings = TAKE(load->warnings);
    if (project->name == NULL || project->model == NULL) {
        return load_no_memory(load);
    }
    *ret_project = TAKE(project);
    return 0;
}

int compose_load(const struct compose_settings *settings, struct compose_project **ret_project,
                 struct err *e)
{
    struct load load = {.warnings = cJSON_CreateArray(), .e = e};
    struct node *model = NULL;
    int result =
        load.warnings == NULL ? load_no_memory(&load) : build_model(&load, settings, &model);
    if (result == 0) {
        result = make_project(&load, model, ret_project);
    }
    cJSON_Delete(load.warnings);
    arena_deinit(&load.arena);
    return result;
}

void compose_project_free(struct compose_project *project)
{
    if (project == NULL) {
        return;
    }
    free(project->name);
    cJSON_Delete(project->model);
    cJSON_Delete(project->warnings);
    free(project);
}
