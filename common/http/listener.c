#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/http/internal.h"

#define BACKLOG 4096

/* The kernel would let a slow client's queue grow to megabytes (net.ipv4.tcp_wmem); what waits for
 * it waits in the journal instead. The kernel doubles the figure for its own bookkeeping. */
#define SEND_BUFFER_BYTES (64 * 1024)

union address {
    struct sockaddr any;
    struct sockaddr_in ipv4;
    struct sockaddr_in6 ipv6;
};

static int parse(const char *text, uint16_t port, union address *ret_address, socklen_t *ret_len)
{
    union address a = {0};

    if (inet_pton(AF_INET, text, &a.ipv4.sin_addr) == 1) {
        a.ipv4.sin_family = AF_INET;
        a.ipv4.sin_port = htons(port);
        *ret_len = sizeof(a.ipv4);
    } else if (inet_pton(AF_INET6, text, &a.ipv6.sin6_addr) == 1) {
        a.ipv6.sin6_family = AF_INET6;
        a.ipv6.sin6_port = htons(port);
        *ret_len = sizeof(a.ipv6);
    } else {
        return -EINVAL;
    }
    *ret_address = a;
    return 0;
}

static int at_least_1(unsigned seconds)
{
    return seconds > 0 ? (int)seconds : 1;
}

/*
 * Connections inherit all of these from the socket that accepts them. A peer that is gone without a
 * word is found out by probes while a stream is silent, and by unacknowledged data while it is not.
 * A client that takes nothing at all for that long is cut off too; it comes back with its cursor.
 */
static void set_options(int fd, unsigned client_timeout_ms)
{
    const struct {
        int level, name, value;
    } options[] = {
        {SOL_SOCKET, SO_REUSEADDR, 1},
        {SOL_SOCKET, SO_SNDBUF, SEND_BUFFER_BYTES},
        {SOL_SOCKET, SO_KEEPALIVE, 1},
        {IPPROTO_TCP, TCP_KEEPIDLE, at_least_1(client_timeout_ms / 2000)},
        {IPPROTO_TCP, TCP_KEEPINTVL, at_least_1(client_timeout_ms / 8000)},
        {IPPROTO_TCP, TCP_USER_TIMEOUT, (int)client_timeout_ms},
    };

    for (size_t i = 0; i < ARRAY_SIZE(options); i++)
        (void)setsockopt(fd, options[i].level, options[i].name, &options[i].value,
                         sizeof(options[i].value));
}

static int bind_and_listen(int fd, const union address *address, socklen_t len)
{
    if (bind(fd, &address->any, len) < 0 || listen(fd, BACKLOG) < 0)
        return -errno;
    return 0;
}

static uint16_t bound_port(int fd)
{
    union address a = {0};
    socklen_t len = sizeof(a);

    if (getsockname(fd, &a.any, &len) < 0)
        return 0;
    return ntohs(a.any.sa_family == AF_INET6 ? a.ipv6.sin6_port : a.ipv4.sin_port);
}

int http_listener_open(const struct http_settings *settings, int *ret_fd, uint16_t *ret_port,
                       struct err *e)
{
    const char *address = settings->address;
    uint16_t port = settings->port;
    union address a;
    socklen_t len;
    int fd, r;

    if (parse(address, port, &a, &len) < 0)
        return FAIL(e, EINVAL, "'%s' is not a numeric IPv4 or IPv6 address", address);
    fd = socket(a.any.sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return FAIL(e, errno, "no socket for %s: %s", address, strerror(errno));
    set_options(fd, settings->client_timeout_ms);
    r = bind_and_listen(fd, &a, len);
    if (r < 0) {
        close(fd);
        return FAIL(e, -r, "cannot listen on %s port %u: %s", address, port, strerror(-r));
    }
    *ret_fd = fd;
    *ret_port = bound_port(fd);
    return 0;
}
