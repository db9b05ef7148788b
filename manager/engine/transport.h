#pragma once

/*
 * Calls over one unix socket by HTTP. Knows neither the engine's state nor its version. No function
 * of a caller's runs inside libcurl, which takes no calls from there: what came is told after it
 * has returned. engine_cancel() of engine.h is here.
 *
 * What may change something goes on a connection of its own, since libcurl sends a request again by
 * itself when a connection that was used before ends without a reply: the engine may have done the
 * work all the same.
 */

#include "manager/engine/engine.h"

struct transport;

struct transport_settings {
    uv_loop_t *loop;
    const char *socket;
    /* A call that was sent had no reply, or not all of it. */
    void (*unanswered)(void *context);
    void *context;
};

MUST_CHECK int transport_new(const struct transport_settings *settings,
                             struct transport **ret_transport, struct err *e);
void transport_stop(struct transport *transport); /* cancels all; the loop must run once more */
void transport_free(struct transport *transport); /* accepts NULL */
DEFINE_CLEANUP(struct transport *, transport_free);

/* `version` is put before the path: "/v1.51" or "". -ENOMEM. */
MUST_CHECK int transport_send(struct transport *transport, const char *version,
                              const struct engine_request *request, engine_data data,
                              engine_done done, void *context, struct engine_call **ret_call);
/* A call that is not sent: ends with status 0 and this message. -ENOMEM. */
MUST_CHECK int transport_refuse(struct transport *transport, const char *message, engine_done done,
                                void *context, struct engine_call **ret_call);
