#include "receiver/nodes/report.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"

#define NAME_MAX_BYTES 128 /* of a project and of a service */
#define AT_SIZE        320 /* of a JSON pointer with two names in it, whole */

/* What is taken apart by whoever reads the report has the shape that docs/nodes.md gives it: absent
 * and null are none, and what a scalar says is not looked at. */

static void put_place(char place[static AT_SIZE], const char *fmt, ...) FORMAT(2, 3);
static void put_place(char place[static AT_SIZE], const char *fmt, ...)
{
    va_list args;
    va_start(args, fmt);
    vsnprintf(place, AT_SIZE, fmt, args);
    va_end(args);
}

static int check_object(const cJSON *object, const char *at, const char *name, struct err *e)
{
    const cJSON *member = json_member(object, name);
    if (!member || cJSON_IsNull(member) || cJSON_IsObject(member))
        return 0;
    return FAIL(e, EINVAL, "%s/%s must be an object", at, name);
}

static int check_each(const cJSON *members, const char *at, struct err *e)
{
    const cJSON *member;
    int index = 0;
    cJSON_ArrayForEach(member, members)
    {
        if (member->string && strlen(member->string) > NAME_MAX_BYTES)
            return FAIL(e, EINVAL, "%s has a name of %zu bytes, at most %d are taken", at,
                        strlen(member->string), NAME_MAX_BYTES);
        if (!cJSON_IsObject(member) && member->string)
            return FAIL(e, EINVAL, "%s/%s must be an object", at, member->string);
        if (!cJSON_IsObject(member))
            return FAIL(e, EINVAL, "%s/%d must be an object", at, index);
        index++;
    }
    return 0;
}

/* An array of objects. */
static int check_list(const cJSON *object, const char *at, const char *name, struct err *e)
{
    char place[AT_SIZE];
    const cJSON *list = json_member(object, name);
    if (!list || cJSON_IsNull(list))
        return 0;
    if (!cJSON_IsArray(list))
        return FAIL(e, EINVAL, "%s/%s must be an array", at, name);
    put_place(place, "%s/%s", at, name);
    return check_each(list, place, e);
}

static int check_service(const cJSON *service, const char *of_project, struct err *e)
{
    char at[AT_SIZE];
    const cJSON *container;
    put_place(at, "%s/services/%s", of_project, service->string);
    int r = check_object(service, at, "replicas", e);
    if (r == 0)
        r = check_list(service, at, "containers", e);
    cJSON_ArrayForEach(container, json_member(service, "containers"))
    {
        if (r == 0)
            r = check_object(container, at, "lastExit", e);
    }
    return r;
}

static int check_services(const cJSON *project, const char *at, struct err *e)
{
    char place[AT_SIZE];
    const cJSON *services = json_member(project, "services"), *service;
    put_place(place, "%s/services", at);
    int r = check_object(project, at, "services", e);
    if (r == 0)
        r = check_each(services, place, e);
    cJSON_ArrayForEach(service, services)
    {
        if (r == 0)
            r = check_service(service, at, e);
    }
    return r;
}

static int check_project(const cJSON *project, struct err *e)
{
    static const char *const objects[] = {"desired", "applied", "lastGood", "reason"};
    char at[AT_SIZE];
    const char *phase;
    put_place(at, "/projects/%s", project->string);
    int r = json_get_string(project, at, "phase", &phase, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "%s/phase is missing", at);
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(objects); i++)
        r = check_object(project, at, objects[i], e);
    if (r == 0)
        r = check_list(project, at, "drift", e);
    if (r == 0)
        r = check_list(project, at, "ghosts", e);
    return r < 0 ? r : check_services(project, at, e);
}

static int check_projects(const cJSON *json, struct err *e)
{
    const cJSON *projects = NULL, *project;
    int r = json_get_object(json, "", "projects", &projects, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "/projects is missing");
    if (r == 0)
        r = check_each(projects, "/projects", e);
    cJSON_ArrayForEach(project, projects)
    {
        if (r == 0)
            r = check_project(project, e);
    }
    return r;
}

static int check_shape(const cJSON *json, struct err *e)
{
    static const char *const objects[] = {"agent", "engine", "disk", "counters"};
    int r = 0;
    for (size_t i = 0; r == 0 && i < ARRAY_SIZE(objects); i++)
        r = check_object(json, "", objects[i], e);
    if (r == 0)
        r = check_list(json, "", "groups", e);
    return r < 0 ? r : check_projects(json, e);
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
        r = check_shape(json, e);
    if (r == 0)
        r = node_text_new(json, name, &report, e);
    if (r != 0)
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
