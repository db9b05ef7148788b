#include "manager/ctl/context.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>

#include "common/base/file.h"
#include "common/base/json.h"
#include "manager/ctl/flags.h"

#define CONTEXT_MAX_BYTES (1 << 20)
#define CONTEXT_MAX_DEPTH 8
#define FILE_NAME         "bellbuoy/context.json"

/* "" where nobody has a home. */
static void default_path(char path[static PATH_MAX])
{
    const char *config = getenv("XDG_CONFIG_HOME");
    const char *home = getenv("HOME");

    path[0] = '\0';
    if (config && config[0] == '/')
        (void)snprintf(path, PATH_MAX, "%s/" FILE_NAME, config);
    else if (home && home[0] == '/')
        (void)snprintf(path, PATH_MAX, "%s/.config/" FILE_NAME, home);
}

static int parse(const char *path, const struct buf *text, cJSON **ret_json, struct err *e)
{
    int r = json_parse(text->data, text->len, CONTEXT_MAX_DEPTH, ret_json, e);

    if (r == 0 && !cJSON_IsObject(*ret_json))
        r = FAIL(e, EINVAL, "it must be a JSON object with \"current\" and \"contexts\"");
    if (r < 0)
        err_context(e, "%s", path);
    return r;
}

/* Detaches the entry. Without one of that name it says which there are. */
static int take_entry(cJSON *json, const char *path, const char *name, cJSON **ret_members,
                      struct err *e)
{
    const cJSON *contexts = NULL;

    int r = json_get_object(json, "", "contexts", &contexts, e);
    if (r < 0) {
        err_context(e, "%s", path);
        return r;
    }
    cJSON *entry = cJSON_DetachItemFromObjectCaseSensitive(
        cJSON_GetObjectItemCaseSensitive(json, "contexts"), name);
    if (!cJSON_IsObject(entry)) {
        cJSON_Delete(entry);
        const char *first = contexts && contexts->child ? contexts->child->string : NULL;
        return FAIL(e, EINVAL, "there is no context '%.64s' in %.200s%s%.64s", name, path,
                    first ? "; there is " : "", first ? first : "");
    }
    *ret_members = entry;
    return 0;
}

int context_read(const void *group_target, cJSON **ret_members, const char **ret_source,
                 struct err *e)
{
    const struct flags *flags = group_target;
    AUTO(buf_deinit) struct buf text = BUF_INIT(CONTEXT_MAX_BYTES);
    cJSON *json AUTO(cJSON_Delete) = NULL;
    const char *name = flags->context;
    char path[PATH_MAX];

    if (!name && flags->mqtt.broker_url)
        return 0;
    default_path(path);
    const char *from = flags->context_file ? flags->context_file : path;
    int r = file_read(from, &text, e);
    if (r == -ENOENT && !flags->context_file && !name)
        return 0;
    if (r == 0)
        r = parse(from, &text, &json, e);
    if (r == 0 && !name && json_get_string(json, "", "current", &name, e) < 0)
        r = -EINVAL;
    if (r < 0) {
        err_context(e, "the context file");
        return r;
    }
    if (!name)
        return 0;
    *ret_source = "context";
    return take_entry(json, from, name, ret_members, e);
}
