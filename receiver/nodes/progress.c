#include "receiver/nodes/progress.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"

static int get_project(const cJSON *json, const char **ret_project, struct err *e)
{
    int r = json_get_string(json, "", "project", ret_project, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "/project is missing");
    if (r < 0)
        return r;
    if (**ret_project == '\0' || strlen(*ret_project) > PROGRESS_PROJECT_MAX)
        return FAIL(e, EINVAL, "/project must be a name of 1 to %d bytes", PROGRESS_PROJECT_MAX);
    return 0;
}

static int check_pulls(const cJSON *json, struct err *e)
{
    const cJSON *pulls = NULL, *pull;
    int r = json_get_array(json, "", "pulls", &pulls, e);
    if (r != 0)
        return r < 0 ? r : 0;
    cJSON_ArrayForEach(pull, pulls)
    {
        if (!cJSON_IsObject(pull))
            return FAIL(e, EINVAL, "/pulls must hold objects only");
    }
    return 0;
}

int progress_parse(const char *level, const char *payload, size_t size,
                   struct progress **ret_progress, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    const cJSON *step = NULL;
    const char *name = NULL, *project = NULL;
    int64_t session = 0;
    if (size > PROGRESS_MAX_BYTES)
        return FAIL(e, EINVAL, "the payload is %zu bytes long, at most %zu are taken", size,
                    PROGRESS_MAX_BYTES);
    int r = node_text_parse(payload, size, &json, e);
    if (r == 0)
        r = node_text_who(json, level, &name, &session, e);
    if (r == 0)
        r = get_project(json, &project, e);
    if (r == 0)
        r = json_get_object(json, "", "step", &step, e);
    if (r >= 0)
        r = check_pulls(json, e);
    if (r < 0)
        return r;

    AUTO(progress_free) struct progress *progress = calloc(1, sizeof(*progress));
    if (!progress || !str_copy(progress->project, sizeof(progress->project), project))
        return FAIL(e, ENOMEM, "out of memory");
    r = node_text_new(json, name, &progress->text, e);
    if (r < 0)
        return r;
    progress->text->session = session;
    *ret_progress = TAKE(progress);
    return 0;
}

void progress_free(struct progress *progress)
{
    if (!progress)
        return;
    node_text_free(progress->text);
    free(progress);
}
