/* Bytes as an event: whatever json_parse lets through, event_decode and event_type_of_payload take
 * or refuse with a reason; what they take has what every event must have. */

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "common/cloudevent/event.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void require(bool truth)
{
    if (!truth)
        abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
    AUTO(cJSON_Delete) cJSON *json = NULL;
    struct event event;
    struct err e = {0};

    if (json_parse((const char *)bytes, size, JSON_MAX_DEPTH, &json, &e) < 0) {
        require(e.msg[0] != '\0');
        return 0;
    }
    require(event_type_of_payload(json) != NULL);
    if (event_decode(json, &event, &e) < 0) {
        require(e.msg[0] != '\0');
        return 0;
    }
    require(event_is_cloudevent(json));
    require(strlen(event.source) - 1 < EVENT_SOURCE_MAX);
    require(strlen(event.id) - 1 < EVENT_ID_MAX);
    require(strlen(event.type) - 1 < EVENT_TYPE_MAX);
    return 0;
}
