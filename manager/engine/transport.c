#include "manager/engine/transport.h"

#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "common/base/clock.h"
#include "manager/engine/call.h"
#include "manager/engine/multi.h"

TAILQ_HEAD(call_list, engine_call);

struct transport {
    struct transport_settings settings;
    char *socket;
    struct multi *multi;
    struct call_list all;
    struct call_list ready;      /* have something to tell */
    struct engine_call *telling; /* NULL also once its listener has cancelled it */
    uv_timer_t soon;             /* for what ends without libcurl */
    uv_timer_t watchdog;         /* at the first end of some call's idle_ms, or before */
    bool stopped;
};

static void make_ready(struct engine_call *call)
{
    if (call->is_ready)
        return;
    call->is_ready = true;
    TAILQ_INSERT_TAIL(&call->transport->ready, call, in_ready);
}

/* ---- telling ---- */

static void tell_data(struct transport *transport, struct engine_call *call)
{
    if (call->has_begun) {
        call->has_begun = false;
        call->data(call->context, "", 0);
    }
    if (transport->telling != call || call->status >= 400 || call->body.len == 0)
        return;
    call->data(call->context, call->body.data, call->body.len);
    if (transport->telling == call)
        buf_reset(&call->body);
}

static void tell_end(struct transport *transport, struct engine_call *call)
{
    bool is_whole = !call->data && call->status != 0 && call->body.len > 0;
    const struct engine_reply reply = {
        .status = call->status,
        .body = is_whole ? call->body.data : "",
        .size = is_whole ? call->body.len : 0,
        .message = call->message.data ? call->message.data : "",
        .timed_out = call->timed_out,
    };

    TAILQ_REMOVE(&transport->all, call, in_all);
    transport->telling = NULL;
    call->done(call->context, &reply);
    call_free(call);
}

/* Callers may start and cancel calls, and stop the transport, from each of their functions. */
static void tell_all(struct transport *transport)
{
    struct engine_call *call;

    while ((call = TAILQ_FIRST(&transport->ready))) {
        TAILQ_REMOVE(&transport->ready, call, in_ready);
        call->is_ready = false;
        transport->telling = call;
        if (call->data)
            tell_data(transport, call);
        if (transport->telling == call && call->has_ended)
            tell_end(transport, call);
    }
    transport->telling = NULL;
}

/* ---- the end of calls ---- */

static void detach(struct engine_call *call)
{
    if (!call->easy)
        return;
    multi_remove(call->transport->multi, call->easy);
    curl_easy_cleanup(TAKE(call->easy));
}

static void end(struct engine_call *call)
{
    struct transport *transport = call->transport;

    detach(call);
    make_ready(call);
    if (call->status == 0)
        transport->settings.unanswered(transport->settings.context);
}

static void on_turned(void *context)
{
    struct transport *transport = context;
    CURLcode code;
    CURL *easy;

    while ((easy = multi_next_ended(transport->multi, &code))) {
        struct engine_call *call = NULL;
        curl_easy_getinfo(easy, CURLINFO_PRIVATE, &call);
        call_end(call, code, transport->socket);
        end(call);
    }
    tell_all(transport);
}

static void on_soon(uv_timer_t *timer)
{
    tell_all(timer->data);
}

static void watch_over(struct transport *transport);

static void on_watchdog(uv_timer_t *timer)
{
    struct transport *transport = timer->data;
    int64_t now_ms = clock_monotonic_ms();
    struct engine_call *call;

    TAILQ_FOREACH(call, &transport->all, in_all)
    {
        if (!call->easy || call->idle_ms == 0 || now_ms - call->last_byte_ms < call->idle_ms)
            continue;
        call->timed_out = true;
        call_fail(call, "nothing came for %lld ms: %s", (long long)call->idle_ms, call->title);
        end(call);
    }
    watch_over(transport);
    tell_all(transport);
}

static void watch_over(struct transport *transport)
{
    int64_t first_ms = INT64_MAX;
    const struct engine_call *call;

    TAILQ_FOREACH(call, &transport->all, in_all)
    {
        if (call->easy && call->idle_ms > 0 && call->last_byte_ms + call->idle_ms < first_ms)
            first_ms = call->last_byte_ms + call->idle_ms;
    }
    if (first_ms == INT64_MAX) {
        uv_timer_stop(&transport->watchdog);
        return;
    }
    int64_t wait_ms = first_ms - clock_monotonic_ms();
    uv_timer_start(&transport->watchdog, on_watchdog, wait_ms > 0 ? (uint64_t)wait_ms : 0, 0);
}

/* ---- calls ---- */

static struct engine_call *begin(struct transport *transport, struct engine_call *call,
                                 engine_done done, void *context)
{
    call->transport = transport;
    call->ready = make_ready;
    call->done = done;
    call->context = context;
    TAILQ_INSERT_TAIL(&transport->all, call, in_all);
    return call;
}

int transport_send(struct transport *transport, const char *version,
                   const struct engine_request *request, engine_data data, engine_done done,
                   void *context, struct engine_call **ret_call)
{
    AUTO(call_free) struct engine_call *call = NULL;

    int r = call_new(transport->socket, version, request, &call);
    if (r == 0)
        r = multi_add(transport->multi, call->easy);
    if (r < 0)
        return r;
    call->data = data;
    struct engine_call *begun = begin(transport, TAKE(call), done, context);
    if (request->idle_ms > 0)
        watch_over(transport);
    if (ret_call)
        *ret_call = begun;
    return 0;
}

int transport_refuse(struct transport *transport, const char *message, engine_done done,
                     void *context, struct engine_call **ret_call)
{
    struct engine_call *call = calloc(1, sizeof(*call));

    if (!call)
        return -ENOMEM;
    call->message = BUF_INIT(ENGINE_REPLY_MAX);
    call_fail(call, "%s", message);
    make_ready(begin(transport, call, done, context));
    uv_timer_start(&transport->soon, on_soon, 0, 0);
    if (ret_call)
        *ret_call = call;
    return 0;
}

void engine_cancel(struct engine_call *call)
{
    if (!call)
        return;
    struct transport *transport = call->transport;
    if (transport->telling == call)
        transport->telling = NULL;
    if (call->is_ready)
        TAILQ_REMOVE(&transport->ready, call, in_ready);
    TAILQ_REMOVE(&transport->all, call, in_all);
    detach(call);
    call_free(call);
}

/* ---- life ---- */

int transport_new(const struct transport_settings *settings, struct transport **ret_transport,
                  struct err *e)
{
    AUTO(transport_free) struct transport *transport = calloc(1, sizeof(*transport));

    if (!transport)
        return FAIL(e, ENOMEM, "out of memory");
    transport->stopped = true;
    if (!(transport->socket = strdup(settings->socket)))
        return FAIL(e, ENOMEM, "out of memory");
    int r = multi_new(settings->loop, on_turned, transport, &transport->multi, e);
    if (r < 0)
        return r;
    transport->settings = *settings;
    transport->settings.socket = transport->socket;
    TAILQ_INIT(&transport->all);
    TAILQ_INIT(&transport->ready);
    uv_timer_init(settings->loop, &transport->soon);
    uv_timer_init(settings->loop, &transport->watchdog);
    transport->soon.data = transport;
    transport->watchdog.data = transport;
    transport->stopped = false;
    *ret_transport = TAKE(transport);
    return 0;
}

void transport_stop(struct transport *transport)
{
    if (!transport || transport->stopped)
        return;
    transport->stopped = true;
    while (!TAILQ_EMPTY(&transport->all))
        engine_cancel(TAILQ_FIRST(&transport->all));
    multi_stop(transport->multi);
    uv_close((uv_handle_t *)&transport->soon, NULL);
    uv_close((uv_handle_t *)&transport->watchdog, NULL);
}

void transport_free(struct transport *transport)
{
    if (!transport)
        return;
    assert(transport->stopped);
    multi_free(transport->multi);
    free(transport->socket);
    free(transport);
}
