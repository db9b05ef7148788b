#include "broker/stream.h"

#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"
#include "common/base/str.h"

#define HOST_SIZE 256
#define TEXT_SIZE 2048
#define LOOKED_AT 1024 /* beyond it what was looked at makes room */

static const char request[] =
    "GET /api/v1/stream HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n";
static const char status_ok[] = "HTTP/1.1 200";
static const char event_mark[] = "\ndata: {";

static void fd_close(const int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int look_up(const char *receiver, struct addrinfo **ret_info, struct err *e)
{
    static const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
    const char *colon = strrchr(receiver, ':');
    char host[HOST_SIZE];

    if (!colon || !str_copy_n(host, sizeof host, receiver, (size_t)(colon - receiver)))
        return FAIL(e, EINVAL, "'%s' is not HOST:PORT", receiver);
    int r = getaddrinfo(host, colon + 1, &hints, ret_info);
    if (r != 0)
        return FAIL(e, EHOSTUNREACH, "%s: %s", receiver, gai_strerror(r));
    return 0;
}

/* A socket that has sent the request, or < 0. The kernel's own time-out is longer than ours. */
static int open_stream(const char *receiver, int64_t timeout_ms, struct err *e)
{
    const struct timeval timeout = {.tv_sec = timeout_ms / 1000 + 1};
    struct addrinfo *info = NULL;
    int r = look_up(receiver, &info, e);

    if (r < 0)
        return r;
    int fd = socket(info->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0 || setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &timeout, sizeof timeout) < 0 ||
        connect(fd, info->ai_addr, info->ai_addrlen) < 0 ||
        send(fd, request, strlen(request), MSG_NOSIGNAL) < 0) {
        r = FAIL(e, errno, "%s: %s", receiver, strerror(errno));
        fd_close(&fd);
    }
    freeaddrinfo(info);
    return r < 0 ? r : fd;
}

/* 1 when an event is in what has come, 0 when not, < 0 for an answer that is no stream. Of what was
 * looked at it keeps enough for a mark that is cut in two. */
static int take(char *text, size_t *len, struct err *e)
{
    size_t keep = strlen(event_mark);

    if (str_starts_with(text, "HTTP/") && *len >= strlen(status_ok) &&
        !str_starts_with(text, status_ok)) {
        text[strcspn(text, "\r\n")] = '\0';
        return FAIL(e, EPROTO, "the receiver answers %.100s", text);
    }
    if (strstr(text, event_mark))
        return 1;
    if (*len > LOOKED_AT) {
        memmove(text, text + *len - keep, keep + 1);
        *len = keep;
    }
    return 0;
}

int stream_await_event(const char *receiver, int64_t timeout_ms, struct err *e)
{
    int64_t deadline_ms = clock_monotonic_ms() + timeout_ms;
    __attribute__((cleanup(fd_close))) int fd = open_stream(receiver, timeout_ms, e);
    char text[TEXT_SIZE] = "";
    size_t len = 0;
    int r = 0;

    if (fd < 0)
        return fd;
    while (r == 0) {
        struct pollfd pollfd = {.fd = fd, .events = POLLIN};
        int64_t left_ms = deadline_ms - clock_monotonic_ms();

        if (left_ms <= 0 || poll(&pollfd, 1, (int)left_ms) == 0)
            return FAIL(e, ETIMEDOUT, "%s: no message within %lld ms", receiver,
                        (long long)timeout_ms);
        ssize_t got = recv(fd, text + len, sizeof text - 1 - len, 0);
        if (got <= 0)
            return FAIL(e, got < 0 ? errno : ECONNRESET, "%s closed the stream", receiver);
        len += (size_t)got;
        text[len] = '\0';
        r = take(text, &len, e);
    }
    return r < 0 ? r : 0;
}
