#include "receiver/nodes/report.h"

#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"

/* Every member of /projects must be an object, as must every service of it. */
static int check_members(const cJSON *object, const char *at, struct err *e)
{
    const cJSON *member;
    cJSON_ArrayForEach(member, object)
    {
        if (!cJSON_IsObject(member))
            return FAIL(e, EINVAL, "%s/%.100s must be an object", at, member->string);
    }
    return 0;
}

static int check_project(const cJSON *project, struct err *e)
{
    char at[160], services_at[192];
    const char *phase;
    const cJSON *services = NULL;
    snprintf(at, sizeof(at), "/projects/%.100s", project->string);
    int r = json_get_string(project, at, "phase", &phase, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "%s/phase is missing", at);
    if (r == 0)
        r = json_get_object(project, at, "services", &services, e);
    if (r != 0)
        return r < 0 ? r : 0;
    snprintf(services_at, sizeof(services_at), "%s/services", at);
    return check_members(services, services_at, e);
}

static int check_projects(const cJSON *json, struct err *e)
{
    const cJSON *projects = NULL, *project;
    int r = json_get_object(json, "", "projects", &projects, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "/projects is missing");
    if (r == 0)
        r = check_members(projects, "/projects", e);
    cJSON_ArrayForEach(project, projects)
    {
        if (r == 0)
            r = check_project(project, e);
    }
    return r;
}

static int get_time(const cJSON *json, int64_t *ret_time_us, struct err *e)
{
    const char *time = NULL;
    int r = json_get_string(json, "", "time", &time, e);
    if (r < 0)
        return r;
    if (r == JSON_ABSENT || clock_parse_us(time, strlen(time), ret_time_us) < 0)
        return FAIL(e, EINVAL, "/time must be a time such as 2026-11-20T21:38:01.123456Z");
    return 0;
}

static int digest_of(cJSON *json, uint64_t *ret_digest, struct err *e)
{
    cJSON_DeleteItemFromObjectCaseSensitive(json, "time");
    cJSON_DeleteItemFromObjectCaseSensitive(json, "disk");
    char *printed AUTO(free) = cJSON_PrintUnformatted(json);
    if (!printed)
        return FAIL(e, ENOMEM, "out of memory");
    *ret_digest = node_text_hash(printed, strlen(printed));
    return 0;
}

int report_parse(const char *level, const char *payload, size_t size, struct node_text **ret_report,
                 struct err *e)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    AUTO(node_text_free) struct node_text *report = NULL;
    const char *name = NULL;
    int64_t session = 0, said_us = 0;
    int r = node_text_parse(payload, size, &json, e);
    if (r == 0)
        r = node_text_who(json, level, &name, &session, e);
    if (r == 0)
        r = get_time(json, &said_us, e);
    if (r == 0)
        r = check_projects(json, e);
    if (r == 0)
        r = node_text_new(json, name, &report, e);
    if (r < 0)
        return r;
    report->session = session;
    report->said_us = said_us;
    r = digest_of(json, &report->digest, e);
    if (r == 0)
        *ret_report = TAKE(report);
    return r;
}

bool report_is_settled(const struct node_text *report, const char *project)
{
    static const char *const settled[] = {"REJECTED",   "COMPLETED", "ROLLED_BACK",
                                          "INCOMPLETE", "STALLED",   "SUPERSEDED"};
    AUTO(cJSON_Delete) cJSON *json = NULL;
    if (json_parse(report->json, report->len, JSON_MAX_DEPTH, &json, NULL) < 0)
        return false;
    const cJSON *of_project = json_member(json_member(json, "projects"), project);
    if (!of_project)
        return true;
    const char *phase = json_member(of_project, "phase")->valuestring; /* report_parse looked */
    for (size_t i = 0; i < ARRAY_SIZE(settled); i++)
        if (str_equal(phase, settled[i]))
            return true;
    return false;
}
