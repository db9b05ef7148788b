#include "manager/engine/multi.h"

#include <assert.h>
#include <stdbool.h>
#include <stdlib.h>

#define IDLE_CONNECTIONS 4L

/* libuv's handle for one socket of libcurl's; it outlives libcurl's interest in it until its close
 * callback. */
struct watch {
    uv_poll_t poll;
    struct multi *multi;
    curl_socket_t fd;
};

struct multi {
    uv_loop_t *loop;
    CURLM *curl;
    uv_timer_t timer;
    void (*turned)(void *context);
    void *context;
};

static void act(struct multi *multi, curl_socket_t fd, int what)
{
    int running;

    curl_multi_socket_action(multi->curl, fd, what, &running);
    multi->turned(multi->context);
}

static void on_timer(uv_timer_t *timer)
{
    act(timer->data, CURL_SOCKET_TIMEOUT, 0);
}

static int on_timeout_change(CURLM *curl, long timeout_ms, void *context)
{
    struct multi *multi = context;

    (void)curl;
    if (timeout_ms < 0)
        return uv_timer_stop(&multi->timer);
    return uv_timer_start(&multi->timer, on_timer, (uint64_t)timeout_ms, 0);
}

static void on_poll(uv_poll_t *poll, int status, int events)
{
    const struct watch *watch = poll->data;
    int what = status < 0 ? CURL_CSELECT_ERR : 0;

    if (events & UV_READABLE)
        what |= CURL_CSELECT_IN;
    if (events & UV_WRITABLE)
        what |= CURL_CSELECT_OUT;
    act(watch->multi, watch->fd, what);
}

static void on_watch_closed(uv_handle_t *handle)
{
    free(handle->data);
}

static struct watch *watch_new(struct multi *multi, curl_socket_t fd)
{
    struct watch *watch = calloc(1, sizeof(*watch));

    if (!watch || uv_poll_init(multi->loop, &watch->poll, fd) < 0) {
        free(watch);
        return NULL;
    }
    watch->poll.data = watch;
    watch->multi = multi;
    watch->fd = fd;
    return watch;
}

/* libcurl says so before it closes the socket, so that the loop never polls a stranger's. */
static int on_socket_change(CURL *easy, curl_socket_t fd, int what, void *context, void *assigned)
{
    struct multi *multi = context;
    struct watch *watch = assigned;

    (void)easy;
    if (what == CURL_POLL_REMOVE) {
        if (watch)
            uv_close((uv_handle_t *)&watch->poll, on_watch_closed);
        curl_multi_assign(multi->curl, fd, NULL);
        return 0;
    }
    if (!watch && !(watch = watch_new(multi, fd)))
        return -1; /* fails the transfers */
    curl_multi_assign(multi->curl, fd, watch);
    return uv_poll_start(&watch->poll,
                         ((what & CURL_POLL_IN) ? UV_READABLE : 0) |
                             ((what & CURL_POLL_OUT) ? UV_WRITABLE : 0),
                         on_poll);
}

int multi_new(uv_loop_t *loop, void (*turned)(void *context), void *context,
              struct multi **ret_multi, struct err *e)
{
    AUTO(free) struct multi *multi = calloc(1, sizeof(*multi));

    if (!multi || !(multi->curl = curl_multi_init()))
        return FAIL(e, ENOMEM, "out of memory");
    multi->loop = loop;
    multi->turned = turned;
    multi->context = context;
    uv_timer_init(loop, &multi->timer);
    multi->timer.data = multi;
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERFUNCTION, on_timeout_change);
    curl_multi_setopt(multi->curl, CURLMOPT_TIMERDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETFUNCTION, on_socket_change);
    curl_multi_setopt(multi->curl, CURLMOPT_SOCKETDATA, multi);
    curl_multi_setopt(multi->curl, CURLMOPT_MAXCONNECTS, IDLE_CONNECTIONS);
    *ret_multi = TAKE(multi);
    return 0;
}

void multi_stop(struct multi *multi)
{
    curl_multi_cleanup(TAKE(multi->curl));
    uv_close((uv_handle_t *)&multi->timer, NULL);
}

void multi_free(struct multi *multi)
{
    assert(!multi || !multi->curl);
    free(multi);
}

int multi_add(struct multi *multi, CURL *easy)
{
    return curl_multi_add_handle(multi->curl, easy) == CURLM_OK ? 0 : -ENOMEM;
}

void multi_remove(struct multi *multi, CURL *easy)
{
    curl_multi_remove_handle(multi->curl, easy);
}

CURL *multi_next_ended(struct multi *multi, CURLcode *ret_code)
{
    const CURLMsg *message;
    int left;

    while ((message = curl_multi_info_read(multi->curl, &left))) {
        if (message->msg == CURLMSG_DONE) {
            *ret_code = message->data.result;
            return message->easy_handle;
        }
    }
    return NULL;
}
