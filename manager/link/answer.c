#include "manager/link/answer.h"

#include "common/base/json.h"
#include "common/base/log.h"

void answer_deinit(struct answer *answer)
{
    cJSON_Delete(answer->id);
    *answer = (struct answer){0};
}

static cJSON *begin(const struct answer *a)
{
    cJSON *json = cJSON_CreateObject();
    cJSON *id = a->id ? cJSON_Duplicate(a->id, false) : cJSON_CreateNull();

    cJSON_AddStringToObject(json, "jsonrpc", "2.0");
    if (!cJSON_AddItemToObject(json, "id", id))
        cJSON_Delete(id);
    cJSON_AddStringToObject(json, "correlation_id", a->correlation_id);
    cJSON_AddStringToObject(json, "node", a->node);
    return json;
}

static void deliver(const struct answer *a, const cJSON *json)
{
    char *text AUTO(free) = cJSON_PrintUnformatted(json);

    if (!text || link_reply(a->link, a->reply_to, text) < 0)
        log_warning("manager", "a command's answer could not be sent",
                    LOG_STR("reply_to", a->reply_to));
}

void answer_result(const struct answer *a, cJSON *result)
{
    cJSON *json AUTO(cJSON_Delete) = begin(a);

    if (!result || !cJSON_AddItemToObject(json, "result", result)) {
        cJSON_Delete(result);
        answer_error(a, ANSWER_INTERNAL, "out of memory", REASON_NONE);
        return;
    }
    deliver(a, json);
}

void answer_error(const struct answer *a, enum answer_code code, const char *message,
                  enum reason_code reason)
{
    cJSON *json AUTO(cJSON_Delete) = begin(a);
    cJSON *error = cJSON_AddObjectToObject(json, "error");

    cJSON_AddNumberToObject(error, "code", code);
    cJSON_AddStringToObject(error, "message", message);
    if (reason != REASON_NONE)
        cJSON_AddStringToObject(cJSON_AddObjectToObject(error, "data"), "reason",
                                reason_name(reason));
    deliver(a, json);
}
