#pragma once

/* One answer of JSON-RPC 2.0, to be made as long as its caller waits. */

#include <cjson/cJSON.h>

#include "common/mqtt/topic.h"
#include "manager/desired/reason.h"
#include "manager/link/link.h"

/* jsonrpc.org/specification, section 5.1; from -32000 on those of ours. */
enum answer_code {
    ANSWER_PARSE_ERROR = -32700,
    ANSWER_INVALID_REQUEST = -32600,
    ANSWER_UNKNOWN_METHOD = -32601,
    ANSWER_INVALID_PARAMS = -32602,
    ANSWER_INTERNAL = -32603,
    ANSWER_NOT_FOUND = -32000,
    ANSWER_REFUSED = -32001,
    ANSWER_ENGINE = -32002,
    ANSWER_BUSY = -32003,
};

#define ANSWER_ID_SIZE 129

struct answer {
    struct link *link;
    const char *node;
    char reply_to[TOPIC_SIZE];
    char correlation_id[ANSWER_ID_SIZE];
    cJSON *id; /* string, number or null; owned */
};

void answer_deinit(struct answer *answer);

/* Takes the result over; NULL counts as out of memory. */
void answer_result(const struct answer *answer, cJSON *result);
/* `reason` REASON_NONE: without. */
void answer_error(const struct answer *answer, enum answer_code code, const char *message,
                  enum reason_code reason);
