#include "manager/engine/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "common/base/clock.h"
#include "common/base/json.h"
#include "common/base/str.h"

#define URL_MAX            8192
#define HEADER_MAX         16384
#define MESSAGE_MAX        8192
#define PLAIN_MESSAGE_MAX  400 /* of an error's text that is no JSON */
#define CONNECT_TIMEOUT_MS 5000L
#define MESSAGE_DEPTH      8

/* ---- what comes; inside libcurl ---- */

static size_t on_body(char *bytes, size_t size, size_t count, void *context)
{
    struct engine_call *call = context;
    size_t len = size * count;

    call->last_byte_ms = clock_monotonic_ms();
    buf_append(&call->body, bytes, len);
    if (buf_failed(&call->body))
        return 0;
    if (call->data && call->status < 400)
        call->ready(call);
    return len;
}

/* Each line of the header; an empty one ends it. */
static size_t on_header(char *bytes, size_t size, size_t count, void *context)
{
    struct engine_call *call = context;
    size_t len = size * count;
    long status = 0;

    call->last_byte_ms = clock_monotonic_ms();
    if (len > 2 || len == 0 || bytes[len - 1] != '\n')
        return len;
    curl_easy_getinfo(call->easy, CURLINFO_RESPONSE_CODE, &status);
    if (status < 200) /* an interim one */
        return len;
    call->status = (int)status;
    if (call->data && status < 400) {
        call->has_begun = true;
        call->ready(call);
    }
    return len;
}

/* ---- what goes ---- */

static bool add_header(struct engine_call *call, const char *line)
{
    struct curl_slist *longer = curl_slist_append(call->headers, line);

    if (longer)
        call->headers = longer;
    return longer;
}

static bool add_headers(struct engine_call *call, const struct engine_request *request)
{
    /* Without "Expect" a body of more than a megabyte would wait a second for "100 Continue". */
    if (!add_header(call, "Expect:") || !add_header(call, "Content-Type: application/json"))
        return false;
    if (!request->registry_auth)
        return true;
    AUTO(buf_deinit) struct buf line = BUF_INIT(HEADER_MAX);
    buf_appendf(&line, "X-Registry-Auth: %s", request->registry_auth);
    return !buf_failed(&line) && add_header(call, line.data);
}

/* libcurl's options are variadic and fail only for want of memory, or where it was built without.
 */
#define SET(option, value) (curl_easy_setopt(call->easy, (option), (value)) == CURLE_OK)

static bool set_method(struct engine_call *call, const struct engine_request *request)
{
    if (str_equal(request->method, "GET"))
        return SET(CURLOPT_HTTPGET, 1L);
    const char *body = request->body ? request->body : "";
    bool has_body = request->body || str_equal(request->method, "POST");
    return SET(CURLOPT_FRESH_CONNECT, 1L) &&
           (!has_body || (SET(CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)strlen(body)) &&
                          SET(CURLOPT_COPYPOSTFIELDS, body))) &&
           SET(CURLOPT_CUSTOMREQUEST, request->method);
}

static bool set_options(struct engine_call *call, const char *socket, const char *url)
{
    return SET(CURLOPT_UNIX_SOCKET_PATH, socket) && SET(CURLOPT_URL, url) &&
           SET(CURLOPT_PROXY, "") && SET(CURLOPT_NOSIGNAL, 1L) &&
           SET(CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) &&
           SET(CURLOPT_USERAGENT, "bellbuoy/" BELLBUOY_VERSION) &&
           SET(CURLOPT_HTTPHEADER, call->headers) &&
           SET(CURLOPT_CONNECTTIMEOUT_MS, CONNECT_TIMEOUT_MS) &&
           SET(CURLOPT_TIMEOUT_MS, (long)(call->timeout_ms > 0 ? call->timeout_ms : 0)) &&
           SET(CURLOPT_HEADERFUNCTION, on_header) && SET(CURLOPT_HEADERDATA, call) &&
           SET(CURLOPT_WRITEFUNCTION, on_body) && SET(CURLOPT_WRITEDATA, call) &&
           SET(CURLOPT_PRIVATE, call);
}

int call_new(const char *socket, const char *version, const struct engine_request *request,
             struct engine_call **ret_call)
{
    AUTO(call_free) struct engine_call *call = calloc(1, sizeof(*call));
    AUTO(buf_deinit) struct buf url = BUF_INIT(URL_MAX);

    if (!call)
        return -ENOMEM;
    call->body = BUF_INIT(ENGINE_REPLY_MAX);
    call->message = BUF_INIT(MESSAGE_MAX);
    call->timeout_ms = request->timeout_ms ? request->timeout_ms : ENGINE_TIMEOUT_MS;
    call->idle_ms = request->idle_ms;
    call->last_byte_ms = clock_monotonic_ms();
    (void)snprintf(call->title, sizeof(call->title), "%s %.*s", request->method,
                   (int)strcspn(request->path, "?"), request->path);
    buf_appendf(&url, "http://engine%s%s", version, request->path);
    if (buf_failed(&url) || !(call->easy = curl_easy_init()) || !add_headers(call, request) ||
        !set_options(call, socket, url.data) || !set_method(call, request))
        return -ENOMEM;
    *ret_call = TAKE(call);
    return 0;
}

void call_free(struct engine_call *call)
{
    if (!call)
        return;
    curl_easy_cleanup(call->easy);
    curl_slist_free_all(call->headers);
    buf_deinit(&call->body);
    buf_deinit(&call->message);
    free(call);
}

/* ---- the end ---- */

void call_fail(struct engine_call *call, const char *fmt, ...)
{
    char text[512];
    va_list args;

    va_start(args, fmt);
    (void)vsnprintf(text, sizeof(text), fmt, args);
    va_end(args);
    buf_reset(&call->message);
    buf_append_str(&call->message, text);
    call->status = 0;
    call->has_ended = true;
}

/* {"message": "..."}, or the text as it is. */
static void take_message(struct engine_call *call)
{
    const char *text = NULL;
    AUTO(cJSON_Delete) cJSON *json = NULL;

    if (call->body.len > 0 &&
        json_parse(call->body.data, call->body.len, MESSAGE_DEPTH, &json, NULL) == 0 &&
        cJSON_IsObject(json) && json_get_string(json, "", "message", &text, NULL) == 0) {
        buf_append_str(&call->message, text);
    } else {
        size_t len = call->body.len < PLAIN_MESSAGE_MAX ? call->body.len : PLAIN_MESSAGE_MAX;
        buf_append(&call->message, call->body.data, len);
    }
    while (call->message.len > 0 && strchr(" \r\n", call->message.data[call->message.len - 1]))
        call->message.data[--call->message.len] = '\0';
    if (call->message.len == 0)
        buf_appendf(&call->message, "the engine answered %s with HTTP status %d", call->title,
                    call->status);
}

/* In a container the file may be mounted alone: it is the old one for as long as that runs. */
static bool is_removed(const char *socket)
{
    struct stat st;

    return stat(socket, &st) == 0 && st.st_nlink == 0;
}

static void fail_connect(struct engine_call *call, const char *socket)
{
    long error = 0;

    curl_easy_getinfo(call->easy, CURLINFO_OS_ERRNO, &error);
    if (error == EACCES)
        call_fail(call, "%s may not be opened: run as a member of the group that it belongs to",
                  socket);
    else if (is_removed(socket))
        call_fail(call,
                  "the engine has removed its socket, and %s is still the old one: once there is a "
                  "new one, start this container again (in Kubernetes: delete the pod)",
                  socket);
    else
        call_fail(call, "no engine answers at %s: %s", socket,
                  error ? strerror((int)error) : "it cannot be connected to");
}

void call_end(struct engine_call *call, CURLcode code, const char *socket)
{
    call->has_ended = true;
    switch (code) {
    case CURLE_OK:
        if (call->status == 0) /* libcurl takes the end within a header for the header's end */
            call_fail(call, "the connection to the engine ended before its reply did: %s",
                      call->title);
        else if (call->status >= 400)
            take_message(call);
        break;
    case CURLE_COULDNT_CONNECT:
        fail_connect(call, socket);
        break;
    case CURLE_OPERATION_TIMEDOUT:
        call->timed_out = true;
        call_fail(call, "the engine did not answer within %lld ms: %s", (long long)call->timeout_ms,
                  call->title);
        break;
    case CURLE_OUT_OF_MEMORY:
        call_fail(call, "out of memory: %s", call->title);
        break;
    case CURLE_WRITE_ERROR:
        call_fail(call, "the engine's reply is larger than %d MiB: %s", ENGINE_REPLY_MAX >> 20,
                  call->title);
        break;
    case CURLE_UNSUPPORTED_PROTOCOL:
    case CURLE_WEIRD_SERVER_REPLY:
        call_fail(call, "what answers at %s does not speak HTTP: %s", socket, call->title);
        break;
    default:
        call_fail(call, "the connection to the engine ended before its reply did: %s (%s)",
                  call->title, curl_easy_strerror(code));
    }
}
