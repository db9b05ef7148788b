#include "receiver/nodes/presence.h"

#include "common/base/json.h"

int presence_parse(const char *level, const char *payload, size_t size,
                   struct node_text **ret_presence, struct err *e)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct node_text *presence = NULL;
    const char *name = NULL, *since = NULL;
    int64_t session = 0;
    bool is_online = false;
    int r = node_text_parse(payload, size, &json, e);
    if (r == 0)
        r = node_text_who(json, level, &name, &session, e);
    if (r == 0)
        r = json_get_bool(json, "", "online", &is_online, e);
    if (r == JSON_ABSENT)
        return FAIL(e, EINVAL, "/online is missing");
    if (r == 0)
        r = json_get_string(json, "", "since", &since, e);
    if (r >= 0)
        r = node_text_new(json, name, &presence, e);
    if (r < 0)
        return r;
    presence->session = session;
    presence->is_online = is_online;
    presence->digest = node_text_hash(presence->json, presence->len);
    *ret_presence = presence;
    return 0;
}
