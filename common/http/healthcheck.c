#include "common/http/healthcheck.h"

#include <netdb.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/base/clock.h"

enum { TIMEOUT_MS = 3000 };

static void fd_close(int *fd)
{
    if (*fd >= 0)
        close(*fd);
}

static int wait_for(int fd, short events, int64_t deadline_ms, struct err *e)
{
    struct pollfd pollfd = {.fd = fd, .events = events};
    int r;

    do {
        int64_t left_ms = deadline_ms - clock_monotonic_ms();

        r = poll(&pollfd, 1, left_ms > 0 ? (int)left_ms : 0);
    } while (r < 0 && errno == EINTR);
    if (r < 0)
        return FAIL(e, errno, "poll: %s", strerror(errno));
    return r > 0 ? 0 : FAIL(e, ETIMEDOUT, "no answer within %d ms", TIMEOUT_MS);
}

static int open_connection(const struct addrinfo *info, int fd, int64_t deadline_ms, struct err *e)
{
    int failure = 0;
    socklen_t size = sizeof failure;
    int r;

    if (connect(fd, info->ai_addr, info->ai_addrlen) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return FAIL(e, errno, "cannot connect: %s", strerror(errno));
    r = wait_for(fd, POLLOUT, deadline_ms, e);
    if (r < 0)
        return r;
    if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &failure, &size) < 0)
        failure = errno;
    if (failure)
        return FAIL(e, failure, "cannot connect: %s", strerror(failure));
    return 0;
}

/* The status of the answer's first line. */
static int read_status(int fd, int64_t deadline_ms, struct err *e)
{
    char line[64] = "";
    size_t len = 0;
    int status, r;

    while (len < sizeof line - 1 && !strchr(line, '\n')) {
        ssize_t got;

        r = wait_for(fd, POLLIN, deadline_ms, e);
        if (r < 0)
            return r;
        got = recv(fd, line + len, sizeof line - 1 - len, 0);
        if (got < 0 && (errno == EINTR || errno == EAGAIN))
            continue;
        if (got < 0)
            return FAIL(e, errno, "cannot read the answer: %s", strerror(errno));
        if (got == 0)
            break;
        len += (size_t)got;
        line[len] = '\0';
    }
    if (strncmp(line, "HTTP/1.", 7) != 0 || len < strlen("HTTP/1.1 200"))
        return FAIL(e, EPROTO, "what answers is no HTTP server");
    status = (line[9] - '0') * 100 + (line[10] - '0') * 10 + (line[11] - '0');
    if (status != 200)
        return FAIL(e, EIO, "/healthz answers %.3s", line + 9);
    return 0;
}

static int ask(const struct addrinfo *info, struct err *e)
{
    static const char request[] =
        "GET /healthz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n";
    const ssize_t size = sizeof request - 1;
    __attribute__((cleanup(fd_close))) int fd =
        socket(info->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int64_t deadline_ms = clock_monotonic_ms() + TIMEOUT_MS;
    int r;

    if (fd < 0)
        return FAIL(e, errno, "no socket: %s", strerror(errno));
    r = open_connection(info, fd, deadline_ms, e);
    if (r < 0)
        return r;
    /* A fresh socket takes this much at once. */
    if (send(fd, request, (size_t)size, MSG_NOSIGNAL) != size)
        return FAIL(e, EIO, "cannot send the request: %s", strerror(errno));
    return read_status(fd, deadline_ms, e);
}

int healthcheck_run(const char *address, uint16_t port, struct err *e)
{
    const struct addrinfo hints = {.ai_socktype = SOCK_STREAM,
                                   .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV};
    struct addrinfo *info = NULL;
    char service[8];
    int r;

    snprintf(service, sizeof service, "%u", (unsigned)port);
    /* Linux takes a wildcard address, at which a service may listen, as loopback. */
    r = getaddrinfo(address, service, &hints, &info);
    if (r != 0)
        return FAIL(e, EINVAL, "\"%s\" is no numeric address: %s", address, gai_strerror(r));
    r = ask(info, e);
    freeaddrinfo(info);
    if (r < 0)
        err_context(e, "http://%s:%u/healthz", address, (unsigned)port);
    return r;
}
