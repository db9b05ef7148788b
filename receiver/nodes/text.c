#include "receiver/nodes/text.h"

#include <string.h>

#include "common/base/json.h"
#include "common/base/str.h"
#include "common/mqtt/topic.h"

#define DEPTH_MAX (JSON_MAX_DEPTH - 4) /* the API's answers put it into objects of their own */

uint64_t node_text_hash(const char *bytes, size_t len)
{
    uint64_t hash = UINT64_C(0xcbf29ce484222325);
    for (size_t i = 0; i < len; i++)
        hash = (hash ^ (unsigned char)bytes[i]) * UINT64_C(0x100000001b3);
    return hash;
}

int node_text_who(const cJSON *json, const char *level, const char **ret_name, int64_t *ret_session,
                  struct err *e)
{
    char wanted[TOPIC_LEVEL_SIZE];
    const char *name = NULL;
    int64_t session = 0;
    int r = json_get_string(json, "", "node", &name, e);
    if (r == 0)
        r = json_get_int(json, "", "session", 0, NODE_SESSION_MAX, &session, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "/%s is missing", name ? "session" : "node");
    if (r < 0)
        return r;
    if (*name == '\0' || strlen(name) > NODE_NAME_MAX)
        return FAIL(e, EINVAL, "/node must be a name of 1 to %d bytes", NODE_NAME_MAX);
    topic_level_format(wanted, name);
    if (!str_equal(wanted, level))
        return FAIL(e, EINVAL, "/node is '%s', whose topics have the level '%s', not '%s'", name,
                    wanted, level);
    *ret_name = name;
    *ret_session = session;
    return 0;
}

int node_text_parse(const char *payload, size_t size, cJSON **ret_json, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    int r = json_parse(payload, size, DEPTH_MAX, &json, e);
    if (r < 0)
        return r;
    if (!cJSON_IsObject(json))
        return FAIL(e, EINVAL, "the payload must be a JSON object (docs/nodes.md)");
    *ret_json = TAKE(json);
    return 0;
}

int node_text_new(const cJSON *json, const char *name, struct node_text **ret_text, struct err *e)
{
    char *printed AUTO(free) = cJSON_PrintUnformatted(json);
    if (!printed)
        return FAIL(e, ENOMEM, "out of memory");
    size_t len = strlen(printed), name_size = strlen(name) + 1;
    struct node_text *text = calloc(1, sizeof(*text) + len + 1 + name_size);
    if (!text)
        return FAIL(e, ENOMEM, "out of memory");
    memcpy(text->json, printed, len + 1);
    memcpy(text->json + len + 1, name, name_size);
    text->name = text->json + len + 1;
    text->len = len;
    *ret_text = text;
    return 0;
}
