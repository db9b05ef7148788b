#pragma once

/* One call as libcurl has it, and what came of it. For the transport alone. */

#include <curl/curl.h>
#include <sys/queue.h>

#include "common/base/buf.h"
#include "manager/engine/transport.h"

#define CALL_TITLE_SIZE 96

struct engine_call {
    struct transport *transport;
    TAILQ_ENTRY(engine_call) in_all;
    TAILQ_ENTRY(engine_call) in_ready;
    CURL *easy; /* NULL: not sent, or ended */
    struct curl_slist *headers;
    engine_data data; /* NULL: the reply is wanted as a whole */
    engine_done done;
    void *context;
    /* The call has something to tell, which it does not tell from inside libcurl. */
    void (*ready)(struct engine_call *call);
    int64_t timeout_ms, idle_ms, last_byte_ms;
    char title[CALL_TITLE_SIZE]; /* "GET /containers/json", for messages */
    struct buf body;             /* of a stream: what was not told yet */
    struct buf message;
    int status;
    bool is_ready;
    bool has_begun; /* a stream's header is there, and was not told yet */
    bool has_ended;
    bool timed_out;
};

/* Not sent yet; -ENOMEM. */
MUST_CHECK int call_new(const char *socket, const char *version,
                        const struct engine_request *request, struct engine_call **ret_call);
void call_free(struct engine_call *call); /* accepts NULL */
DEFINE_CLEANUP(struct engine_call *, call_free);

/* Takes status and message from what libcurl says at the end. */
void call_end(struct engine_call *call, CURLcode code, const char *socket);
/* Ends without a reply. */
void call_fail(struct engine_call *call, const char *fmt, ...) FORMAT(2, 3);
