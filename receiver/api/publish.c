/* POST /api/v1/events */

#include <string.h>
#include <strings.h>

#include "common/base/str.h"
#include "common/http/problem.h"
#include "receiver/api/message.h"
#include "receiver/api/params.h"
#include "receiver/api/routes.h"
#include "receiver/api/state.h"

#define REFUSAL_LOG_PERIOD_MS 10000
#define ANSWER_MAX_BYTES      8192

static const struct problem disabled = {
    .status = 403, .code = "publishing-disabled", .title = "Publishing is not enabled"};
static const struct problem other_origin = {
    .status = 403, .code = "other-origin", .title = "Request of another site"};
static const struct problem unauthorized = {
    .status = 401, .code = "unauthorized", .title = "A token is needed", .authenticate = "Bearer"};
static const struct problem bad_type = {
    .status = 415, .code = "unsupported-content-type", .title = "Unsupported content type"};
static const struct problem bad_body = {
    .status = 400, .code = "invalid-message", .title = "Invalid message"};
static const struct problem unavailable = {.status = 503,
                                           .code = "broker-unavailable",
                                           .title = "The broker is away",
                                           .retry_after_s = "5"};
static const struct problem busy = {
    .status = 503, .code = "busy", .title = "Too busy", .retry_after_s = "1"};
static const struct problem no_acknowledgement = {
    .status = 504, .code = "not-acknowledged", .title = "The broker has not acknowledged"};

/* One message on its way to the broker. */
struct post {
    struct http_request *request; /* NULL when the client has left */
    struct message message;
    bool is_own; /* with the next sequence of ours */
};

static void post_free(struct post *post)
{
    if (post == NULL)
        return;
    message_deinit(&post->message);
    free(post);
}
DEFINE_CLEANUP(struct post *, post_free);

/* ---- who may ---- */

static void log_refusal(struct api *api, struct http_request *request, const char *reason)
{
    const struct clock *clock = api->settings.clock;
    uint64_t suppressed;
    metric_add(api->refused, 1);
    if (log_limit_pass(&api->refusals, clock->monotonic_ms(clock->context), REFUSAL_LOG_PERIOD_MS,
                       &suppressed))
        log_warning("api", "message refused", LOG_SECURITY, LOG_STR("reason", reason),
                    LOG_STR("origin", http_request_header(request, "Origin")),
                    LOG_INT("suppressed", suppressed));
}

/* True if there is a token to compare with; else answers. */
static bool has_token(struct api *api, struct http_request *request)
{
    const struct clock *clock = api->settings.clock;
    struct err e;
    uint64_t suppressed;
    if (api->settings.token_file == NULL) {
        http_problem(request, &disabled, "the receiver runs without --token-file");
        return false;
    }
    /* After an error the last good token stays. */
    if (secret_refresh(&api->token, &e) < 0 &&
        log_limit_pass(&api->token_errors, clock->monotonic_ms(clock->context),
                       REFUSAL_LOG_PERIOD_MS, &suppressed))
        log_error("api", "the token file cannot be read", LOG_STR("reason", e.msg),
                  LOG_INT("suppressed", suppressed));
    if (api->token.len > 0)
        return true;
    http_problem(request, &disabled, "the file of --token-file is empty");
    return false;
}

static bool is_authorized(const struct api *api, struct http_request *request)
{
    static const char scheme[] = "Bearer ";
    const char *value = http_request_header(request, "Authorization");
    if (value == NULL || strncasecmp(value, scheme, strlen(scheme)) != 0)
        return false;
    value += strlen(scheme);
    value += strspn(value, " ");
    return str_equal_secret(value, strlen(value), api->token.value, api->token.len);
}

/* Answers unless the sender may publish. */
static bool check_sender(struct api *api, struct http_request *request)
{
    if (!has_token(api, request))
        return false;
    if (!http_request_same_origin(request)) {
        log_refusal(api, request, "request of another site");
        http_problem(request, &other_origin,
                     "messages are taken from the receiver's own page and from programs only");
        return false;
    }
    if (!is_authorized(api, request)) {
        log_refusal(api, request, "wrong or no token");
        http_problem(request, &unauthorized,
                     "send 'Authorization: Bearer <token>' with the token of --token-file");
        return false;
    }
    return true;
}

/* ---- what ---- */

static bool is_media_type(const char *header, const char *type)
{
    size_t len = strlen(type);
    return header != NULL && strncasecmp(header, type, len) == 0 &&
           strchr("; \t", header[len]) != NULL;
}

/* Answers unless the body is a message. */
static bool read_message(struct api *api, struct post *post)
{
    struct http_request *request = post->request;
    const struct clock *clock = api->settings.clock;
    const char *type = http_request_header(request, "Content-Type");
    size_t size;
    const char *body = http_request_body(request, &size);
    struct err e;
    int rc;
    if (is_media_type(type, "application/json")) {
        const struct event_identity identity = {MESSAGE_SOURCE, api->dashboard.bootid,
                                                api->dashboard.sequence + 1,
                                                clock->wall_us(clock->context)};
        rc = message_from_text(body, size, &identity, &post->message, &e);
        post->is_own = true;
    } else if (is_media_type(type, "application/cloudevents+json")) {
        rc = message_from_event(body, size, &post->message, &e);
    } else {
        http_problem(request, &bad_type,
                     "the body must be application/json or application/cloudevents+json, not %.60s",
                     type == NULL ? "of no type" : type);
        return false;
    }
    if (rc < 0)
        http_problem(request, rc == -ENOMEM ? &busy : &bad_body, "%s", e.msg);
    return rc == 0;
}

/* ---- the way out ---- */

static void client_left(void *context)
{
    struct post *post = context;
    post->request = NULL;
}

static void answer_accepted(struct post *post)
{
    static const struct http_header headers[] = {{"Cache-Control", "no-store"}, {NULL, NULL}};
    struct buf body AUTO(buf_deinit) = BUF_INIT(ANSWER_MAX_BYTES);
    buf_append_str(&body, "{\"source\":");
    buf_append_json(&body, post->message.source);
    buf_append_str(&body, ",\"id\":");
    buf_append_json(&body, post->message.id);
    buf_append_char(&body, '}');
    http_respond_buf(post->request, 202, "application/json", &body, headers);
}

static void published(void *context, enum publish_outcome outcome)
{
    struct post *post AUTO(post_free) = context;
    if (post->request == NULL)
        return;
    switch (outcome) {
    case PUBLISH_ACKNOWLEDGED:
        answer_accepted(post);
        break;
    case PUBLISH_TIMED_OUT:
        http_problem(post->request, &no_acknowledgement,
                     "no acknowledgement within %d s: the message %s may still arrive",
                     PUBLISHER_ACK_TIMEOUT_MS / 1000, post->message.id);
        break;
    case PUBLISH_DISCONNECTED:
        http_problem(post->request, &unavailable,
                     "the connection ended before the acknowledgement: the message %s may or may "
                     "not have arrived",
                     post->message.id);
        break;
    }
}

void event_post(void *context, struct http_request *request)
{
    struct api *api = context;
    struct post *post AUTO(post_free) = NULL;
    struct err e;
    if (!params_none(request) || !check_sender(api, request))
        return;
    post = calloc(1, sizeof(*post));
    if (post == NULL) {
        http_problem(request, &busy, "out of memory");
        return;
    }
    post->request = request;
    if (!read_message(api, post))
        return;
    const struct message *message = &post->message;
    int rc = publisher_publish(api->publish, message->topic, message->payload.data,
                               message->payload.len, published, post, &e);
    if (rc < 0) {
        http_problem(request, rc == -EBUSY || rc == -ENOMEM ? &busy : &unavailable, "%s", e.msg);
        return;
    }
    if (post->is_own)
        api->dashboard.sequence++;
    http_request_defer(request, client_left, TAKE(post));
}
