#include "manager/ctl/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/file.h"
#include "common/base/json.h"
#include "common/base/random.h"
#include "common/base/str.h"
#include "manager/ctl/compose/compose.h"
#include "manager/ctl/view.h"

#define EXTENSION "x-bellbuoy"

static int fail_memory(struct err *e)
{
    return FAIL(e, ENOMEM, "out of memory");
}

/* ---- files ---- */

static const char *file_name(const struct flags *flags, size_t index)
{
    const char *name = index < flags->operands.count
                           ? flags->operands.items[index]
                           : flags->files.items[index - flags->operands.count];

    return str_equal(name, "-") ? "/dev/stdin" : name;
}

/* Operands first, then --file. NULL-terminated, of borrowed strings; NULL: no memory. */
static const char **file_names(const struct flags *flags)
{
    size_t count = flags->operands.count + flags->files.count;
    const char **names = calloc(count + 1, sizeof(const char *));

    for (size_t i = 0; names && i < count; i++)
        names[i] = file_name(flags, i);
    return names;
}

/* > 0 with the tree if the file is a document already. What is no file, such as a pipe, can be read
 * once only: it is left to compose. */
static int load_document(const char *path, cJSON **ret_document, struct err *e)
{
    AUTO(buf_deinit) struct buf text = BUF_INIT(COMPOSE_MAX_BYTES);
    cJSON *json AUTO(cJSON_Delete) = NULL;
    struct stat status;

    if (stat(path, &status) == 0 && !S_ISREG(status.st_mode))
        return 0;
    int r = file_read(path, &text, e);
    if (r < 0)
        return r;
    if (text.len == 0 || text.data[strspn(text.data, " \t\r\n")] != '{' ||
        json_parse(text.data, text.len, JSON_MAX_DEPTH, &json, NULL) < 0 ||
        !view_member(json, "apiVersion"))
        return 0;
    *ret_document = TAKE(json);
    return 1;
}

static int load_compose(const struct call *call, const char *const *files, cJSON **ret_model,
                        struct err *e)
{
    const struct flags *flags = call->flags;
    struct compose_project *project AUTO(compose_project_free) = NULL;
    const struct compose_settings settings = {
        .files = files[0] ? files : NULL,
        .project_name = flags->project,
        .env_files = flags->env_files.count > 0 ? flags->env_files.items : NULL,
        .environment = (const char *const *)environ,
    };

    int r = compose_load(&settings, &project, e);
    if (r < 0)
        return r;
    for (const cJSON *w = project->warnings ? project->warnings->child : NULL; w; w = w->next)
        call_note(call, "warning: %s", cJSON_IsString(w) ? w->valuestring : "");
    *ret_model = TAKE(project->model);
    return 0;
}

/* ---- the envelope ---- */

static bool put(cJSON *object, const char *name, cJSON *value)
{
    if (!value)
        return false;
    cJSON_DeleteItemFromObjectCaseSensitive(object, name);
    if (cJSON_AddItemToObject(object, name, value))
        return true;
    cJSON_Delete(value);
    return false;
}

static bool put_string(cJSON *object, const char *name, const char *value)
{
    return put(object, name, cJSON_CreateString(value));
}

/* RFC 9562, version 4. */
static bool put_id(cJSON *document)
{
    uint64_t high = random_u64();
    uint64_t low = random_u64();
    char id[40];

    (void)snprintf(id, sizeof id,
                   "%08" PRIx64 "-%04" PRIx64 "-4%03" PRIx64 "-%04" PRIx64 "-%012" PRIx64,
                   high >> 32, high >> 16 & 0xffff, high & 0xfff, (low >> 48 & 0x3fff) | 0x8000,
                   low & UINT64_C(0xffffffffffff));
    return put_string(document, "id", id);
}

/* The members of a compose model that a document has as well, and the policy of its x-bellbuoy. */
static bool wrap(cJSON *model, cJSON *document)
{
    static const char *const parts[] = {"services", "networks", "volumes", "secrets", "configs"};
    cJSON *extension = cJSON_GetObjectItemCaseSensitive(model, EXTENSION);
    cJSON *policy = cJSON_DetachItemFromObjectCaseSensitive(extension, "policy");

    if (!put_string(document, "apiVersion", DOCUMENT_API_VERSION) ||
        !put_string(document, "project", view_string(model, "name")) ||
        !put(document, "policy", policy ? policy : cJSON_CreateObject()))
        return false;
    for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
        cJSON *part = cJSON_DetachItemFromObjectCaseSensitive(model, parts[i]);
        if (!put(document, parts[i], part ? part : cJSON_CreateObject()))
            return false;
    }
    return true;
}

static bool put_choice(cJSON *policy, const char *name, int index, const char *const *values)
{
    return index == 0 || put_string(policy, name, values[index]);
}

static bool put_given(cJSON *object, const char *name, const char *value)
{
    return !value || put_string(object, name, value);
}

static bool put_policy(cJSON *document, const struct flags *f)
{
    static const char *const on_failure[] = {NULL, "rollback", "hold", "keep-partial"};
    static const char *const drift[] = {NULL, "enforce", "report"};
    static const char *const orphans[] = {NULL, "remove", "keep"};
    cJSON *policy = cJSON_GetObjectItemCaseSensitive(document, "policy");

    if (!policy) {
        policy = cJSON_CreateObject();
        if (!put(document, "policy", policy))
            return false;
    }
    return put_choice(policy, "onFailure", f->on_failure, on_failure) &&
           put_choice(policy, "drift", f->drift, drift) &&
           put_choice(policy, "orphans", f->orphans, orphans) &&
           put_given(policy, "progressDeadline", f->progress_deadline) &&
           put_given(policy, "minFreeDisk", f->min_free_disk) &&
           (!f->allow_empty || put(policy, "allowEmpty", cJSON_CreateTrue())) &&
           (f->max_pull_parallel == 0 ||
            put(policy, "maxPullParallel", cJSON_CreateNumber((double)f->max_pull_parallel)));
}

static bool complete(cJSON *document, const struct flags *flags)
{
    char now[CLOCK_TEXT_SIZE];

    clock_format_us(clock_wall_us(), now);
    return put_id(document) && put_string(document, "issued", now) && put_policy(document, flags) &&
           put_given(document, "project", flags->project) &&
           put_given(document, "notBefore", flags->not_before) &&
           put_given(document, "expires", flags->expires);
}

int source_load(const struct call *call, cJSON **ret_document, struct err *e)
{
    const struct flags *flags = call->flags;
    const char **files AUTO(free) = file_names(flags);
    cJSON *document AUTO(cJSON_Delete) = NULL;
    cJSON *model AUTO(cJSON_Delete) = NULL;
    int r = 0;

    if (!files)
        return fail_memory(e);
    if (files[0] && !files[1])
        r = load_document(files[0], &document, e);
    if (r == 0) {
        r = load_compose(call, files, &model, e);
        if (r == 0)
            document = cJSON_CreateObject();
        if (r == 0 && (!document || !wrap(model, document)))
            r = fail_memory(e);
    }
    if (r >= 0 && !complete(document, flags))
        r = fail_memory(e);
    if (r >= 0)
        r = source_set_revision(document, flags->revision > 0 ? flags->revision : 1, e);
    if (r < 0)
        return r;
    *ret_document = TAKE(document);
    return 0;
}

const char *source_project(const cJSON *document)
{
    return view_string(document, "project");
}

int source_set_revision(cJSON *document, int64_t revision, struct err *e)
{
    return put(document, "revision", cJSON_CreateNumber((double)revision)) ? 0 : fail_memory(e);
}

int source_check(const cJSON *document, struct rejection *rejection)
{
    struct document *parsed AUTO(document_free) = NULL;
    char *text AUTO(free) = cJSON_PrintUnformatted(document);

    if (!text)
        return fail_memory(&rejection->e);
    return document_parse(text, strlen(text), NULL, &parsed, rejection);
}
